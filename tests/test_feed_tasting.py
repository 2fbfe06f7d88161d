"""Taste is what reading and passing over tell beyond what the formula expected of the cards."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from docintel import encoders
from feed import learning_tastes, ranking
from feed.following import profile_of
from feed.ml import tasting
from feed.ml.facts import Documents
from feed.ml.features import NAMES
from feed.models import Engagement, FeedEvent, FeedItem
from ingestion.models import Document
from tests.feed_corpus import company, known

# Scores at which about four of ten cards that are looked at are read.
LIKELY = np.full(40, 6.0)


def documents(n: int = 40) -> Documents:
    """Half of one topic and source, half of another; each second one of company 1."""
    half = np.arange(n) < n // 2
    return Documents(
        ids=np.arange(1, n + 1),
        companies=tuple(frozenset({1}) if at % 2 else frozenset() for at in range(n)),
        main=np.arange(n) % 2, topic_keys=("oil", "rates"),
        topics=np.where(half[:, None], [0.9, 0.01], [0.01, 0.9]),
        kinds=("news",) * n, sources=np.where(half, 4, 5), credibility=np.full(n, 0.5),
        vectors=np.zeros((n, 2)), characters=np.full(n, 900.0), groups=np.arange(n),
        opening=("",) * n,
    )  # fmt: skip


def test_what_is_read_beyond_expectation_is_to_the_taste_and_what_is_passed_over_is_not() -> None:
    rows, ones = documents(), np.ones(40)
    read = np.where(np.arange(40) < 20, 0.8, 0.0)
    found = tasting.learn(rows, ones, read, LIKELY)
    assert found["topic oil"] > 0.3 > -0.3 > found["topic rates"]
    assert found["source 4"] > 0 > found["source 5"]
    assert abs(found.get("company 1", 0.0)) < 0.05
    told = tasting.tastes(rows, [found, {}])
    assert told[:20, 0].min() > 0.5 > -0.5 > told[20:, 0].max()
    assert not told[:, 1].any()


def test_what_was_expected_tells_nothing() -> None:
    rows, ones = documents(), np.ones(40)
    read = np.where(np.arange(40) < 20, 0.5, 0.02)
    surprised = tasting.learn(rows, ones, read, LIKELY / 2)
    foreseen = tasting.learn(rows, ones, read, np.where(np.arange(40) < 20, 6.0, 0.0))
    assert abs(foreseen.get("topic oil", 0.0)) < 0.3 * surprised["topic oil"]


def test_what_was_hardly_looked_at_tells_less_than_what_was() -> None:
    rows, read = documents(), np.zeros(40)
    read[:5] = 1.0
    looked = np.where(np.arange(40) < 20, 1.0, 0.05)
    little = tasting.learn(rows, looked, read, LIKELY)
    much = tasting.learn(rows, np.ones(40), read, LIKELY)
    assert much["topic rates"] < little["topic rates"] < 0


def test_who_reads_everything_alike_has_a_taste_for_little() -> None:
    rows, ones = documents(), np.ones(40)
    alike = tasting.learn(rows, ones, np.full(40, 0.8), LIKELY)
    one_half = tasting.learn(rows, ones, np.where(np.arange(40) < 20, 0.8, 0.0), LIKELY)
    assert max(map(abs, alike.values())) < max(map(abs, one_half.values()))


def test_nothing_shown_nothing_read_and_all_read_are_no_error() -> None:
    rows = documents()
    assert tasting.learn(rows.rows([]), np.zeros(0), np.zeros(0), np.zeros(0)) == {}
    for read in (np.zeros(40), np.ones(40)):
        found = tasting.learn(rows, np.ones(40), read, np.zeros(40))
        assert np.isfinite(list(found.values())).all()
    assert not tasting.tastes(rows.rows([]), [{"topic oil": 1.0}]).size
    assert not tasting.tastes(rows, [{"topic gone": 1.0}, {"company 9": 2.0}]).any()


def show(
    user: User, document: Document, position: int, *, features: list[float] | None = None
) -> None:
    FeedEvent.objects.create(
        client_id=uuid4(), user=user, document=document, verb="impression", page=uuid4(),
        position=position, features=[0.0] * len(NAMES) if features is None else features,
        occurred_at=timezone.now() - timedelta(hours=1),
    )  # fmt: skip


@pytest.mark.django_db
def test_a_taste_is_learned_from_cards_and_ranks_what_is_new(alice: User, bob: User) -> None:
    orion = company("Orion")
    oil = [known(f"Oil {at}", topics={"oil_gas": 0.9}) for at in range(6)]
    rest = [known(f"Rates {at}", topics={"monetary_policy": 0.9}, of=orion) for at in range(6)]
    for user in (alice, bob):
        profile_of(user)
    ranking.rank_pending()
    for at, document in enumerate(oil + rest):
        show(alice, document, 1 + at % 3)
    for document in oil:
        Engagement.objects.create(
            user=alice, document=document, opens=1, active_ms=90_000, opened_at=timezone.now()
        )
    ranking.rescore(alice)
    taste = profile_of(alice).facts["taste"]
    assert taste["topic oil_gas"] > 0 > taste["topic monetary_policy"]
    assert taste[f"company {orion.pk}"] < 0
    # Who waits for a page gets the taste of before.
    Engagement.objects.all().delete()
    ranking.rescore(alice, most=5)
    assert profile_of(alice).facts["taste"] == taste
    ranking.rescore(bob)
    assert profile_of(bob).facts["taste"] == {}
    new = known("Oil again", topics={"oil_gas": 0.9})
    ranking.rank_pending()
    place = NAMES.index("taste")
    found = dict(FeedItem.objects.filter(document=new).values_list("user", "features"))
    assert (found[alice.pk][place] or 0) > 0
    assert found[bob.pk][place] == 0


@pytest.mark.django_db
def test_cards_of_other_features_and_of_others_tell_nothing(alice: User, bob: User) -> None:
    document = known("Oil", topics={"oil_gas": 0.9})
    profile_of(alice)
    ranking.rank_pending()
    show(alice, document, 1, features=[0.0] * (len(NAMES) - 1))
    show(bob, document, 1)
    embedder, now = encoders.live_embedder(), timezone.now()
    assert learning_tastes.taste_of(alice.pk, embedder, now) == {}
    assert learning_tastes.taste_of(bob.pk, embedder, now)
