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

Scored = tuple[Entry, float]
Floats = NDArray[np.float64]


def blended(order: Sequence[Scored], cross: Mapping[int, float], weight: float) -> list[Scored]:
    """The look's candidates by `together`; `order` is the ranker's, and stays among equals.

    `cross` has the cross-encoder's scores by chunk id, of those that were read. Entries gain the
    feature `cross`, NaN where they were not.
    """
    read = np.array([cross.get(entry.passage.chunk_id, math.nan) for entry, _ in order])
    values = together(np.array([score for _, score in order]), read, weight)
    places = np.argsort(-values, kind="stable")
    return [
        (replace(order[at][0], features=order[at][0].features | {"cross": float(read[at])}), score)
        for at, (_, score) in zip(places, order, strict=True)
    ]


def together(ranker: Floats, cross: Floats, weight: float) -> Floats:
    """The ranker's scores and `weight` times the cross-encoder's; NaN: not read.

    What was not read counts as the worst that was, since the ranker puts it behind all that was.
    """
    if np.isnan(cross).all():
        return ranker
    return np.asarray(ranker + weight * np.nan_to_num(cross, nan=float(np.nanmin(cross))))
