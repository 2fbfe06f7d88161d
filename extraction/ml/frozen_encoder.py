"""A base encoder that never learns, and reads each window only once: for many trainings of heads.

Trap: what it has read stays in memory, about 5 KB a token for an encoder of 6 layers of 384.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from extraction.ml.encoder import load_encoder


class Layers(NamedTuple):
    """As the encoders of `transformers` answer: each layer's output (n, tokens, size)."""

    hidden_states: tuple[torch.Tensor, ...]


class FrozenEncoder(nn.Module):
    """In place of the encoder of a `Network`; several networks may share one."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        encoder = load_encoder(folder, 0).eval().requires_grad_(False)
        self.config: Any = encoder.config
        # In a list, so that it is no part of the network: neither saved nor set to learn.
        self._encoder = [encoder]
        self._kept: dict[bytes, NDArray[np.float16]] = {}

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **_: Any) -> Layers:
        """Masked places are zero, where the encoder itself has something that nobody reads."""
        lengths = attention_mask.sum(1).tolist()
        keys = [
            row[:length].numpy().tobytes() for row, length in zip(input_ids, lengths, strict=True)
        ]
        new = [at for at, key in enumerate(keys) if key not in self._kept]
        if new:
            self._read(input_ids[new], attention_mask[new], [keys[at] for at in new])
        first = self._kept[keys[0]]
        found = np.zeros((len(first), *input_ids.shape, first.shape[2]), dtype=np.float16)
        for at, key in enumerate(keys):
            kept = self._kept[key]
            found[:, at, : kept.shape[1]] = kept
        return Layers(tuple(torch.from_numpy(found).float().unbind(0)))

    def _read(self, ids: torch.Tensor, mask: torch.Tensor, keys: list[bytes]) -> None:
        with torch.no_grad():
            states = self._encoder[0](
                input_ids=ids, attention_mask=mask, output_hidden_states=True
            ).hidden_states
        table = torch.stack(states).float().numpy().astype(np.float16)
        for at, key in enumerate(keys):
            self._kept[key] = table[:, at, : int(mask[at].sum())].copy()
