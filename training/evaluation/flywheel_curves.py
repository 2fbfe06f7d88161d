"""Curves of F1 over corrections, and how far one order of review comes with how little."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

RANDOM = "random"
Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Compared:
    """Mean curves by order, and the share of random order's corrections that each one needs.

    The share is nan where an order never reaches random order's final F1.
    """

    curves: dict[str, Points]
    ratio: dict[str, float]
    by_seed: dict[str, dict[int, float]]
    spread: dict[str, list[float]]


def ratios(rows: Sequence[tuple[str, int, int, float]]) -> Compared:
    """Of rows (order, seed, corrections, F1), each order's in the order of its rounds."""
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
        spread,
    )


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


def draw(compared: Compared, path: Path, match: str) -> None:
    """A line for each order, with one standard deviation of the seeds around it."""
    import matplotlib as mpl  # noqa: PLC0415  only an evaluation draws

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(7, 4.5))
    for order, points in compared.curves.items():
        spent, values = (np.array(each) for each in zip(*points, strict=True))
        around = np.array(compared.spread[order])
        axes.plot(spent, values, "o-", label=order)
        axes.fill_between(spent, values - around, values + around, alpha=0.15)
    axes.set(xlabel="corrections", ylabel=f"F1 ({match} match)", title="F1 against corrections")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)


def _mean(several: Sequence[Points]) -> Points:
    table = np.array(several)
    return [(float(spent), float(value)) for spent, value in table.mean(0)]
