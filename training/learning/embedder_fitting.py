"""The training of an embedder's adapter: a question nearer to what answers it than to anything else
of its step.

Multiple negatives ranking, Henderson et al. 2017: cross entropy over the cosines, times a scale,
with every text of the step; a text that equals the right one is no wrong one.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import AutoModel

from docintel.inference.ml import adapters
from docintel.inference.ml.packing import pack, padded
from docintel.inference.ml.torch import SentenceEncoder
from docintel.weights import KEPT, MODEL_FILE, Weights
from training.learning.adapter_fitting import (
    FROZEN_BLOCKS,
    AdapterFitting,
    Step,
    chosen_device,
    trainable,
)

RANK, ALPHA = 16, 32
RATE = 3e-4
SCALE = 20.0
TOKENS = 128
BUDGET = 4_096
ADAPTER = "adapter.safetensors"


class Fitting(AdapterFitting):
    """An embedder in training; it reads the first 128 tokens of a text."""

    model: SentenceEncoder

    def __init__(self, base: Weights, checkpoint: Path, device: str, seed: int) -> None:
        torch.manual_seed(seed)
        self.base = base
        self.tokenizer = Tokenizer.from_file(str(base.folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(TOKENS)
        model = SentenceEncoder(base.folder, base.pooling)
        count = int(model.encoder.config.num_hidden_layers)
        blocks = range(min(FROZEN_BLOCKS, count - 1), count)
        model.encoder = adapters.attach(model.encoder, rank=RANK, alpha=ALPHA, blocks=blocks).eval()
        super().__init__(model.to(chosen_device(device)), checkpoint, chosen_device(device))
        self.begin([(trainable(model), RATE)])

    def loss(self, step: Step) -> torch.Tensor:
        texts = [text for _, own in step for text in own]
        firsts = np.cumsum([0, *(len(own) for _, own in step[:-1])]).tolist()
        vectors = self._vectors([*(question for question, _ in step), *texts])
        cosines = vectors[: len(step)] @ vectors[len(step) :].T
        same = [
            [text == texts[right] and at != right for at, text in enumerate(texts)]
            for right in firsts
        ]
        hidden = torch.tensor(same, device=self.device)
        right = torch.tensor(firsts, device=self.device)
        scores = (SCALE * cosines).masked_fill(hidden, -torch.inf)
        return torch.nn.functional.cross_entropy(scores, right)

    @torch.inference_mode()
    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, hidden) unit vectors."""
        return np.asarray(self._vectors(texts).cpu().numpy(), dtype=np.float32)

    def encode_untuned(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The same by the encoder as it was."""
        with self.model.encoder.disable_adapter():
            return self.encode(texts)

    def save(self, folder: Path) -> None:
        """The adapter, and the encoder with it merged in, as `docintel.weights` reads a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        found = adapters.tensors(self.model.encoder)
        save_file(found, str(folder / ADAPTER))
        whole = AutoModel.from_pretrained(
            self.base.folder, local_files_only=True, use_safetensors=True, trust_remote_code=False
        )
        adapters.merge(whole, found, ALPHA / RANK)
        whole.save_pretrained(folder, safe_serialization=True)
        for file in sorted(KEPT - {MODEL_FILE, "config.json"}):
            if (self.base.folder / file).is_file():
                (folder / file).parent.mkdir(exist_ok=True)
                shutil.copyfile(self.base.folder / file, folder / file)

    def _vectors(self, texts: Sequence[str]) -> torch.Tensor:
        rows = [found.ids for found in self.tokenizer.encode_batch_fast(list(texts))]
        parts, order = [], []
        for batch in pack([len(row) for row in rows], BUDGET):
            ids, mask = padded([rows[at] for at in batch], self.model.pad)
            with torch.autocast(self.device, dtype=torch.bfloat16):
                found = self.model(
                    torch.from_numpy(ids).to(self.device), torch.from_numpy(mask).to(self.device)
                )
            parts.append(found.float())
            order += batch
        return torch.cat(parts)[torch.tensor(order, device=self.device).argsort()]
