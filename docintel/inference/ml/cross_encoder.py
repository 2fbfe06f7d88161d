"""A cross-encoder in PyTorch: one score for a question and a passage read together.

Its head sees the mean of each side, their product and their distance, so that an encoder that was
trained to embed starts well. Trap: a row is [CLS] question [SEP] passage [SEP]; the first [SEP]
tells the sides apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from transformers import AutoModel
from transformers.utils import logging as transformers_logging

from docintel.inference.ml import adapters
from docintel.inference.ml.packing import Ids, pack, padded, sides

HIDDEN = 128
CUDA_BUDGET = 65_536


class CrossEncoder(torch.nn.Module):
    """(ids, mask, types) of (n, tokens) to float32 scores (n,); higher is better, unbounded."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        transformers_logging.disable_progress_bar()
        self.encoder = AutoModel.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            add_pooling_layer=False,
        ).eval()
        width = int(self.encoder.config.hidden_size)
        last = torch.nn.Linear(HIDDEN, 1)
        torch.nn.init.zeros_(last.weight)
        torch.nn.init.zeros_(last.bias)
        self.head = torch.nn.Sequential(torch.nn.Linear(5 * width, HIDDEN), torch.nn.GELU(), last)
        # What the cosine of both sides counts; at the start it is all that counts.
        self.nearness = torch.nn.Parameter(torch.tensor(5.0))
        self.pad = int(self.encoder.config.pad_token_id or 0)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> torch.Tensor:
        hidden = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state.float()
        mask, types = attention_mask.unsqueeze(-1).float(), token_type_ids.unsqueeze(-1).float()
        question = _side(hidden, mask * (1 - types))
        passage = _side(hidden, mask * types)
        product = question * passage
        seen = [hidden[:, 0], question, passage, product, (question - passage).abs()]
        scores: torch.Tensor = self.head(torch.cat(seen, dim=-1)).squeeze(-1)
        return scores + self.nearness * product.mean(-1)


def merged(encoder: Path, artefact: Path, scale: float) -> CrossEncoder:
    """The encoder with the artefact's adapter merged and its head.

    Raises ValueError where they do not fit each other.
    """
    model = CrossEncoder(encoder)
    found = load_file(str(artefact))
    lora = {k.removeprefix("encoder."): v for k, v in found.items() if k.startswith("encoder.")}
    head = {k.removeprefix("head."): v.float() for k, v in found.items() if k.startswith("head.")}
    adapters.merge(model.encoder, lora, scale)
    try:
        model.head.load_state_dict(head)
        with torch.no_grad():
            model.nearness.copy_(found["nearness"].float().squeeze())
    except (RuntimeError, KeyError) as error:
        raise ValueError(f"{artefact} has no head for this encoder: {error}") from error
    return model.eval()


class TorchCrossEncoder:
    """Scores on `cuda` in bf16, or on `cpu` in float32; `encode` gives (n, 1)."""

    def __init__(self, model: CrossEncoder, sep: int, device: str) -> None:
        self.device = device
        self.precision = "bf16" if device == "cuda" else "f32"
        self.budget = CUDA_BUDGET if device == "cuda" else 2_048
        self.sep = sep
        self.model = model.to(device)

    @torch.inference_mode()
    def encode(self, rows: Sequence[Ids]) -> NDArray[np.float32]:
        """A score per row, in the rows' order."""
        scores = np.zeros((len(rows), 1), dtype=np.float32)
        on_gpu = self.device == "cuda"
        for batch in pack([len(row) for row in rows], self.budget):
            ids, mask = padded([rows[i] for i in batch], self.model.pad)
            inputs = [
                torch.from_numpy(x).to(self.device) for x in (ids, mask, sides(ids, self.sep))
            ]
            with torch.autocast(self.device, dtype=torch.bfloat16, enabled=on_gpu):
                found = self.model(*inputs)
            scores[batch, 0] = found.float().cpu().numpy()
        return scores


def _side(hidden: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The mean of one side's tokens, of length sqrt(width): its numbers are about 1."""
    mean = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
    return torch.nn.functional.normalize(mean, dim=-1) * mean.shape[-1] ** 0.5
