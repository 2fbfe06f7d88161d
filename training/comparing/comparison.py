"""What a comparison of two versions gives to the gate, whatever kind of model they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from docintel.scoring import CannotScore
from training.gate import Measured


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
