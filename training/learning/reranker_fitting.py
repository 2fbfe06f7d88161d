"""The training of a cross-encoder's adapter and head: the right passage among those of its
question."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from docintel.inference.ml import adapters
from docintel.inference.ml.cross_encoder import CrossEncoder
from docintel.inference.ml.packing import pack
from training.learning.adapter_fitting import (
    FROZEN_BLOCKS,
    AdapterFitting,
    Step,
    chosen_device,
    trainable,
)

RANK, ALPHA = 32, 64
RATE, HEAD_RATE = 1e-3, 1e-3
# What the model reads; windows are made to fit, a longer pair is cut at its end.
TOKENS = 256
BUDGET = 6_144


class Fitting(AdapterFitting):
    """A cross-encoder in training."""

    model: CrossEncoder

    def __init__(self, folder: Path, checkpoint: Path, device: str = "auto") -> None:
        torch.manual_seed(7)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(TOKENS, strategy="only_second")
        model = CrossEncoder(folder)
        blocks = range(FROZEN_BLOCKS, model.encoder.config.num_hidden_layers)
        model.encoder = adapters.attach(model.encoder, rank=RANK, alpha=ALPHA, blocks=blocks).eval()
        super().__init__(model.to(chosen_device(device)), checkpoint, chosen_device(device))
        head = [*model.head.parameters(), model.nearness]
        self.begin([(trainable(model.encoder), RATE), (head, HEAD_RATE)])

    @torch.inference_mode()
    def score(self, question: str, passages: Sequence[str]) -> list[float]:
        return [float(x) for x in self._scores([(question, p) for p in passages])]

    def save(self, path: Path) -> None:
        """Adapter and head as float16 safetensors."""
        head = {
            f"head.{name}": value.detach().cpu().to(torch.float16).contiguous()
            for name, value in self.model.head.state_dict().items()
        }
        nearness = self.model.nearness.detach().cpu().to(torch.float16).reshape(1)
        lora = {f"encoder.{k}": v for k, v in adapters.tensors(self.model.encoder).items()}
        save_file({**lora, **head, "nearness": nearness}, str(path))

    def loss(self, step: Step) -> torch.Tensor:
        """Cross entropy of the right passage among those of its question."""
        pairs = [(question, passage) for question, passages in step for passage in passages]
        scores = self._scores(pairs)
        loss, first = torch.zeros((), device=self.device), 0
        for _, passages in step:
            own = scores[first : first + len(passages)]
            loss = loss - torch.log_softmax(own, dim=0)[0]
            first += len(passages)
        return loss / len(step)

    def _scores(self, pairs: Sequence[tuple[str, str]]) -> torch.Tensor:
        rows = self.tokenizer.encode_batch_fast(list(pairs))
        parts, order = [], []
        for batch in pack([len(row.ids) for row in rows], BUDGET):
            longest = max(len(rows[i].ids) for i in batch)
            shape = (len(batch), longest)
            ids = torch.full(shape, self.model.pad, dtype=torch.int64)
            mask, types = (
                torch.zeros(shape, dtype=torch.int64),
                torch.zeros(shape, dtype=torch.int64),
            )
            for line, i in enumerate(batch):
                n = len(rows[i].ids)
                ids[line, :n] = torch.tensor(rows[i].ids)
                types[line, :n] = torch.tensor(rows[i].type_ids)
                mask[line, :n] = 1
            with torch.autocast(self.device, dtype=torch.bfloat16):
                found = self.model(ids.to(self.device), mask.to(self.device), types.to(self.device))
            parts.append(found.float())
            order += batch
        places = torch.tensor(order, device=self.device).argsort()
        return torch.cat(parts)[places]
