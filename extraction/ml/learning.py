"""The loop that trains a network on lessons: seeded, resumable to the step, and quick on a CPU.

bf16 where the device has it; when a GPU's memory does not hold a batch, it is taken in halves from
then on, with the same result.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from docintel.inference.ml.openvino import has_bf16
from extraction.ml.checkpoints import Checkpoint, read_checkpoint, trained, write_checkpoint
from extraction.ml.crf import NEVER
from extraction.ml.lessons import Batch, Lesson, Lessons
from extraction.ml.network import Network
from extraction.ml.settings import Design


@dataclass(frozen=True, slots=True)
class Course:
    """How long and how hard to learn.

    `rate` is the encoder's highest learning rate, `head_rate` that of all that is new.
    `empty_share`: windows without a label for each with one. `limit`: windows with a label to
    learn from, 0 for all. `word_dropout`: share of tokens that are masked. `patience`: after
    so many epochs without a lower loss of what is left out no more are learned; 0 learns them all.
    A kill loses at most `checkpoint_seconds`.
    """

    epochs: int = 10
    batch: int = 32
    rate: float = 5e-4
    head_rate: float = 1e-3
    seed: int = 7
    empty_share: float = 1.0
    type_weight: float = 1.0
    word_dropout: float = 0.0
    limit: int = 0
    patience: int = 0
    device: str = "cpu"
    checkpoint_seconds: float = 60.0


@dataclass(slots=True)
class Progress:
    """What a watcher is told after each step."""

    epoch: int
    step: int
    steps: int
    loss: float
    windows_per_second: float


@dataclass(slots=True)
class History:
    """Losses by step (a mean of ten steps each) and notes of what happened.

    `left_out`: the mean loss of what is left out, after each epoch.
    """

    losses: list[tuple[int, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left_out: list[float] = field(default_factory=list)


Watch = Callable[[Progress], None]


class Learner:
    """One run of training; `run` may be called again after a kill and goes on where it was.

    With `left_out` the network ends as it was after the epoch where the loss of those was lowest.
    """

    def __init__(
        self,
        network: Network,
        lessons: Lessons,
        design: Design,
        course: Course,
        work: Path | None,
        *,
        left_out: Lessons | None = None,
    ) -> None:
        self.network = network.to(course.device)
        self.lessons, self.design, self.course, self.work = lessons, design, course, work
        self.left_out = left_out
        self.best: dict[str, torch.Tensor] = {}
        self.micro = course.batch
        self.history = History()
        self.weights = self._type_weights().to(course.device)
        self.optimiser = self._optimiser()
        self.mask_id = lessons.reader.tokenizer.token_to_id("[MASK]")
        if self.mask_id is None:
            self.mask_id = lessons.reader.tokenizer.token_to_id("<mask>")

    def run(self, watch: Watch) -> History:
        """Train to the end, with checkpoints; the last one stands at the end."""
        course = self.course
        plan = [self._epoch(number) for number in range(course.epochs)]
        total = sum(map(len, plan))
        done = self._resume()
        saved, begun, seen, step = time.monotonic(), time.monotonic(), 0, 0
        running: list[float] = []
        self.network.train()
        for number, batches in enumerate(plan):
            if self._is_done():
                break
            for lessons in batches:
                step += 1
                if step <= done:
                    continue
                loss = self._step(lessons, step, total)
                running.append(loss)
                seen += len(lessons)
                if len(running) == 10 or step == total:
                    self.history.losses.append((step, sum(running) / len(running)))
                    running = []
                speed = seen / max(time.monotonic() - begun, 1e-9)
                watch(Progress(number + 1, step, total, loss, speed))
                if time.monotonic() - saved >= course.checkpoint_seconds:
                    self._save(step)
                    saved = time.monotonic()
            if self.left_out and len(self.history.left_out) == number:
                self._look(self.left_out)
        self._restore()
        if step > done:
            self._save(step)
        self.network.eval()
        return self.history

    def _is_done(self) -> bool:
        losses, patience = self.history.left_out, self.course.patience
        if not losses or not patience:
            return False
        return len(losses) - 1 - losses.index(min(losses)) >= patience

    def _look(self, left_out: Lessons) -> None:
        """Note the loss of what is left out, and keep the weights if it was never lower."""
        course = self.course
        self.network.eval()
        batches = left_out.epoch(course.seed, course.batch, course.empty_share)
        with torch.inference_mode():
            losses = [len(each) * float(self._loss(left_out.batch(each))) for each in batches]
        self.network.train()
        self.history.left_out.append(sum(losses) / max(1, sum(map(len, batches))))
        if self.history.left_out[-1] == min(self.history.left_out):
            parts = trained(self.network)
            self.best = {name: part.detach().clone() for name, part in parts.items()}

    def _restore(self) -> None:
        parts = trained(self.network)
        with torch.no_grad():
            for name, kept in self.best.items():
                parts[name].copy_(kept)

    def _epoch(self, number: int) -> list[list[Lesson]]:
        course = self.course
        seed = course.seed * 1_000_003 + number
        return self.lessons.epoch(seed, course.batch, course.empty_share)

    def _step(self, lessons: list[Lesson], step: int, total: int) -> float:
        # Each step has a seed of its own, so that a resumed run drops out what the first would.
        torch.manual_seed(self.course.seed * 1_000_003 + step)
        scale = schedule(step, total)
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * scale
        batch = self.lessons.batch(lessons)
        while True:
            try:
                loss = self._gradients(batch)
                break
            except torch.cuda.OutOfMemoryError:
                self.optimiser.zero_grad(set_to_none=True)
                if self.micro == 1:
                    raise
                self.micro = max(1, self.micro // 2)
                torch.cuda.empty_cache()
                self.history.notes.append(
                    f"Step {step}: out of memory; from here on {self.micro} windows at a time."
                )
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        return loss

    def _gradients(self, batch: Batch) -> float:
        """Gradients of the mean loss, summed over parts that memory holds; the loss."""
        total = 0.0
        for start in range(0, len(batch), self.micro):
            part = batch.part(slice(start, start + self.micro))
            loss = self._loss(part) * (len(part) / len(batch))
            loss.backward()
            total += float(loss.detach())
        return total

    def _loss(self, batch: Batch) -> torch.Tensor:
        kind = "cuda" if self.course.device.startswith("cuda") else "cpu"
        half = kind == "cuda" or has_bf16()
        batch = batch.to(self.course.device)
        ids = self._masked(batch) if self.network.training else batch.ids
        with torch.autocast(kind, torch.bfloat16, enabled=half):
            scores, types = self.network(ids, batch.mask, batch.shapes)
        return self.loss(scores, types, batch)

    def loss(self, scores: torch.Tensor, types: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Mean over windows of -log p(tags) plus the classifier's weighted cross entropy."""
        found = functional.binary_cross_entropy_with_logits(
            types, batch.types, pos_weight=self.weights
        )
        tagging = tagging_loss(self.network, scores, batch, crf=self.design.crf)
        return tagging + self.course.type_weight * found * batch.types.shape[1]

    def _masked(self, batch: Batch) -> torch.Tensor:
        if not self.course.word_dropout or self.mask_id is None:
            return batch.ids
        chance = torch.rand(batch.ids.shape, device=batch.ids.device)
        reader = self.lessons.reader
        lost = (chance < self.course.word_dropout) & (batch.mask == 1)
        lost[:, : len(reader.prefix)] = False
        return batch.ids.masked_fill(lost, self.mask_id)

    def _type_weights(self) -> torch.Tensor:
        """How much more a window that holds a label counts than one that does not, per label."""
        lessons = self.lessons.labelled
        held = torch.zeros(len(self.lessons.scheme.labels))
        for lesson in lessons:
            held[list(lesson.labels)] += 1
        every = len(lessons) * (1 + self.course.empty_share)
        return ((every - held) / held.clamp(min=1)).clamp(1, 100).sqrt()

    def _optimiser(self) -> torch.optim.Optimizer:
        course = self.course
        groups: dict[tuple[float, float], list[nn.Parameter]] = {}
        for name, part in self.network.named_parameters():
            if not part.requires_grad:
                continue
            rate = course.rate if name.startswith("encoder.") else course.head_rate
            rate = 10 * course.head_rate if name in {"mix", "crf.steps"} else rate
            decay = 0.01 if part.ndim > 1 and name != "crf.steps" else 0.0
            groups.setdefault((rate, decay), []).append(part)
        parts: list[dict[str, Any]] = [
            {"params": members, "weight_decay": decay, "peak": rate}
            for (rate, decay), members in sorted(groups.items(), key=lambda each: each[0])
        ]
        return torch.optim.AdamW(parts, lr=course.rate, betas=(0.9, 0.98))

    def _save(self, step: int) -> None:
        if self.work is not None:
            told = self.history
            state = Checkpoint(step, self.micro, told.losses, told.notes, told.left_out, self.best)
            write_checkpoint(self.work, state, self.network, self.optimiser)

    def _resume(self) -> int:
        found = read_checkpoint(self.work, self.network, self.optimiser) if self.work else None
        if found is None:
            return 0
        self.micro = found.micro
        notes = [*found.notes, f"Resumed after step {found.step}."]
        self.history, self.best = History(found.losses, notes, found.left_out), found.best
        return found.step


def tagging_loss(
    network: Network, scores: torch.Tensor, batch: Batch, *, crf: bool
) -> torch.Tensor:
    """Mean over windows of the negative log likelihood of all their words' tags, groups summed."""
    count, words, groups = batch.tags.shape
    width = network.width
    wide = batch.picks.unsqueeze(2).expand(-1, -1, scores.shape[2])
    picked = scores.gather(1, wide).view(count, words, groups, width)
    chains = picked.permute(1, 0, 2, 3).reshape(words, count * groups, width)
    tags = batch.tags.permute(1, 0, 2).reshape(words, count * groups)
    inside = batch.inside.t().repeat_interleave(groups, 1)
    if not crf:
        lost = functional.cross_entropy(
            chains.reshape(-1, width), tags.reshape(-1), reduction="none"
        )
        return (lost.view_as(tags) * inside).sum() / count
    # A text's first word continues nothing; elsewhere a window may begin within a span.
    continues = torch.arange(width, device=scores.device) % 2 == 0
    continues[0] = False
    opens = batch.opens.repeat_interleave(groups)[:, None] & continues
    chains = torch.cat([chains[:1].masked_fill(opens, NEVER), chains[1:]])
    network.crf.prepare(count, scores.device)
    return -network.crf(chains, tags, inside, reduction="sum") / count


def schedule(step: int, total: int) -> float:
    """Share of the highest rate: up over a tenth of the steps, then down along a cosine."""
    warm = max(1, total // 10)
    if step <= warm:
        return step / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))
