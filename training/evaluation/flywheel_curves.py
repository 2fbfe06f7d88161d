"""Curves of a score over corrections, and how far one order of review comes with how little."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from training.drawing_lines import BLUE, GREY, ORANGE, Line, Panel

RANDOM = "random"
COLOURS = {RANDOM: GREY, "uncertainty": BLUE, "errors": ORANGE}
Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Compared:
    """Mean curves by order, and the share of random order's corrections that each one needs.

    The share is nan where an order never reaches random order's final score. `ahead` is by seed
    the mean over the rounds of how far the order's score is above random order's; `spread` the
    standard deviation of the seeds in each round.
    """

    curves: dict[str, Points]
    ratio: dict[str, float]
    by_seed: dict[str, dict[int, float]]
    ahead: dict[str, dict[int, float]]
    spread: dict[str, list[float]]


def ratios(rows: Sequence[tuple[str, int, int, float]]) -> Compared:
    """Of rows (order, seed, corrections, score), each order's in the order of its rounds."""
    seeds: dict[str, dict[int, Points]] = {}
    for order, seed, spent, value in rows:
        seeds.setdefault(order, {}).setdefault(seed, []).append((float(spent), value))
    # A seed that is still at work would bend the mean.
    length = max((len(points) for own in seeds.values() for points in own.values()), default=0)
    whole = {
        order: {seed: points for seed, points in own.items() if len(points) == length}
        for order, own in seeds.items()
    }
    curves = {o: _mean(list(own.values())) for o, own in whole.items() if own}
    spread = {
        o: [float(np.std([p[at][1] for p in own.values()])) for at in range(length)]
        for o, own in whole.items()
        if own
    }
    against, aims = curves.get(RANDOM, []), whole.get(RANDOM, {})
    others = [order for order in curves if order != RANDOM]
    return Compared(
        curves,
        {order: share(curves[order], against) for order in others},
        {
            order: {s: share(p, aims[s]) for s, p in whole[order].items() if s in aims}
            for order in others
        },
        {
            order: {s: _ahead(p, aims[s]) for s, p in whole[order].items() if s in aims}
            for order in others
        },
        spread,
    )


def panel(title: str, found: Compared) -> Panel:
    """The mean curves, with one standard deviation of the seeds around each."""
    lines = [
        Line(order, COLOURS[order], points, found.spread[order])
        for order, points in found.curves.items()
    ]
    return Panel(title, "corrections", lines)


def share(points: Points, against: Points) -> float:
    """Corrections until the curve first reaches the other's end, by the other's corrections."""
    if not against or not against[-1][0]:
        return math.nan
    goal, total = against[-1][1], against[-1][0]
    for (before, low), (after, high) in pairwise(points):
        if low >= goal:
            return before / total
        if high >= goal:
            return (before + (after - before) * (goal - low) / (high - low)) / total
    return math.nan


def _ahead(points: Points, against: Points) -> float:
    # All orders begin with the same tagger.
    pairs = list(zip(points, against, strict=True))[1:]
    return float(np.mean([one - other for (_, one), (_, other) in pairs])) if pairs else math.nan


def _mean(several: Sequence[Points]) -> Points:
    table = np.array(several)
    return [(float(spent), float(value)) for spent, value in table.mean(0)]
