"""The gate's conditions one by one: on counts of documents, without a model."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from training.gate import Label, Measured, judge, judge_first

DOCUMENTS = 40


def f1(right, found: int = 10, gold: int = 10):
    """Micro F1 of documents that each have so many right spans."""
    right = np.array(right, dtype=float)

    def measure(weights):
        return float(2 * (weights @ right) / (weights.sum() * (found + gold)))

    return measure


def version(right, labels=(), error: float | None = 0.05, seconds=(1.0,) * 9) -> Measured:
    measure = None if error is None else lambda _: error
    return Measured(f1(right), dict(labels), measure, seconds)


LIVE = [6, 7, 8, 5] * 10
BETTER = [7, 8, 9, 6] * 10


def failed(ruling) -> list[str]:
    return [check.name for check in ruling.checks if not check.passed]


def test_what_is_better_in_every_document_passes() -> None:
    ruling = judge(version(BETTER), version(LIVE), DOCUMENTS)
    assert ruling.passed
    assert ruling.why == "F1 is better: 0.750 against 0.650, difference +0.100 [+0.100, +0.100]"
    primary = ruling.checks[1]
    assert primary.difference == pytest.approx(0.1)
    assert primary.interval == pytest.approx((0.1, 0.1))
    # Paired: each version alone is far less certain than the difference.
    assert primary.live_interval[1] - primary.live_interval[0] > 0.04


def test_as_good_is_not_better() -> None:
    ruling = judge(version(LIVE), version(LIVE), DOCUMENTS)
    assert failed(ruling) == ["primary"]
    assert "not shown to be better" in ruling.why


def test_better_by_luck_is_not_better() -> None:
    lucky = list(LIVE)
    lucky[0] += 4
    lucky[1] -= 2
    ruling = judge(version(lucky), version(LIVE), DOCUMENTS)
    assert ruling.checks[1].difference > 0
    assert failed(ruling) == ["primary"]


@pytest.mark.parametrize(
    ("after", "n", "passes"),
    [(0.77, 20, True), (0.76, 20, False), (0.5, 19, True), (0.0, 400, False), (0.9, 400, True)],
)
def test_no_label_with_twenty_may_fall_by_more_than_three_points(after, n, passes) -> None:
    before = {"kpi": Label(0.8, n), "cy": Label(0.6, 90)}
    now = {"kpi": Label(after, n), "cy": Label(0.61, 90)}
    ruling = judge(version(BETTER, now), version(LIVE, before), DOCUMENTS)
    assert ruling.passed is passes
    assert failed(ruling) == ([] if passes else ["labels"])


def test_a_label_that_is_no_longer_found_has_fallen() -> None:
    ruling = judge(version(BETTER), version(LIVE, {"kpi": Label(0.8, 30)}), DOCUMENTS)
    assert failed(ruling) == ["labels"]
    assert "kpi 0.800 to 0.000 (n=30)" in ruling.why


@pytest.mark.parametrize(("error", "passes"), [(0.05, True), (0.02, True), (0.051, False)])
def test_calibration_is_worse_where_its_interval_says_so(error, passes) -> None:
    ruling = judge(version(BETTER, error=error), version(LIVE), DOCUMENTS)
    assert failed(ruling) == ([] if passes else ["calibration"])


def test_calibration_that_is_worse_by_chance_only_does_not_count() -> None:
    def noisy(weights) -> float:
        return 0.055 + 0.01 * float(weights[:5].sum() - 5)

    candidate = Measured(f1(BETTER), {}, noisy, (1.0,))
    assert judge(candidate, version(LIVE), DOCUMENTS).passed
    much = Measured(f1(BETTER), {}, lambda weights: noisy(weights) + 0.02, (1.0,))
    assert failed(judge(much, version(LIVE), DOCUMENTS)) == ["calibration"]


def test_a_version_without_probabilities_is_not_asked_for_its_calibration() -> None:
    ruling = judge(version(BETTER, error=None), version(LIVE, error=None), DOCUMENTS)
    assert ruling.passed
    assert "calibration" not in {check.name for check in ruling.checks}


@pytest.mark.parametrize(("seconds", "passes"), [(1.0, True), (1.11, True), (1.13, False)])
def test_throughput_is_no_less_than_nine_tenths(seconds, passes) -> None:
    # Another process was in the way of two batches.
    slow = [seconds] * 7 + [30.0, 25.0]
    ruling = judge(version(BETTER, seconds=slow), version(LIVE), DOCUMENTS)
    assert failed(ruling) == ([] if passes else ["throughput"])


def test_few_documents_are_not_enough() -> None:
    ruling = judge(version(BETTER[:7]), version(LIVE[:7]), 7)
    assert failed(ruling) == ["documents"]
    assert "8 are needed" in ruling.why


def test_everything_that_failed_is_told_and_can_be_kept_as_json() -> None:
    before = {"kpi": Label(0.8, 30)}
    worse = version([1] * 40, {"kpi": Label(0.1, 30)}, error=math.nan, seconds=(9.0,) * 9)
    ruling = judge(worse, version(LIVE, before), DOCUMENTS)
    assert failed(ruling) == ["primary", "labels", "calibration", "throughput"]
    kept = json.loads(json.dumps(ruling.as_json(), allow_nan=False))
    assert kept["passed"] is False
    assert kept["labels"][0]["label"] == "kpi"
    assert kept["checks"][3]["candidate"] is None


def test_the_first_version_must_find_something() -> None:
    assert judge_first(version(LIVE), DOCUMENTS).passed
    assert not judge_first(version([0] * 40), DOCUMENTS).passed
