"""A cross-encoder in PyTorch: one score for a question and a passage read together.

The question's tokens have type 0, the passage's type 1. Its head sees the mean of each side, their
product and their distance, so that an encoder that was trained to embed starts well.
"""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModel
from transformers.utils import logging as transformers_logging

HIDDEN = 128


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
        self.head = torch.nn.Sequential(
            torch.nn.Linear(5 * width, HIDDEN), torch.nn.GELU(), torch.nn.Linear(HIDDEN, 1)
        )
        # What the cosine of both sides counts; at the start it is all that counts.
        self.nearness = torch.nn.Parameter(torch.tensor(5.0))
        torch.nn.init.zeros_(self.head[2].weight)
        torch.nn.init.zeros_(self.head[2].bias)
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
        scores = self.head(torch.cat(seen, dim=-1)).squeeze(-1)
        return scores + self.nearness * product.mean(-1)


def _side(hidden: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The mean of one side's tokens, of length sqrt(width): its numbers are about 1."""
    mean = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
    return torch.nn.functional.normalize(mean, dim=-1) * mean.shape[-1] ** 0.5
