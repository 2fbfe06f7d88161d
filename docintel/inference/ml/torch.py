"""The sentence encoder in PyTorch: the GPU's path, and what OpenVINO is converted from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel
from transformers.utils import logging as transformers_logging

from docintel.inference.ml.packing import Ids, pack, padded

# Enough rows to fill a GPU: 128 chunks of 512 tokens.
CUDA_BUDGET = 65_536
CPU_BUDGET = 2_048


class SentenceEncoder(torch.nn.Module):
    """(ids, mask) of (n, tokens) to float32 unit vectors of (n, hidden)."""

    def __init__(self, folder: Path, pooling: str) -> None:
        super().__init__()
        transformers_logging.disable_progress_bar()
        self.encoder = AutoModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, trust_remote_code=False
        ).eval()
        self.pooling = pooling
        self.pad = int(self.encoder.config.pad_token_id or 0)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        hidden = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask
        ).last_hidden_state.float()
        if self.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            weights = attention_mask.unsqueeze(-1).float()
            pooled = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
        return torch.nn.functional.normalize(pooled, dim=-1)


class TorchEncoder:
    """Encodes on `cuda` in bf16, or on `cpu` in float32; one call at a time per instance."""

    def __init__(self, folder: Path, pooling: str, device: str = "cuda") -> None:
        self.device = device
        self.precision = "bf16" if device == "cuda" else "f32"
        self.budget = CUDA_BUDGET if device == "cuda" else CPU_BUDGET
        dtype = torch.bfloat16 if device == "cuda" else torch.float32
        self.model = SentenceEncoder(folder, pooling).to(device=device, dtype=dtype)

    def encode(self, rows: Sequence[Ids]) -> NDArray[np.float32]:
        """(n, hidden) unit vectors of rows of token ids, in the rows' order."""
        vectors: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * len(rows)
        for batch in pack([len(row) for row in rows], self.budget):
            found = self._batch([rows[i] for i in batch])
            for index, vector in zip(batch, found, strict=True):
                vectors[index] = vector
        return np.stack(vectors)

    @torch.inference_mode()
    def _batch(self, rows: Sequence[Ids]) -> NDArray[np.float32]:
        ids, mask = padded(rows, self.model.pad)
        vectors = self.model(
            torch.from_numpy(ids).to(self.device), torch.from_numpy(mask).to(self.device)
        )
        return np.asarray(vectors.float().cpu().numpy(), dtype=np.float32)
