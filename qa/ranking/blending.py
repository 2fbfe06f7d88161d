"""One order of a look's candidates from the ranker's scores and the cross-encoder's.

Each place keeps the score that the ranker gave to it, so that scores mean what they did.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from qa.ranking.candidates import Entry
from qa.ranking.repeating import repeats_last
from qa.ranking.unit_features import Row

Scored = tuple[Entry, float]
Floats = NDArray[np.float64]

# A question of whose words no candidate has more is put in other words than what answers it.
# Chosen on development questions, see docs/results.md.
FEW_WORDS = 0.5


def first_order(order: Sequence[Scored]) -> list[Scored]:
    """The candidates as a cross-encoder is to read them; `order` is the ranker's."""
    unread = np.full(len(order), math.nan)
    return _settled([order[at] for at in _places(order, unread, 0.0)])


def blended(order: Sequence[Scored], cross: Mapping[int, float], weight: float) -> list[Scored]:
    """The look's candidates by all opinions; `order` is the first one, and stays among equals.

    `cross` has the cross-encoder's scores by chunk id, of those that were read. Entries gain the
    feature `cross`, NaN where they were not.
    """
    read = np.array([cross.get(entry.passage.chunk_id, math.nan) for entry, _ in order])
    told = [
        (replace(entry, features=entry.features | {"cross": float(said)}), score)
        for (entry, score), said in zip(order, read, strict=True)
    ]
    settled = _settled([told[at] for at in _places(order, read, weight)])
    best_first = sorted((score for _, score in order), reverse=True)
    return [(entry, score) for (entry, _), score in zip(settled, best_first, strict=True)]


def together(ranker: Floats, cross: Floats, weight: float) -> Floats:
    """The ranker's scores and `weight` times the cross-encoder's; NaN: not read.

    What was not read counts as the worst that was, since the ranker puts it behind all that was.
    """
    if np.isnan(cross).all():
        return ranker
    return np.asarray(ranker + weight * np.nan_to_num(cross, nan=float(np.nanmin(cross))))


def _places(order: Sequence[Scored], cross: Floats, weight: float) -> NDArray[np.intp]:
    rows = [entry.features for entry, _ in order]
    scores = np.array([score for _, score in order], dtype=np.float64)
    values = together(scores, cross, weight)
    if not _is_in_other_words(rows):
        return np.argsort(-values, kind="stable")
    # Without its names such a question is as near to what is said of others.
    inside = np.array([row["inside"] for row in rows])
    return np.lexsort((-values, -inside))


def _is_in_other_words(rows: Sequence[Row]) -> bool:
    """Whether these candidates of one look hold few of the question's words, and no metric is
    asked for, whose line items tell more than words do."""
    first = next(iter(rows), None)
    return (
        first is not None
        and first["metrics_asked"] == 0
        and first["best_word_coverage"] <= FEW_WORDS
    )


def _settled(order: list[Scored]) -> list[Scored]:
    """With repeats last, unless a metric is asked for: a statement shares most of its figures with
    the next year's, and either may have the one that is lacking."""
    asked = bool(order) and order[0][0].features["metrics_asked"] > 0
    return order if asked else repeats_last(order)
