"""How good found spans are: strict and overlap F1, what is delivered unseen, and calibration.

Everything counts by document, so that each measure gets an interval by resampling documents. A
measure is a function of weights (documents,): how often each document counts.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from docintel.spans import Span
from extraction.ml.matching import LEAST_JACCARD, is_match
from extraction.ml.spans import FoundSpan, LabelledSpan

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Measure = Callable[[Floats], float]
Match = Literal["exact", "overlap"]
RESAMPLES = 1_000
BINS = 10
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Judged:
    """One text: what is in it, what was found (shown to people), and all that was ranked.

    `key` names the document that the text comes from; several texts may have one.
    """

    key: str
    text: str
    gold: tuple[LabelledSpan, ...]
    found: tuple[FoundSpan, ...]
    ranked: tuple[FoundSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with the number of things it was made of and its 95 % interval by document."""

    value: float
    n: int
    interval: tuple[float, float]


def estimate(measure: Measure, documents: int, n: int, seed: int = 0) -> Estimate:
    """The measure with its bootstrap interval (percentiles of 1,000 resamples of documents).

    (nan, nan) where no resample has a value.
    """
    value = measure(np.ones(documents))
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(RESAMPLES if documents else 0):
        drawn = generator.integers(0, documents, documents)
        found.append(measure(np.bincount(drawn, minlength=documents).astype(np.float64)))
    defined = [each for each in found if math.isfinite(each)]
    if not defined:
        return Estimate(value, n, (math.nan, math.nan))
    low, high = np.percentile(defined, [2.5, 97.5])
    return Estimate(value, n, (float(low), float(high)))


def documents_of(judged: Sequence[Judged]) -> Ints:
    """The number of each text's document, from 0 in order of appearance: (texts,)."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(each.key, len(numbers)) for each in judged], dtype=np.int64)


def strict_counts(judged: Sequence[Judged], label: str | None = None) -> Ints:
    """(texts, 3): right, found and gold spans; right is the same words with the same label.

    This is what seqeval counts, strict with IOB2, on words parted by white space; where labels
    nest, as if each label had a sequence of its own.
    """
    rows = []
    for each in judged:
        starts, ends = words_of(each.text)
        gold = {by_words(s, starts, ends) for s in each.gold if label in (None, s.label)}
        found = {by_words(s, starts, ends) for s in each.found if label in (None, s.label)}
        rows.append((len(gold & found), len(found), len(gold)))
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def overlap_counts(judged: Sequence[Judged], label: str | None = None) -> Ints:
    """(texts, 3) as `strict_counts`; right is a pair of one label with Jaccard of 0.5 or more.

    Jaccard is that of characters. Each span is in one pair at most, the greatest Jaccard first.
    """
    rows = []
    for each in judged:
        gold = sorted({s for s in each.gold if label in (None, s.label)})
        found = sorted({(s.start, s.end, s.label) for s in each.found if label in (None, s.label)})
        pairs = sorted(
            (-jaccard, at, to)
            for at, one in enumerate(gold)
            for to, other in enumerate(found)
            if one.label == other[2]
            and (jaccard := Span(one.start, one.end).jaccard(Span(*other[:2]))) >= LEAST_JACCARD
        )
        used: set[tuple[str, int]] = set()
        right = 0
        for _, at, to in pairs:
            if ("gold", at) not in used and ("found", to) not in used:
                used |= {("gold", at), ("found", to)}
                right += 1
        rows.append((right, len(found), len(gold)))
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def f1(counts: Ints, documents: Ints) -> Measure:
    """Micro F1 of counts (texts, 3); nan where nothing was to be found and nothing was found."""
    table = summed(counts, documents)

    def measure(weights: Floats) -> float:
        right, found, gold = weights @ table
        return float(2 * right / (found + gold)) if found + gold else math.nan

    return measure


def summed(counts: NDArray[np.generic], documents: Ints) -> Floats:
    """Rows of texts added up to rows of documents."""
    table = np.zeros((int(documents.max(initial=-1)) + 1, counts.shape[1]))
    np.add.at(table, documents, counts)
    return table


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Found spans of all texts: confidence, whether right, whether delivered, document: (n,)."""

    confidence: Floats
    right: NDArray[np.bool_]
    delivered: NDArray[np.bool_]
    document: Ints

    def __len__(self) -> int:
        return len(self.confidence)

    def accuracy(self, weights: Floats) -> float:
        """Of what is delivered without review, the share that is right; nan for nothing."""
        weight = weights[self.document] * self.delivered
        return float(weight @ self.right / weight.sum()) if weight.sum() else math.nan

    def coverage(self, weights: Floats) -> float:
        """Of what is found, the share that is delivered without review; nan for nothing."""
        weight = weights[self.document]
        return float(weight @ self.delivered / weight.sum()) if weight.sum() else math.nan

    def calibration_error(self, weights: Floats) -> float:
        """Expected calibration error (Naeini et al. 2015), ten bins of equal width."""
        weight = weights[self.document]
        if not weight.sum():
            return math.nan
        place = np.minimum((self.confidence * BINS).astype(int), BINS - 1)
        told = np.bincount(place, weight * self.confidence, minlength=BINS)
        was = np.bincount(place, weight * self.right, minlength=BINS)
        return float(np.abs(told - was).sum() / weight.sum())


def verdicts(
    judged: Sequence[Judged],
    deliver_at: Callable[[str], float],
    match: Match,
    contained: Iterable[str] = (),
) -> Verdicts:
    """Each found span judged: right exactly (same words), or by `is_match` with a gold span."""
    documents = documents_of(judged)
    whole = frozenset(contained)
    rows = []
    for number, each in zip(documents.tolist(), judged, strict=True):
        starts, ends = words_of(each.text)
        gold = {by_words(span, starts, ends) for span in each.gold}
        for span in each.found:
            if match == "exact":
                right = by_words(span, starts, ends) in gold
            else:
                right = any(matches(each.text, one, span, whole) for one in each.gold)
            rows.append((span.confidence, right, span.confidence >= deliver_at(span.label), number))
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    return Verdicts(
        table[:, 0], table[:, 1].astype(bool), table[:, 2].astype(bool), table[:, 3].astype(int)
    )


def average_precision(found: Verdicts, gold: int) -> float:
    """Mean over the gold spans of the precision where each is found; 0 for what is not."""
    right = found.right[np.argsort(-found.confidence, kind="stable")]
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    # Two found spans may match one gold span.
    return min(1.0, float((precision * right).sum()) / gold) if gold else math.nan


def matches(
    text: str, gold: LabelledSpan, found: LabelledSpan | FoundSpan, contained: frozenset[str]
) -> bool:
    """Whether both have one label and their texts match as CUAD's paper has it; see `is_match`."""
    return gold.label == found.label and is_match(
        text[gold.start : gold.end], text[found.start : found.end], gold.label in contained
    )


def words_of(text: str) -> tuple[list[int], list[int]]:
    """Where the words, parted by white space, begin and end."""
    words = [match.span() for match in _WORD.finditer(text)]
    return [start for start, _ in words], [end for _, end in words]


def by_words(
    span: LabelledSpan | FoundSpan, starts: Sequence[int], ends: Sequence[int]
) -> tuple[int, int, str]:
    """The first word that it touches, the one behind the last, and its label."""
    return bisect_right(ends, span.start), bisect_left(starts, span.end), span.label


def by_label(judged: Sequence[Judged], labels: Iterable[str]) -> Mapping[str, dict[str, float]]:
    """Strict and overlap F1 of each label that is there or was found, with the gold spans."""
    documents = documents_of(judged)
    found = {}
    for label in labels:
        strict, overlap = strict_counts(judged, label), overlap_counts(judged, label)
        if strict[:, 1:].any():
            one = np.ones(int(documents.max(initial=-1)) + 1)
            found[label] = {
                "strict": f1(strict, documents)(one),
                "overlap": f1(overlap, documents)(one),
                "gold": int(strict[:, 2].sum()),
                "found": int(strict[:, 1].sum()),
            }
    return found
