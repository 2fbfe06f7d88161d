"""Whether a candidate may take the live version's place: pure statistics over held-out documents.

Both are measured on the same documents, and documents are resampled for both alike (a paired
bootstrap, Efron and Tibshirani 1993), so that what is hard in a document counts against neither.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# A function of how often each document counts (documents,) to a number.
Measure = Callable[[Floats], float]
RESAMPLES = 2_000
# With fewer documents an interval by resampling is too narrow (it claims what it cannot know).
LEAST_DOCUMENTS = 8
LEAST_OF_LABEL = 20
MOST_FALL = 0.03
# The calibration error of some hundred spans moves by a point by chance. So it is worse where the
# interval of the difference says so, or where it is this much worse whatever the interval says.
MOST_WORSE_CALIBRATION = 0.02
LEAST_SPEED = 0.9


@dataclass(frozen=True, slots=True)
class Label:
    """A label's score on all documents, and how many things of it there were to find."""

    value: float
    n: int


@dataclass(frozen=True, slots=True)
class Measured:
    """One version on the held-out documents.

    `primary`: higher is better. `calibration_error`: lower is better; None where the model says no
    probabilities. `seconds` of each batch, the same batches for both versions, read in turns.
    """

    primary: Measure
    labels: Mapping[str, Label] = field(default_factory=dict)
    calibration_error: Measure | None = None
    seconds: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One condition: whether it holds, in numbers and in words; both versions may have intervals.

    `difference` is the candidate's value less the live one's, with its paired 95 % interval.
    """

    name: str
    passed: bool
    said: str
    candidate: float | None = None
    live: float | None = None
    difference: float | None = None
    interval: tuple[float, float] | None = None
    candidate_interval: tuple[float, float] | None = None
    live_interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """All checks; the candidate passes where every one holds."""

    documents: int
    checks: tuple[Check, ...]
    labels: tuple[dict[str, Any], ...] = ()

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    @property
    def why(self) -> str:
        """What failed, or else what was gained, in one line."""
        failed = [check.said for check in self.checks if not check.passed]
        gained = [check.said for check in self.checks if check.name == "primary"]
        return "; ".join(failed or gained)

    def as_json(self) -> dict[str, Any]:
        """Plain values; what is not finite is null."""
        plain: dict[str, Any] = _plain({**asdict(self), "passed": self.passed, "why": self.why})
        return plain


def judge(
    candidate: Measured, live: Measured, documents: int, *, name: str = "F1", seed: int = 0
) -> Ruling:
    """The ruling on a candidate beside the live version, over so many documents."""
    draws = _draws(documents, seed)
    checks = [_enough(documents), _better(candidate.primary, live.primary, draws, name)]
    labels = _labels(candidate.labels, live.labels)
    if labels:
        checks.append(_no_label_fell(labels))
    if candidate.calibration_error and live.calibration_error:
        checks.append(_calibrated(candidate.calibration_error, live.calibration_error, draws))
    if len(candidate.seconds) and len(live.seconds):
        checks.append(_quick(candidate.seconds, live.seconds))
    return Ruling(documents, tuple(checks), tuple(labels))


def judge_first(candidate: Measured, documents: int, *, name: str = "F1", seed: int = 0) -> Ruling:
    """The ruling where nothing is live: it must find something at all, by its interval."""
    draws = _draws(documents, seed)
    value, interval = _estimate(candidate.primary, draws)
    check = Check(
        "primary", interval[0] > 0, f"{name} {value:.3f}; no version is live to compare with",
        candidate=value, candidate_interval=interval,
    )  # fmt: skip
    return Ruling(documents, (_enough(documents), check))


def difference(
    one: Measure, other: Measure, documents: int, seed: int = 0
) -> tuple[float, tuple[float, float]]:
    """The first measure less the second over so many documents, and its paired 95 % interval."""
    return _estimate(lambda weights: one(weights) - other(weights), _draws(documents, seed))


def _enough(documents: int) -> Check:
    passed = documents >= LEAST_DOCUMENTS
    said = f"{documents} held-out documents that neither has learned from"
    return Check("documents", passed, said if passed else f"{said}; {LEAST_DOCUMENTS} are needed")


def _better(candidate: Measure, live: Measure, draws: Floats, name: str) -> Check:
    one, one_interval = _estimate(candidate, draws)
    other, other_interval = _estimate(live, draws)
    gained, interval = _estimate(lambda weights: candidate(weights) - live(weights), draws)
    passed = interval[0] > 0
    words = "is better" if passed else "is not shown to be better"
    said = (
        f"{name} {words}: {one:.3f} against {other:.3f}, "
        f"difference {gained:+.3f} [{interval[0]:+.3f}, {interval[1]:+.3f}]"
    )
    return Check(
        "primary", passed, said, one, other, gained, interval, one_interval, other_interval
    )


def _labels(candidate: Mapping[str, Label], live: Mapping[str, Label]) -> list[dict[str, Any]]:
    """Every label that either has, the one that fell most first."""
    rows = []
    for label in {**live, **candidate}:
        one, other = candidate.get(label), live.get(label)
        n = max(each.n for each in (one, other) if each)
        values = [each.value if each else 0.0 for each in (one, other)]
        rows.append(
            {
                "label": label, "n": n, "candidate": values[0], "live": values[1],
                "difference": values[0] - values[1], "counts": n >= LEAST_OF_LABEL,
            }
        )  # fmt: skip
    return sorted(rows, key=lambda row: float(row["difference"]))


def _no_label_fell(rows: Sequence[Mapping[str, Any]]) -> Check:
    # Half a thousandth, because 0.80 - 0.77 is a little more than 0.03 in binary.
    fell = [r for r in rows if r["counts"] and r["difference"] < -MOST_FALL - 5e-4]
    if not fell:
        counted = sum(bool(row["counts"]) for row in rows)
        return Check("labels", True, f"none of {counted} labels fell by more than 3 points")
    named = ", ".join(
        f"{r['label']} {r['live']:.3f} to {r['candidate']:.3f} (n={r['n']})" for r in fell
    )
    return Check("labels", False, f"fell by more than 3 points: {named}")


def _calibrated(candidate: Measure, live: Measure, draws: Floats) -> Check:
    one, one_interval = _estimate(candidate, draws)
    other, other_interval = _estimate(live, draws)
    worse, interval = _estimate(lambda weights: candidate(weights) - live(weights), draws)
    passed = not (interval[0] > 0 or worse > MOST_WORSE_CALIBRATION or math.isnan(one))
    words = "no worse" if passed else "worse"
    said = f"calibration is {words}: error {one:.3f} against {other:.3f}"
    return Check(
        "calibration", passed, said, one, other, worse, interval, one_interval, other_interval
    )


def _quick(candidate: Sequence[float], live: Sequence[float]) -> Check:
    """By the median of the batches' ratios: another process may be in the way of some."""
    ratio = float(np.median(np.array(live) / np.maximum(np.array(candidate), 1e-9)))
    passed = ratio >= LEAST_SPEED
    said = f"{ratio:.2f} times the live version's throughput"
    if not passed:
        said += f"; {LEAST_SPEED} is needed"
    return Check("throughput", passed, said, candidate=ratio, live=1.0)


def _draws(documents: int, seed: int) -> Floats:
    """(RESAMPLES + 1, documents): how often each document counts; the first row is all once."""
    generator = np.random.default_rng(seed)
    rows = [np.ones(documents)]
    for _ in range(RESAMPLES if documents else 0):
        drawn = generator.integers(0, documents, documents)
        rows.append(np.bincount(drawn, minlength=documents).astype(np.float64))
    return np.array(rows)


def _estimate(measure: Measure, draws: Floats) -> tuple[float, tuple[float, float]]:
    """The value on all documents, and its 95 % interval; nan where there is none."""
    values = np.array([measure(row) for row in draws])
    defined = values[1:][np.isfinite(values[1:])]
    if not len(defined):
        return float(values[0]), (math.nan, math.nan)
    low, high = np.percentile(defined, [2.5, 97.5])
    return float(values[0]), (float(low), float(high))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return round(value, 5) if math.isfinite(value) else None
    return value
