"""The network: shared encoder, classifier of windows, and BIO scores that read its answer.

Article's order of heads: what kinds of span does this window hold, then where exactly are they.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torchcrf import CRF

from extraction.ml import shapes
from extraction.ml.crf import FAINTEST, NEVER
from extraction.ml.settings import Design
from extraction.ml.tags import TagScheme

DROPOUT = 0.2


class GroupedCrf(CRF):
    """pytorch-crf over all groups at once: each has its own scores of steps, none a forbidden one.

    Chains come group by group within a window: (words, windows * groups, tags). Nothing is scored
    for a chain's start and end, because a window begins anywhere in a text.
    """

    def __init__(self, scheme: TagScheme) -> None:
        super().__init__(scheme.width)
        # Replaced by what `forward` lays out for its batch; not parameters any more.
        del self.transitions, self.start_transitions, self.end_transitions
        self.start_transitions: torch.Tensor = torch.zeros(scheme.width)
        self.end_transitions: torch.Tensor = torch.zeros(scheme.width)
        self.steps = nn.Parameter(torch.zeros(len(scheme.groups), scheme.width, scheme.width))
        self.allowed: torch.Tensor
        self.register_buffer("allowed", torch.from_numpy(scheme.allowed()), persistent=False)

    def scores(self) -> torch.Tensor:
        """(groups, tags, tags), `NEVER` where a step is forbidden whatever was learned."""
        return self.steps.masked_fill(~self.allowed, NEVER)

    def prepare(self, windows: int, device: torch.device) -> None:
        """Lay out the scores for the chains of this many windows."""
        self.transitions = self.scores().repeat(windows, 1, 1)
        self.start_transitions = self.start_transitions.to(device)
        self.end_transitions = self.end_transitions.to(device)

    def _compute_score(
        self, emissions: torch.Tensor, tags: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """Scores of the given tags, for steps that differ from chain to chain."""
        inside = mask.to(emissions.dtype)
        given = emissions.gather(2, tags.unsqueeze(2)).squeeze(2)
        chains = torch.arange(tags.shape[1], device=tags.device).expand(len(tags) - 1, -1)
        steps = self.transitions[chains, tags[:-1], tags[1:]]
        return (given * inside).sum(0) + (steps * inside[1:]).sum(0)

    def _compute_normalizer(self, emissions: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Log sum of the scores of all tags, by scaled products (Rabiner 1989, section V A).

        A logarithm at every word, as the library has it, takes most of the time of learning heads.
        """
        emissions = emissions.double()
        top = emissions.amax(-1, keepdim=True)
        groups = len(self.steps)
        # (words, groups, windows, tags), so that a group's steps are one matrix for all windows.
        weights = (emissions - top).clamp(min=FAINTEST).exp().unflatten(1, (-1, groups))
        inside = mask.unflatten(1, (-1, groups)).transpose(1, 2).unsqueeze(-1)
        steps = self.scores().double().exp()
        # Taken apart at once: the gradient of one word by its index is as large as all of them.
        first, *others = weights.transpose(1, 2).unbind(0)
        sizes = [first.sum(-1, keepdim=True)]
        values = first / sizes[0]
        for within, weight in zip(inside[1:], others, strict=True):
            # Beyond a chain's end the values stay, and add up to 1.
            reached = torch.where(within, values @ steps * weight, values)
            sizes.append(reached.sum(-1, keepdim=True))
            values = reached / sizes[-1]
        logs = torch.stack(sizes).log().sum(0).transpose(0, 1).flatten()
        return (logs + (top.squeeze(-1) * mask).sum(0)).to(self.steps.dtype)


class Network(nn.Module):
    """(ids, mask, shapes) of windows to scores of tags and of labels; see `forward`."""

    def __init__(self, encoder: nn.Module, design: Design) -> None:
        super().__init__()
        scheme = design.scheme
        config: Any = encoder.config
        size = int(config.hidden_size)
        self.encoder = encoder
        self.groups, self.width = len(scheme.groups), scheme.width
        self.type_feature = design.type_feature
        labels = len(scheme.labels)
        # Which layers' outputs are worth how much (Peters et al. 2018, ELMo).
        self.mix = nn.Parameter(torch.zeros(int(config.num_hidden_layers) + 1))
        self.dropout = nn.Dropout(DROPOUT)
        self.types = nn.Linear(2 * size, labels)
        inputs = size + len(shapes.NAMES) + (labels if design.type_feature else 0)
        self.inner = nn.Linear(inputs, design.hidden)
        self.outer = nn.Linear(design.hidden, self.groups * self.width)
        self.skip = nn.Linear(labels, self.groups * self.width, bias=False)
        if not design.type_feature:
            del self.skip
        self.crf = GroupedCrf(scheme)
        missing = torch.from_numpy(~scheme.known()).float() * NEVER
        self.missing: torch.Tensor
        self.register_buffer("missing", missing.reshape(-1), persistent=False)
        with torch.no_grad():
            # Nearly every word is outside of everything; start there.
            self.outer.bias.view(self.groups, self.width)[:, 0] = 2.0

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, shapes: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, tokens, groups * width) scores of tags, and (n, labels) logits of a window's labels.

        `shapes` (n, tokens, features) describes the word that begins at a token.
        """
        layers = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True
        ).hidden_states
        share = torch.softmax(self.mix + self._last_first(), 0)
        hidden = sum(w * layer.float() for w, layer in zip(share, layers, strict=True))
        hidden = self.dropout(hidden)
        inside = attention_mask.unsqueeze(-1)
        mean = (hidden * inside).sum(1) / inside.sum(1).clamp(min=1)
        most = hidden.masked_fill(inside == 0, -1e4).amax(1)
        types = self.types(torch.cat([mean, most], -1)).float()
        parts = [hidden, shapes]
        if self.type_feature:
            feature = self.dropout(torch.sigmoid(types))
            parts.append(feature.unsqueeze(1).expand(-1, hidden.shape[1], -1))
        inner = self.dropout(functional.gelu(self.inner(torch.cat(parts, -1))))
        scores = self.outer(inner)
        if self.type_feature:
            scores = scores + self.skip(feature).unsqueeze(1)
        return scores.float() + self.missing, types

    def _last_first(self) -> torch.Tensor:
        """A start that prefers the upper layers, without forbidding any."""
        return torch.linspace(-3, 0, len(self.mix), device=self.mix.device)
