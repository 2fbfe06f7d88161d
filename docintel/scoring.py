"""A score with its interval, as the one line of JSON that `evaluate` and `bench` end with."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1_000


class CannotScore(Exception):
    """There is nothing to measure here; the message says what to do first."""


@dataclass(frozen=True, slots=True)
class Score:
    """One headline number and what it was made of.

    `n` counts the things scored, `interval` is the 95 % bootstrap interval of `value` (None where
    nothing was resampled), `seconds` is how long the scoring took.
    """

    headline: str
    value: float
    higher_is_better: bool
    n: int
    interval: tuple[float, float] | None
    seconds: float
    detail: dict[str, Any] = field(default_factory=dict)

    def json_line(self) -> str:
        """The score on one line; a number that is not finite becomes null, as JSON has none."""
        return json.dumps(_plain(asdict(self)), ensure_ascii=False, allow_nan=False)


def bootstrap(
    values: Sequence[float],
    seed: int = 0,
    statistic: Callable[[NDArray[np.float64]], Any] = np.mean,
) -> tuple[float, float]:
    """The 95 % interval of the mean, or another statistic, over 1,000 resamples.

    (nan, nan) for no values.
    """
    if not len(values):
        return math.nan, math.nan
    array = np.asarray(values, dtype=np.float64)
    generator = np.random.default_rng(seed)
    # One resample at a time: 1,000 x n at once would not fit for large n.
    found = [
        statistic(array[generator.integers(0, array.size, array.size)]) for _ in range(RESAMPLES)
    ]
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def wilson(right: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The interval of a share; (0, 1) for nothing seen."""
    if not n:
        return 0.0, 1.0
    share = right / n
    middle = share + z * z / (2 * n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    below = 1 + z * z / n
    return max(0.0, (middle - reach) / below), min(1.0, (middle + reach) / below)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
