"""What a ranker hears of cosines is how they stand to each other, whichever encoder made them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from qa.ranking.relative_features import COSINES, SHAPE, add_relative

CHANCE = np.random.default_rng(5)
NAMES = [f"{name}_z" for name in COSINES]


def looked_at(cosines: np.ndarray, metrics: float = 0.0, coverage: float = 0.4) -> list[dict]:
    """Candidates with these cosines, each by every name, and their gaps to the nearest."""
    rows = []
    for value in cosines:
        row = dict.fromkeys(COSINES, float(value))
        row |= {f"{name}_gap": float(max(cosines) - value) for name in COSINES[:4]}
        row |= {"metrics_asked": metrics, "best_word_coverage": coverage}
        rows.append(row | dict.fromkeys(SHAPE, 0.3))
    return rows


def test_an_encoder_with_other_cosines_says_the_same() -> None:
    cosines = CHANCE.random(20)
    wide, narrow = looked_at(cosines), looked_at(0.6 + 0.1 * cosines)
    add_relative(wide)
    add_relative(narrow)
    for name in (*NAMES, "unit_gap_z", "dense_left_gap_z"):
        assert [row[name] for row in wide] == pytest.approx([row[name] for row in narrow])
    values = np.array([row["unit_z"] for row in wide])
    assert values.mean() == pytest.approx(0, abs=1e-9)
    assert values.std() == pytest.approx(1)
    assert [row["unit"] for row in wide] == pytest.approx(list(cosines))
    nearest = max(wide, key=lambda row: row["unit"])
    assert nearest["unit_gap_z"] == 0.0


@pytest.mark.parametrize("cosines", [[0.5], [0.2, 0.8], [0.5] * 9, [math.nan] * 9])
def test_where_there_is_nothing_to_compare_nothing_is_said(cosines: list[float]) -> None:
    rows = looked_at(np.array(cosines))
    with np.errstate(all="raise"):
        add_relative(rows)
    assert all(math.isnan(row[name]) for row in rows for name in NAMES)


def test_what_is_not_known_is_left_out_of_the_comparison() -> None:
    rows = looked_at(np.array([0.1, 0.2, 0.3, math.nan]))
    lacking = {name: value for name, value in rows[0].items() if not name.startswith("unit")}
    rows.append(lacking)
    add_relative(rows)
    assert [row["unit_z"] for row in rows[:3]] == pytest.approx([-(1.5**0.5), 0.0, 1.5**0.5])
    assert math.isnan(rows[3]["unit_z"])
    assert "unit_z" not in lacking
    assert "dense_z" in lacking
    add_relative([])


@pytest.mark.parametrize(
    ("metrics", "coverage", "told"), [(0, 0.4, False), (1, 0.4, True), (0, 0.7, True)]
)
def test_a_shape_is_told_where_the_question_shares_the_passages_words(
    metrics: float, coverage: float, told: bool
) -> None:
    rows = looked_at(CHANCE.random(5), metrics, coverage)
    add_relative(rows)
    assert all(math.isnan(row["told_figures"]) is not told for row in rows)
    assert all(row["figures"] == 0.3 for row in rows)
