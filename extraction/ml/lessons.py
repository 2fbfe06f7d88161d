"""Examples as windows to learn from, in batches of one length, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from extraction.ml.settings import Design
from extraction.ml.shapes import NAMES, shapes
from extraction.ml.spans import Example
from extraction.ml.tags import TagScheme, tag_words
from extraction.ml.windows import Read, Reader, Window

# Batches that are sorted by length together: enough to pad little, few enough to stay shuffled.
SORTED_TOGETHER = 40


@dataclass(frozen=True, slots=True)
class Text:
    """One example, read: what its words look like (words, features) and are (words, groups)."""

    key: str
    read: Read
    shapes: NDArray[np.uint8]
    tags: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Lesson:
    """One window of a text; `labels` are places in the scheme's labels that occur in it."""

    text: int
    window: Window
    labels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of n windows; words are `picks` among the tokens, real where `inside`."""

    ids: torch.Tensor  # (n, tokens)
    mask: torch.Tensor  # (n, tokens)
    shapes: torch.Tensor  # (n, tokens, features)
    picks: torch.Tensor  # (n, words)
    inside: torch.Tensor  # (n, words)
    tags: torch.Tensor  # (n, words, groups)
    types: torch.Tensor  # (n, labels)
    opens: torch.Tensor  # (n): the window is its text's first

    def part(self, rows: slice) -> Batch:
        return Batch(*(getattr(self, name)[rows] for name in self.__slots__))

    def to(self, device: str) -> Batch:
        return Batch(*(getattr(self, name).to(device) for name in self.__slots__))

    def __len__(self) -> int:
        return len(self.ids)


class Lessons:
    """All windows of some examples; `notes` says which spans could not be learned, and why."""

    def __init__(self, examples: Sequence[Example], reader: Reader, design: Design) -> None:
        self.reader = reader
        self.scheme = design.scheme
        self.texts: list[Text] = []
        self.lessons: list[Lesson] = []
        self.notes: list[str] = []
        for example in examples:
            read = reader.read(example.text)
            tags, notes = tag_words(read, example.spans, self.scheme)
            self.notes += [f"{example.key}: {note}" for note in notes]
            text = Text(example.key, read, shapes(read).astype(np.uint8), tags.astype(np.int8))
            self.texts.append(text)
            for window in read.windows(design.length, design.stride):
                first, last = read.words_of(window)
                if first < last:
                    labels = occurring(text.tags[first:last], self.scheme)
                    self.lessons.append(Lesson(len(self.texts) - 1, window, labels))

    @property
    def labelled(self) -> list[Lesson]:
        return [lesson for lesson in self.lessons if lesson.labels]

    def limited(self, count: int, empty_share: float, seed: int) -> Lessons:
        """`count` windows that hold a label, `empty_share` that hold none for each, of one draw.

        Of the same seed, fewer are a part of more.
        """
        chance = random.Random(seed)  # noqa: S311
        holding = self.labelled
        empty = [lesson for lesson in self.lessons if not lesson.labels]
        for each in (holding, empty):
            chance.shuffle(each)
        kept = {id(each) for each in [*holding[:count], *empty[: int(count * empty_share)]]}
        found = copy(self)
        found.lessons = [lesson for lesson in self.lessons if id(lesson) in kept]
        return found

    def epoch(self, seed: int, batch: int, empty_share: float) -> list[list[Lesson]]:
        """Batches of one epoch: all windows with a label, and some of those without.

        `empty_share` windows without any label are drawn anew for each one that has some.
        """
        chance = random.Random(seed)  # noqa: S311
        holding = self.labelled
        empty = [lesson for lesson in self.lessons if not lesson.labels]
        wanted = min(len(empty), int(len(holding) * empty_share) if holding else len(empty))
        chosen = holding + chance.sample(empty, wanted)
        chance.shuffle(chosen)
        batches: list[list[Lesson]] = []
        together = batch * SORTED_TOGETHER
        for start in range(0, len(chosen), together):
            part = sorted(chosen[start : start + together], key=_length)
            batches += [part[at : at + batch] for at in range(0, len(part), batch)]
        chance.shuffle(batches)
        return batches

    def batch(self, lessons: Sequence[Lesson]) -> Batch:
        """The tensors of these windows."""
        reader, scheme = self.reader, self.scheme
        edge = len(reader.prefix)
        rows = [reader.rows(self.texts[each.text].read, each.window) for each in lessons]
        spans = [self.texts[each.text].read.words_of(each.window) for each in lessons]
        # Few different shapes, because a CPU prepares its kernels anew for each.
        tokens = _rounded(max(map(len, rows)))
        words = _rounded(max(last - first for first, last in spans))
        count = len(lessons)
        ids = np.full((count, tokens), reader.pad, dtype=np.int64)
        mask = np.zeros((count, tokens), dtype=np.int64)
        looks = np.zeros((count, tokens, len(NAMES)), dtype=np.float32)
        picks = np.zeros((count, words), dtype=np.int64)
        inside = np.zeros((count, words), dtype=bool)
        tags = np.zeros((count, words, len(scheme.groups)), dtype=np.int64)
        types = np.zeros((count, len(scheme.labels)), dtype=np.float32)
        for row, (lesson, (first, last)) in enumerate(zip(lessons, spans, strict=True)):
            text = self.texts[lesson.text]
            ids[row, : len(rows[row])] = rows[row]
            mask[row, : len(rows[row])] = 1
            at = text.read.firsts[first:last] - lesson.window.start + edge
            looks[row, at] = text.shapes[first:last]
            picks[row, : last - first] = at
            inside[row, : last - first] = True
            tags[row, : last - first] = text.tags[first:last]
            types[row, list(lesson.labels)] = 1
        opens = np.array([lesson.window.start == 0 for lesson in lessons])
        arrays = (ids, mask, looks, picks, inside, tags, types, opens)
        return Batch(*(torch.from_numpy(array) for array in arrays))


def occurring(tags: NDArray[np.int8], scheme: TagScheme) -> tuple[int, ...]:
    """Places among the scheme's labels of those that some word of (words, groups) has."""
    found: list[int] = []
    before = 0
    for group, labels in enumerate(scheme.groups):
        present = {(int(tag) - 1) // 2 for tag in np.unique(tags[:, group]) if tag}
        found += [before + within for within in sorted(present)]
        before += len(labels)
    return tuple(found)


def _rounded(count: int, step: int = 8) -> int:
    return -(-count // step) * step


def _length(lesson: Lesson) -> int:
    return lesson.window.end - lesson.window.start
