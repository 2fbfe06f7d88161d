"""Calibrated confidences are right as often as they say, and never change the order."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from extraction.ml import calibration
from extraction.ml.calibration import Calibration, expected_error


def overconfident(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Raw probabilities whose logits are three times what would be right."""
    chance = np.random.default_rng(seed)
    logits = chance.normal(0.3, 1.2, count)
    right = chance.random(count) < 1 / (1 + np.exp(-logits))
    return 1 / (1 + np.exp(-3 * logits)), right


def of_documents(count: int, documents: int = 2 * calibration.DOCUMENTS) -> np.ndarray:
    """Which document each of so many spans is of, dealt out in turn."""
    return np.arange(count) % documents


@pytest.mark.parametrize("count", [200, 4_000])
def test_it_is_right_as_often_as_it_says_on_other_spans(count: int) -> None:
    found = calibration.fit(*overconfident(count), of_documents(count))
    raw, right = overconfident(5_000, seed=1)
    assert expected_error(raw, right) > 0.1
    assert expected_error(found(raw), right) < 0.04


def test_steps_are_learned_where_no_temperature_fits() -> None:
    chance = np.random.default_rng(0)
    raw = chance.random(6_000)
    right = chance.random(6_000) < np.where(raw > 0.7, 0.95, 0.1)
    found = calibration.fit(raw, right, of_documents(len(raw)))
    assert found.kind == "isotonic"
    assert found(np.array([0.3, 0.9])) == pytest.approx([0.1, 0.95], abs=0.03)


def test_many_spans_of_few_documents_are_no_reason_for_steps() -> None:
    chance = np.random.default_rng(0)
    raw = chance.random(6_000)
    right = chance.random(6_000) < np.where(raw > 0.7, 0.95, 0.1)
    few = of_documents(len(raw), calibration.DOCUMENTS - 1)
    assert calibration.fit(raw, right, few).kind == "temperature"
    enough = of_documents(len(raw), calibration.DOCUMENTS)
    assert calibration.fit(raw, right, enough).kind == "isotonic"


@pytest.mark.parametrize("count", [50, 4_000])
def test_it_never_falls(count: int) -> None:
    found = calibration.fit(*overconfident(count), of_documents(count))
    assert (np.diff(found(np.linspace(0, 1, 500))) >= 0).all()


def test_without_wrong_or_without_any_spans_nothing_is_learned() -> None:
    plain = Calibration()
    assert calibration.fit(np.array([]), np.array([]), of_documents(0)) == plain
    assert calibration.fit(np.array([0.4, 0.9]), np.array([True, True]), of_documents(2)) == plain


def test_the_error_is_that_of_a_hand_check() -> None:
    sure = np.array([0.95, 0.95, 0.15, 0.15])
    right = np.array([1, 0, 0, 0])
    assert expected_error(sure, right) == pytest.approx((2 * 0.45 + 2 * 0.15) / 4)
    assert np.isnan(expected_error(np.array([]), np.array([])))


def test_it_survives_its_file() -> None:
    for count in (50, 4_000):
        found = calibration.fit(*overconfident(count), of_documents(count))
        assert Calibration.from_json(asdict(found)) == found
    with pytest.raises(ValueError, match="rise"):
        Calibration.from_json(
            {"kind": "isotonic", "slope": 1, "offset": 0, "points": [(0, 0.5), (1, 0.4)]}
        )
