"""A base encoder that reads each window only once, for many trainings of what stands on it.

`FrozenEncoder` never learns. `UpperLayers` learns the last layers above one that does not. Trap:
what was read stays in memory, about 5 KB a token for an encoder of 6 layers of 384.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from extraction.ml.encoder import load_encoder
from extraction.ml.errors import BadArtefact


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

    def upper(self, count: int) -> nn.ModuleList:
        """Copies of the last layers, free to learn. Raises BadArtefact for one unlike BERT."""
        # Others give their layers more than states and mask (MPNet its table of positions).
        encoder: Any = self._encoder[0]
        layers = encoder.encoder.layer if self.config.model_type == "bert" else ()
        if not 0 < count < len(layers):
            raise BadArtefact(
                f"Of this encoder ({self.config.model_type}) {count} layers cannot learn above "
                "others that stay as they are."
            )
        return nn.ModuleList(deepcopy(layer).requires_grad_(True) for layer in layers[-count:])

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


class UpperLayers(nn.Module):
    """The last `count` layers of an encoder, which learn, above the others as they are.

    Each network has its own; the `FrozenEncoder` below may be shared.
    """

    def __init__(self, lower: FrozenEncoder, count: int) -> None:
        super().__init__()
        self.config: Any = lower.config
        self._lower = [lower]
        self.layers = lower.upper(count)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **_: Any) -> Layers:
        """As `FrozenEncoder`; at masked places there is something that nobody reads."""
        states = list(self._lower[0](input_ids, attention_mask).hidden_states[: -len(self.layers)])
        attended = attention_mask[:, None, None, :].bool()
        for layer in self.layers:
            states.append(layer(states[-1], attended))
        return Layers(tuple(states))
