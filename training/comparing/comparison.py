"""What a comparison of two versions gives to the gate, whatever kind of model they are."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from docintel.scoring import CannotScore
from training.gate import Floats, Label, Measured

LEAST_TIMED = 15


class CannotCompare(CannotScore):
    """These versions cannot be compared here and now; the message says why."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both versions on the same held-out documents; `live` is None where none is live.

    `measure` names the primary measure, `detail` is kept in the verdict's report.
    """

    measure: str
    documents: int
    candidate: Measured
    live: Measured | None
    snapshot_hash: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


def seconds_in_turns(works: Sequence[Callable[[], object]]) -> list[list[float]]:
    """The processor's seconds of each, 15 times one after the other.

    For what takes milliseconds on one thread, where a busy machine would tell more of itself.
    """
    found: list[list[float]] = [[] for _ in works]
    for number in range(LEAST_TIMED):
        turns = list(zip(works, found, strict=True))
        for work, seconds in turns if number % 2 else reversed(turns):
            began = time.process_time()
            work()
            seconds.append(time.process_time() - began)
    return found


def measured_by_question(
    values: Sequence[float],
    units: NDArray[np.int64],
    sorts: Sequence[str] = (),
    seconds: Sequence[float] = (),
) -> Measured:
    """Of a value for each question: their mean, and that of each sort.

    `units[i]` numbers what question i is about, a filing or a person; it is drawn with all its
    questions.
    """
    found = np.array(values, dtype=np.float64)

    def mean(weights: Floats) -> float:
        counted = weights[units]
        return float(counted @ found / counted.sum()) if counted.sum() else math.nan

    named = np.array(sorts)
    labels = {
        str(sort): Label(float(found[named == sort].mean()), int((named == sort).sum()))
        for sort in dict.fromkeys(sorts)
    }
    return Measured(mean, labels, seconds=seconds)


def numbered(keys: Sequence[object]) -> tuple[NDArray[np.int64], int]:
    """Each key as a number from 0, in the order in which they come, and how many there are."""
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([numbers[key] for key in keys], dtype=np.int64), len(numbers)
