"""What a tagger learns from and what it finds: labelled pieces of a text, by character offsets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class LabelledSpan:
    """Characters `start` to `end` (excluded) that a person gave `label`."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True, order=True)
class FoundSpan:
    """Characters `start` to `end` (excluded) that a tagger gave `label`.

    `confidence` is the calibrated probability, 0 to 1, that exactly this span has this label.
    """

    start: int
    end: int
    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Example:
    """A text with everything that is to be found in it.

    `key` names the document that the text comes from: parts of one document never stand on both
    sides of a split. `relations` are pairs (head, tail) of places in `spans`.
    """

    key: str
    text: str
    spans: tuple[LabelledSpan, ...] = ()
    relations: tuple[tuple[int, int], ...] = ()
