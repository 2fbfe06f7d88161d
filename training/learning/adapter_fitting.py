"""The training of a LoRA adapter in PyTorch, whatever it is for, with a checkpoint to resume by."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch

# The first blocks read words, which is what the embedder can already.
FROZEN_BLOCKS = 2
CHECKPOINT_SECONDS = 120.0
WARM_UP = 0.05
SAID_EVERY = 20

Step = Sequence[tuple[str, Sequence[str]]]
Say = Callable[[str, float], None]


class AdapterFitting(ABC):
    """A model in training; `at` is the number of steps behind it."""

    def __init__(self, model: torch.nn.Module, checkpoint: Path, device: str) -> None:
        self.model = model
        self.checkpoint = checkpoint
        self.device = device
        self.at = 0

    def begin(self, groups: Sequence[tuple[Iterable[torch.nn.Parameter], float]]) -> None:
        """Train these parameters, each group at its rate; goes on from the checkpoint if it is
        there."""
        self.rates = [rate for _, rate in groups]
        self.optimizer = torch.optim.AdamW(
            [{"params": list(parameters), "lr": rate} for parameters, rate in groups],
            weight_decay=0.01,
        )
        if self.checkpoint.exists():
            self._resume()

    def fit(
        self,
        steps: Iterable[Step],
        total: int,
        say: Say,
        *,
        seconds: float | None = None,
        within: float | None = None,
    ) -> bool:
        """Whether the training is done; else the checkpoint has what is.

        It pauses after `seconds`. With `within` it ends after so many seconds at the latest, the
        learning rate falling to zero by then. `say` is told a line and the share that is done.
        """
        started = saved = time.monotonic()
        losses: list[float] = []
        for step in steps:
            passed = time.monotonic() - started
            if within is not None and passed >= within:
                total = self.at
                break
            self._set_rates(total, 0.0 if within is None else passed / within)
            losses.append(self._learn(step))
            self.at += 1
            now = time.monotonic()
            if self.at % SAID_EVERY == 0:
                mean = sum(losses[-100:]) / len(losses[-100:])
                line = f"step {self.at} of {total}, loss {mean:.4f}, {now - started:.0f} s"
                share = 0.0 if within is None else (now - started) / within
                say(line, max(self.at / total, share))
            over = seconds is not None and now - started > seconds
            if over or now - saved > CHECKPOINT_SECONDS:
                self._save()
                saved = now
            if over:
                break
        self._save()
        return self.at >= total

    @abstractmethod
    def loss(self, step: Step) -> torch.Tensor:
        """Of questions, each with its texts, of which the first answers it."""

    def _learn(self, step: Step) -> float:
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(step)
        loss.backward()
        trained = [p for g in self.optimizer.param_groups for p in g["params"]]
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        self.optimizer.step()
        return float(loss.detach())

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


def chosen_device(device: str) -> str:
    """cuda or cpu, of "auto" the better."""
    cuda = device == "cuda" or (device == "auto" and torch.cuda.is_available())
    return "cuda" if cuda else "cpu"


def trainable(model: torch.nn.Module) -> list[torch.nn.Parameter]:
    return [parameter for parameter in model.parameters() if parameter.requires_grad]
