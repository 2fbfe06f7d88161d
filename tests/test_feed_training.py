"""What analysts read on the feed teaches a model from events alone; the result is a candidate."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import timedelta
from uuid import uuid4

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from docintel import lightgbm_text
from docintel.models import ModelVersion
from feed import live_ranker, ranking
from feed.following import profile_of
from feed.ml import formula
from feed.ml.features import NAMES
from feed.models import FeedEvent
from tests.feed_corpus import known
from training.learning import feed, feed_fitting
from training.learning.feed_fitting import Shown, TooLittle

TELLS = NAMES.index("followed_share")


def shown(queries: int = 120, cards: int = 20, eta: float = 1.0, seed: int = 3) -> Shown:
    """People who open what they follow, if they look at it, which is likelier at the top."""
    dice = np.random.default_rng(seed)
    n = queries * cards
    features = dice.random((n, len(NAMES)))
    position = np.tile(np.arange(1, cards + 1), queries)
    exploring = dice.random(n) < 0.3
    looked = dice.random(n) < position**-eta
    opened = looked & (features[:, TELLS] > 0.6)
    return Shown(
        features, np.repeat(np.arange(queries), cards), position, exploring, opened,
        np.where(opened, dice.uniform(5, 200, n), 0), opened & (dice.random(n) < 0.1),
        dice.uniform(0, 3, n), np.repeat(np.arange(queries) % 5, cards),
    )  # fmt: skip


def test_a_label_is_opened_dwell_and_opened_again() -> None:
    rows = shown().rows(np.arange(2_400) < 6)
    rows.opened[:] = [False, True, True, True, True, False]
    rows.seconds[:] = [0, 10, 40, 90, 90, 0]
    rows.reopened[:] = [False, False, False, False, True, False]
    grades = feed_fitting.labels(rows)
    assert grades.tolist() == [0, 0, 3, 4, 4, 0]
    rows.seconds[2:5] = [31, 32, 33]
    rows.reopened[:] = False
    assert feed_fitting.labels(rows)[2:5].tolist() == [3, 3, 4]


def placed_by_formula(rows: Shown) -> Shown:
    """The same cards as a ranker places them, the best of each page on top, and clicked there."""
    order = np.lexsort([-formula.score(rows.features), rows.query])
    made = Shown(*(getattr(rows, each.name)[order] for each in fields(Shown)))
    made.position[:] = rows.position
    made.exploring[:] = False
    looked = np.random.default_rng(5).random(len(made)) < made.position**-1.0
    made.opened[:] = looked & (made.features[:, TELLS] > 0.6)
    return made


def test_the_examination_is_found_whether_or_not_documents_stood_by_chance() -> None:
    assert feed_fitting.examination(shown(2_000, eta=1.0)) == pytest.approx(1.0, abs=0.15)
    assert feed_fitting.examination(shown(2_000, eta=0.4)) == pytest.approx(0.4, abs=0.15)
    few = shown(20)
    few.opened[:] = False
    assert feed_fitting.examination(few) == feed_fitting.USUAL_ETA


def test_what_is_on_top_because_it_is_worth_more_is_not_taken_for_looked_at() -> None:
    rows = shown(2_000)
    rows.features[:, TELLS] = rows.features[:, NAMES.index("company_wanted")]
    rows = placed_by_formula(rows)
    places = np.arange(1, 21)
    rates = [rows.opened[rows.position == at].mean() for at in places]
    steep = -np.polyfit(np.log(places), np.log(np.maximum(rates, 1e-4)), 1)[0]
    found = feed_fitting.examination(rows)
    assert steep > 1.2
    assert abs(found - 1.0) < 0.6 * abs(steep - 1.0)


def test_a_reading_far_down_counts_more_but_not_without_limit() -> None:
    rows = shown(200)
    said = feed_fitting.weights(rows, 1.0)
    read = feed_fitting.labels(rows) > 0
    assert said[read].max() <= 1 / feed_fitting.LEAST_PROPENSITY
    assert said[read & (rows.position == 2)] == pytest.approx(2.0)
    assert set(said[~read]) <= {feed_fitting.WEAK, feed_fitting.HARD}


def test_what_people_follow_is_learned() -> None:
    fitted = feed_fitting.fit(shown(300))
    importance = fitted.detail["importance"]
    assert max(importance, key=importance.get) == "followed_share"
    assert fitted.detail["trees"] in feed_fitting.TREES
    assert fitted.prior == formula.WEIGHTS
    with pytest.raises(TooLittle):
        feed_fitting.fit(shown(3))


def test_a_feature_withheld_speaks_neither_in_the_trees_nor_in_the_formula() -> None:
    rows = shown(300)
    fitted = feed_fitting.fit(rows, without=("followed_share",))
    assert fitted.detail["importance"]["followed_share"] == 0
    assert "followed_share" not in fitted.prior


def test_a_ranker_is_the_formula_it_was_trained_upon_and_its_trees() -> None:
    fitted = feed_fitting.fit(shown(120))
    trees = lightgbm_text.read(fitted.text)
    other = {**fitted.prior, "followed_share": 9.0}
    ranker = live_ranker.Learned(trees, None, 2.0, other)
    table = shown(3).features
    assert ranker.score(table) == pytest.approx(trees.predict(table) + formula.score(table, other))
    added = ranker.contributions(table) - formula.contributions(table, other)
    assert added == pytest.approx(trees.contributions(table)[:, : len(NAMES)])


@pytest.mark.django_db
def test_events_become_rows_and_rows_a_candidate(
    alice, bob, settings, tmp_path, monkeypatch
) -> None:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(feed, "is_held_out", lambda _: False)
    with pytest.raises(CommandError, match="no card was shown"):
        call_command("train", "feed")
    documents = [known(f"Story {n}") for n in range(20)]
    for user in (alice, bob):
        profile_of(user)
    ranking.rank_pending()
    made = shown(60)
    now = timezone.now()
    rows = []
    for query in range(60):
        page, user = uuid4(), (alice, bob)[query % 2]
        for at in np.flatnonzero(made.query == query):
            of = {"user": user, "document": documents[int(made.position[at]) - 1], "page": page}
            of |= {"position": int(made.position[at]), "exploring": bool(made.exploring[at])}
            when = now - timedelta(days=float(query) / 10)
            told = {"occurred_at": when, "received_at": when}
            features = [float(value) for value in made.features[at]]
            rows.append(
                FeedEvent(client_id=uuid4(), verb="impression", features=features, **of, **told)
            )
            if made.opened[at]:
                active = int(made.seconds[at] * 1000)
                rows.append(FeedEvent(client_id=uuid4(), verb="open", **of, **told))
                rows.append(
                    FeedEvent(client_id=uuid4(), verb="dwell", active_ms=active, **of, **told)
                )
    FeedEvent.objects.bulk_create(rows)
    found = feed.shown_since(now - timedelta(days=90))
    assert found is not None
    assert len(found) == 1_200
    assert found.opened.sum() == made.opened[:1_200].sum()
    assert found.seconds.sum() == pytest.approx(made.seconds[:1_200].sum(), abs=1.0)
    assert set(found.analyst.tolist()) == {alice.pk, bob.pk}
    assert feed.shown_since(now - timedelta(days=90), held_out=True) is None
    call_command("train", "feed", "--json")
    version = ModelVersion.objects.get(name="feed")
    assert version.state == "candidate"
    assert json.dumps(version.metadata["features"]) == json.dumps(list(NAMES))
    assert version.metadata["prior"] == formula.WEIGHTS
    ranker = live_ranker.use(version)
    table = made.features[:50]
    parts = ranker.contributions(table)
    assert parts.shape == (50, len(NAMES))
    order = np.argsort(ranker.score(table))
    assert table[order[-10:], TELLS].mean() > table[order[:10], TELLS].mean()
