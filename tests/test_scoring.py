"""A score prints as one line of JSON, with an interval that a second run repeats."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from docintel.scoring import Score, bootstrap


def test_the_interval_holds_the_mean_and_repeats() -> None:
    values = [0.0, 1.0] * 50
    low, high = bootstrap(values)
    assert 0.35 < low < 0.5 < high < 0.65
    assert bootstrap(values) == (low, high)
    assert bootstrap(list(range(100)), seed=1) != bootstrap(list(range(100)))


def test_the_interval_of_another_statistic() -> None:
    low, high = bootstrap(range(101), statistic=np.max)
    assert 90 < low <= high == 100


def test_no_values_have_no_interval() -> None:
    assert all(math.isnan(bound) for bound in bootstrap([]))


def test_one_line_with_every_field_and_valid_numbers() -> None:
    score = Score(
        "recall@10", 0.5, True, 3, (0.1, math.nan), 1.25, {"by": {1: np.float32(0.5)}, "x": (1, 2)}
    )
    line = score.json_line()
    assert "\n" not in line
    assert json.loads(line) == {
        "headline": "recall@10",
        "value": 0.5,
        "higher_is_better": True,
        "n": 3,
        "interval": [0.1, None],
        "seconds": 1.25,
        "detail": {"by": {"1": 0.5}, "x": [1, 2]},
    }


def test_a_number_that_is_not_finite_becomes_null() -> None:
    assert json.loads(Score("x", math.nan, True, 0, None, 0).json_line())["value"] is None


@pytest.mark.parametrize("value", [0, 1])
def test_equal_values_have_a_point_as_interval(value: int) -> None:
    assert bootstrap([value] * 10) == (value, value)
