"""Features told relative to the candidates of their look, so that a ranker that learned from one
encoder's cosines reads another's; pure.

Trap: a learned ranker is bound to these names, as to those of `ranking_features`, and to the bound
below which a passage's shape is not told.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from qa.ranking.unit_features import Row

COSINES = ("dense", "dense_left", "unit", "unit_two", "unit_mean")
GAPS = ("dense_gap", "dense_left_gap", "unit_gap", "unit_two_gap")
SHAPE = ("n_tokens", "figures", "position", "is_primary", "is_other_statement")
# What these replace; the raw ones stay for rankers that know no others.
ABSOLUTE = frozenset((*COSINES, *GAPS, *SHAPE))
RELATIVE = "_z"
TOLD = "told_"
# Where no candidate has more of the question's words, it is put in other words than the passages,
# and how long or how full of figures one is tells the kind of document rather than the answer.
OWN_WORDS = 0.7
FEWEST = 3
LEAST_SPREAD = 1e-6


def add_relative(rows: Sequence[Row]) -> None:
    """To the features of all candidates of one look, those that compare them.

    A cosine in standard deviations from their mean, a gap to the nearest in standard deviations;
    the shape of a passage where the question asks for a metric or uses the passages' words. NaN
    where that cannot be said.
    """
    for name in COSINES:
        values = np.array([row.get(name, math.nan) for row in rows])
        mean, spread = _spread(values)
        for row in rows:
            if name in row:
                row[name + RELATIVE] = (row[name] - mean) / spread
            if (gap := f"{name}_gap") in row:
                row[gap + RELATIVE] = row[gap] / spread
    for row in rows:
        told = row["metrics_asked"] > 0 or row["best_word_coverage"] >= OWN_WORDS
        for name in SHAPE:
            row[TOLD + name] = row[name] if told else math.nan


def _spread(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of what is known; NaN where it is too little, or all alike."""
    known = values[np.isfinite(values)]
    if len(known) < FEWEST:
        return math.nan, math.nan
    spread = float(known.std())
    return float(known.mean()), spread if spread > LEAST_SPREAD else math.nan
