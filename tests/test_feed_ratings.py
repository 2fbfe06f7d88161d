"""A handful of documents a week is rated, append-only; what was rated judges rankers, if enough."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db import DatabaseError, transaction
from django.utils import timezone

from docintel.scoring import CannotScore
from feed import ranking, rating
from feed.following import profile_of
from feed.ml.features import NAMES
from feed.models import Rating, RatingAsk
from feed.rating import NotAsked
from tests.feed_corpus import known, source
from training.evaluation import feed as evaluation
from training.evaluation import feed_ratings

pytestmark = pytest.mark.django_db


def ranked(*people, count: int = 20) -> list:
    vault = source("Vault")
    vault.groups.add(Group.objects.get_or_create(name="deal team")[0])
    made = [known(f"Story {n}", days=n / 10) for n in range(count)]
    known("Falcon will be bought", wire=vault)
    for person in people:
        profile_of(person)
    ranking.rank_pending(seconds=600)
    return made


def test_each_week_a_few_are_asked_once_and_none_that_is_hidden(alice, bob) -> None:
    ranked(alice, bob)
    first = rating.asked(alice)
    assert len(first) == rating.A_WEEK
    assert [one.ask.pk for one in rating.asked(alice)] == [one.ask.pk for one in first]
    drawn = [one.ask.drawn for one in first]
    assert drawn.count("top") == rating.A_WEEK // 2
    next_week = rating.asked(alice, timezone.now() + timedelta(days=7))
    both = {one.document.pk for one in (*first, *next_week)}
    assert len(both) == 2 * rating.A_WEEK
    titles = {one.document.title for one in (*first, *next_week)}
    assert "Falcon will be bought" not in titles
    with pytest.raises(NotAsked):
        rating.rate(bob, first[0].ask.pk, 3)


def test_a_rating_is_never_changed_and_the_last_one_counts(alice) -> None:
    ranked(alice)
    ask = rating.asked(alice)[0].ask
    rating.rate(alice, ask.pk, 2)
    last = rating.rate(alice, ask.pk, 5)
    assert rating.answered().get().grade == 5
    with pytest.raises(DatabaseError), transaction.atomic():
        Rating.objects.filter(pk=last.pk).update(grade=1)
    for grade in (0, 6):
        with pytest.raises(NotAsked):
            rating.rate(alice, ask.pk, grade)
    assert len(rating.asked(alice)) == rating.A_WEEK - 1


def test_the_page_goes_from_one_to_the_next_and_ends(client, alice, bob) -> None:
    ranked(alice)
    client.force_login(alice)
    assert "6 documents to rate" in client.get("/feed/").content.decode()
    for number, one in enumerate(rating.asked(alice)):
        page = client.get("/feed/ratings/").content.decode()
        assert one.document.title in page
        answer = client.post(
            "/feed/ratings/", {"ask": one.ask.pk, "grade": "" if number == 0 else "4"}
        )
    assert answer["Location"] == "/feed/"
    assert "Nothing to rate" in client.get("/feed/ratings/").content.decode()
    assert "to rate" not in client.get("/feed/").content.decode().replace("rated", "")
    assert rating.answered().count() == rating.A_WEEK - 1
    for said in ({"ask": "x"}, {"ask": "1", "grade": "9"}, {"ask": "987654", "grade": "3"}):
        assert client.post("/feed/ratings/", said).status_code == 404


def test_too_few_ratings_say_so(alice) -> None:
    ranked(alice)
    rating.rate(alice, rating.asked(alice)[0].ask.pk, 4)
    assert "1 usable" not in feed_ratings.score()["too_few"]
    with pytest.raises(CannotScore, match="are needed"):
        evaluation.run()


def test_enough_ratings_judge_each_ranker(alice, monkeypatch) -> None:
    documents = ranked(alice, count=12)
    for number in range(feed_ratings.LEAST_ANALYSTS):
        user = User.objects.create_user(f"rater{number}")
        for at, document in enumerate(documents):
            features = [0.0] * len(NAMES)
            features[NAMES.index("followed_share")] = at / 12
            ask = RatingAsk.objects.create(
                user=user, document=document, week=timezone.now().date(), drawn="all",
                features=features, fresh_at=timezone.now() - timedelta(days=at),
            )  # fmt: skip
            Rating.objects.create(ask=ask, grade=1 + at * 5 // 12)
    score = evaluation.run()
    assert score.n == feed_ratings.LEAST_ANALYSTS
    assert score.detail["entity overlap"]["ndcg@10"] == pytest.approx(1.0)
    assert score.detail["newest first"]["ndcg@10"] < 0.8
    assert "live" not in score.detail


def test_nobody_is_asked_to_rate_what_cannot_be_drawn(client, alice) -> None:
    known("An old story", days=40)
    profile_of(alice)
    ranking.rank_pending(seconds=600)
    assert rating.waiting(alice) == 0
    client.force_login(alice)
    page = client.get("/feed/").content.decode()
    assert "to rate this week" not in page
    assert rating.asked(alice) == []
