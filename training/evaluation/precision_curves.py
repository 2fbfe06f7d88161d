"""Precision against recall over confidence, as CUAD's paper measures it (Hendrycks et al. 2021).

A gold span is found at a threshold if a span of its label, in its document, with that confidence
or more matches it (`matching.is_match`); a found span that matches no gold span is wrong; one
text found twice in a document counts once. Precision is found / (found + wrong), so several spans
that match one gold span count once. Precision is raised to the best at any higher recall, the
curve begins at (0, 1), and its area ends at the greatest recall reached.

Differences from the paper's code: every confidence is a threshold, not 101 of a grid; and of one
text found twice the greater confidence counts, not the last. The paper's published numbers pool
all labels (`pooled`); the mean over labels (`macro`) weighs rare clauses as much as common ones.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from extraction.ml.spans import FoundSpan
from training.evaluation.span_scores import Floats, Ints, Judged, Measure, documents_of, matches


@dataclass(frozen=True, slots=True)
class Curve:
    """Events in falling confidence: a gold span is found, or a span was found that is none.

    `gold` has the gold spans of each document (documents,).
    """

    confidence: Floats
    is_right: NDArray[np.bool_]
    document: Ints
    gold: Floats

    def points(self, weights: Floats) -> tuple[Floats, Floats]:
        """Recalls, ascending from 0, and precisions made never to rise with them."""
        weight = weights[self.document]
        right = np.cumsum(weight * self.is_right)
        wrong = np.cumsum(weight * ~self.is_right)
        # At a threshold all spans of one confidence are in; only the last of them is a point.
        last = np.append(self.confidence[1:] != self.confidence[:-1], True)[: len(right)]
        last &= right + wrong > 0
        total = float(weights @ self.gold)
        recalls = np.concatenate([[0.0], right[last] / total if total else []])
        precisions = np.concatenate(
            [[1.0], right[last] / (right[last] + wrong[last]) if total else []]
        )
        return recalls, np.maximum.accumulate(precisions[::-1])[::-1]

    def area(self, weights: Floats) -> float:
        """Area under the curve, by trapezoids; nan without a gold span."""
        if not weights @ self.gold:
            return math.nan
        recalls, precisions = self.points(weights)
        return float(np.trapezoid(precisions, recalls))

    def precision_at(self, recall: float) -> Measure:
        """The best precision with at least this recall, 0 where it is never reached."""

        def measure(weights: Floats) -> float:
            if not weights @ self.gold:
                return math.nan
            recalls, precisions = self.points(weights)
            reached = np.flatnonzero(recalls >= recall - 1e-12)
            return float(precisions[reached[0]]) if len(reached) else 0.0

        return measure


def curves(
    judged: Sequence[Judged], labels: Iterable[str], contained: Iterable[str] = ()
) -> dict[str, Curve]:
    """The curve of each label that has a gold span."""
    wanted = list(labels)
    whole = frozenset(contained)
    documents = documents_of(judged)
    count = int(documents.max(initial=-1)) + 1
    events: dict[str, list[tuple[float, bool, int]]] = defaultdict(list)
    gold = {label: np.zeros(count) for label in wanted}
    for number, each in zip(documents.tolist(), judged, strict=True):
        ranked = _once(each)
        for span in each.gold:
            if span.label not in gold:
                continue
            gold[span.label][number] += 1
            same = (other for other in ranked if matches(each.text, span, other, whole))
            best = max((other.confidence for other in same), default=None)
            if best is not None:
                events[span.label].append((best, True, number))
        for other in ranked:
            if not any(matches(each.text, span, other, whole) for span in each.gold):
                events[other.label].append((other.confidence, False, number))
    return {label: _curve(events[label], gold[label]) for label in wanted if gold[label].any()}


def pooled(found: Iterable[Curve], documents: int) -> Curve:
    """One curve of all labels together, every gold span weighing the same."""
    parts = list(found)
    rows = [
        row
        for part in parts
        for row in zip(part.confidence, part.is_right, part.document, strict=True)
    ]
    return _curve(rows, sum((part.gold for part in parts), np.zeros(documents)))


def macro(found: Iterable[Curve]) -> Measure:
    """The mean of the labels' areas; a label without gold in a resample is left out of it."""
    parts = list(found)

    def measure(weights: Floats) -> float:
        areas = [area for part in parts if math.isfinite(area := part.area(weights))]
        return float(np.mean(areas)) if areas else math.nan

    return measure


def macro_precision_at(found: Iterable[Curve], recall: float) -> Measure:
    """The mean of the labels' precisions at this recall."""
    parts = [part.precision_at(recall) for part in found]

    def measure(weights: Floats) -> float:
        values = [value for part in parts if math.isfinite(value := part(weights))]
        return float(np.mean(values)) if values else math.nan

    return measure


def _once(judged: Judged) -> list[FoundSpan]:
    """Of spans with one label and text, the most confident."""
    best: dict[tuple[str, str], FoundSpan] = {}
    for span in judged.ranked:
        key = (span.label, judged.text[span.start : span.end])
        if key not in best or best[key].confidence < span.confidence:
            best[key] = span
    return list(best.values())


def _curve(rows: Iterable[tuple[float, bool, int]], gold: Floats) -> Curve:
    ordered = sorted(rows, key=lambda row: -row[0])
    return Curve(
        np.array([row[0] for row in ordered], dtype=np.float64),
        np.array([row[1] for row in ordered], dtype=bool),
        np.array([row[2] for row in ordered], dtype=np.int64),
        gold,
    )
