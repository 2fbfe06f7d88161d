"""Weights of the feed's formula that suit given grades best and stay near those set by hand.

Pure. Trap: the grades are those of a simulated firm, so what comes out is a starting point that
ships, and no model of anybody's reading.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]

from feed.ml.facts import Floats
from feed.ml.features import NAMES
from feed.ml.formula import BY_HAND
from feed.ml.freshness import HALF_LIFE

# What a standard deviation away from the weights by hand costs, squared, beside a list's loss.
NEARNESS = 0.1
# A feature that hardly varies in the simulation is not to be moved by it.
LEAST_SPREAD = 0.02
# Of its weight by hand a feature keeps this share: made-up people cannot say that it is good for
# nothing, as where they follow nearly all they want, reading has nothing left to tell.
LEAST_KEPT = 0.2


@dataclass(frozen=True, slots=True)
class Lists:
    """n documents in lists, one after another (`query` starts at 0 and rises by 1).

    `grade` from 0; `times` says for how many documents like it a row stands, as most of those that
    nobody wants may be left out. `age` in days.
    """

    features: Floats  # (n, names)
    age: Floats
    query: NDArray[np.int64]
    grade: NDArray[np.int64]
    times: Floats


@dataclass(frozen=True, slots=True)
class Prior:
    """`loss` is of a list, in nats, with the weights by hand and with those that were found."""

    weights: dict[str, float]
    half_life: float
    loss: tuple[float, float]


def fit(lists: Lists, nearness: float = NEARNESS) -> Prior:
    """ListNet's top-one cross entropy (Cao and others 2007) with the targets 2^grade - 1.

    No weight changes its sign: to follow something never speaks against it.
    """
    names = list(BY_HAND)
    columns = [np.nan_to_num(lists.features[:, NAMES.index(name)]) for name in names]
    table = np.stack([*columns, -lists.age], axis=1)
    by_hand = np.array([*BY_HAND.values(), math.log(2) / HALF_LIFE])
    spread = table.std(axis=0) + LEAST_SPREAD
    starts = np.flatnonzero(np.diff(lists.query, prepend=-1))
    targets = 2.0**lists.grade - 1
    targets /= np.add.reduceat(targets, starts)[lists.query]

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = table @ weights + np.log(lists.times)
        scores -= np.maximum.reduceat(scores, starts)[lists.query]
        raised = np.exp(scores)
        totals = np.add.reduceat(raised, starts)[lists.query]
        missed = -(targets * (scores - np.log(totals))).sum() / len(starts)
        moved = (weights - by_hand) * spread
        slope = table.T @ (raised / totals - targets) / len(starts)
        return missed + nearness * moved @ moved, slope + 2 * nearness * moved * spread

    bounds = [
        (LEAST_KEPT * weight, None) if weight > 0 else (None, LEAST_KEPT * weight)
        for weight in by_hand
    ]
    found = minimize(loss, by_hand, jac=True, method="L-BFGS-B", bounds=bounds).x
    weights = {name: round(float(value), 2) for name, value in zip(names, found, strict=False)}
    half_life = math.log(2) / max(1e-6, float(found[-1]))
    return Prior(weights, round(half_life, 2), (float(loss(by_hand)[0]), float(loss(found)[0])))
