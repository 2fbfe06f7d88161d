"""The formula's weights are fitted to grades, near those by hand; what cannot be known stays."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from feed.ml.features import NAMES
from feed.ml.formula import BY_HAND
from training.learning import feed_prior
from training.learning.feed_prior import Lists

WANTED = NAMES.index("asked_topic")
NEVER = NAMES.index("phrase")


def lists(queries: int = 200, rows: int = 30) -> Lists:
    """People who want what they asked about, and what is new; the rest is noise."""
    dice = np.random.default_rng(4)
    n = queries * rows
    features = dice.random((n, len(NAMES)))
    features[:, NEVER] = 0.0
    age = dice.uniform(0, 3, n)
    worth = 6 * features[:, WANTED] - 0.7 * age + dice.normal(0, 0.3, n)
    grade = np.searchsorted(np.quantile(worth, [0.8, 0.9, 0.97]), worth)
    query = np.repeat(np.arange(queries), rows)
    for at in range(queries):
        grade[np.flatnonzero(query == at)[0]] = 1  # Everybody wants something.
    return Lists(features, age, query, grade.astype(np.int64), np.ones(n))


def test_what_tells_gains_weight_and_the_rest_loses_it() -> None:
    found = feed_prior.fit(lists())
    assert found.loss[1] < found.loss[0]
    assert found.weights["asked_topic"] > 2 * BY_HAND["asked_topic"]
    assert found.weights["followed_any"] == pytest.approx(
        feed_prior.LEAST_KEPT * BY_HAND["followed_any"], abs=0.4
    )
    assert 0.2 < found.half_life < 1.5


def test_what_never_varies_and_what_it_is_told_to_stay_near_stay() -> None:
    assert feed_prior.fit(lists()).weights["phrase"] == BY_HAND["phrase"]
    near = feed_prior.fit(lists(), nearness=1e4).weights
    assert near == pytest.approx(BY_HAND, abs=0.02)


def test_no_weight_changes_its_sign() -> None:
    rows = lists()
    rows.features[:, WANTED] = 1 - rows.features[:, WANTED]
    found = feed_prior.fit(rows).weights
    assert found["asked_topic"] > 0
    assert all(np.sign(found[name]) == np.sign(weight) for name, weight in BY_HAND.items())


def test_a_row_that_stands_for_ten_weighs_as_ten() -> None:
    rows = lists(50)
    unwanted = rows.grade == 0
    copies = np.where(unwanted, 10, 1)
    many = Lists(*(np.repeat(getattr(rows, each.name), copies, axis=0) for each in fields(Lists)))
    standing = Lists(rows.features, rows.age, rows.query, rows.grade, copies.astype(float))
    assert feed_prior.fit(standing).loss[0] == pytest.approx(feed_prior.fit(many).loss[0])
