"""The training of a cross-encoder's adapter and head in PyTorch, with a checkpoint to resume by."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from docintel.inference.ml import adapters
from docintel.inference.ml.cross_encoder import CrossEncoder
from docintel.inference.ml.packing import pack
from training.learning.reranker import (
    ALPHA,
    CHECKPOINT_SECONDS,
    FROZEN_BLOCKS,
    HEAD_RATE,
    RANK,
    RATE,
    TOKENS,
    WARM_UP,
)

Pairs = list[tuple[str, list[str]]]
BUDGET = 6_144
SAID_EVERY = 20


class Fitting:
    """A model in training; `at` is the number of steps behind it."""

    def __init__(self, folder: Path, checkpoint: Path, device: str = "auto") -> None:
        torch.manual_seed(7)
        cuda = device == "cuda" or (device == "auto" and torch.cuda.is_available())
        self.device = "cuda" if cuda else "cpu"
        self.checkpoint = checkpoint
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(TOKENS, strategy="only_second")
        self.model = CrossEncoder(folder)
        blocks = range(FROZEN_BLOCKS, self.model.encoder.config.num_hidden_layers)
        self.model.encoder = adapters.attach(
            self.model.encoder, rank=RANK, alpha=ALPHA, blocks=blocks
        ).eval()
        self.model.to(self.device)
        head = [*self.model.head.parameters(), self.model.nearness]
        lora = [p for p in self.model.encoder.parameters() if p.requires_grad]
        self.rates = (RATE, HEAD_RATE)
        self.optimizer = torch.optim.AdamW(
            [{"params": lora, "lr": RATE}, {"params": head, "lr": HEAD_RATE}], weight_decay=0.01
        )
        self.at = 0
        if checkpoint.exists():
            self._resume()

    def fit(
        self,
        groups: Iterable[Pairs],
        total: int,
        *,
        seconds: float | None = None,
        within: float | None = None,
    ) -> bool:
        """Whether the training is done; else the checkpoint has what is.

        It pauses after `seconds`. With `within` it ends after so many seconds at the latest, the
        learning rate falling to zero by then.
        """
        started = saved = time.monotonic()
        losses: list[float] = []
        for group in groups:
            passed = time.monotonic() - started
            if within is not None and passed >= within:
                total = self.at
                break
            self._set_rates(total, 0.0 if within is None else passed / within)
            losses.append(self._step(group))
            self.at += 1
            now = time.monotonic()
            if self.at % SAID_EVERY == 0:
                mean = sum(losses[-100:]) / len(losses[-100:])
                line = f"step {self.at} of {total}, loss {mean:.4f}, {now - started:.0f} s"
                print(line, file=sys.stderr, flush=True)
            over = seconds is not None and now - started > seconds
            if over or now - saved > CHECKPOINT_SECONDS:
                self._save()
                saved = now
            if over:
                break
        self._save()
        return self.at >= total

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

    def _step(self, group: Pairs) -> float:
        """Cross entropy of the right passage among those of its question."""
        pairs = [(question, passage) for question, passages in group for passage in passages]
        self.optimizer.zero_grad(set_to_none=True)
        scores = self._scores(pairs)
        loss, first = torch.zeros((), device=self.device), 0
        for _, passages in group:
            own = scores[first : first + len(passages)]
            loss = loss - torch.log_softmax(own, dim=0)[0]
            first += len(passages)
        loss = loss / len(group)
        loss.backward()
        trained = [p for g in self.optimizer.param_groups for p in g["params"]]
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        self.optimizer.step()
        return float(loss.detach())

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

    def _set_rates(self, total: int, passed: float) -> None:
        """Up over the first steps, then down as a cosine, by steps or time, whichever is ahead."""
        warm = max(1, int(total * WARM_UP))
        share = min(1.0, (self.at + 1) / warm)
        if self.at > warm:
            progress = max(passed, (self.at - warm) / (total - warm))
            share = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * share

    def _trained(self) -> dict[str, Any]:
        return {k: v for k, v in self.model.named_parameters() if v.requires_grad}

    def _save(self) -> None:
        state = {
            "at": self.at,
            "model": {k: v.detach().cpu() for k, v in self._trained().items()},
            "optimizer": self.optimizer.state_dict(),
        }
        temporary = self.checkpoint.with_suffix(".part")
        torch.save(state, temporary)
        temporary.replace(self.checkpoint)

    def _resume(self) -> None:
        state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        self.at = int(state["at"])
        named = self._trained()
        with torch.no_grad():
            for name, value in state["model"].items():
                named[name].copy_(value)
        self.optimizer.load_state_dict(state["optimizer"])
