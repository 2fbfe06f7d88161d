"""What a comparison of two versions gives to the gate, whatever kind of model they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from docintel.scoring import CannotScore
from training.gate import Measured

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
