"""Two experts never get the same item, a stale lease returns, and nothing hidden is handed out."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone
from extraction_corpus import put
from review_items import an_item, no_lots

from ingestion.models import Source
from review.choosing_items import Filters, read
from review.leasing import next_item, release, take
from review.models import Correction, ReviewItem

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def items(db: None) -> list[ReviewItem]:
    no_lots()
    return [an_item(put(), value=value) for value in (0.9, 0.5, 0.7)]


def values(*items: ReviewItem | None) -> list[float | None]:
    return [item and item.value for item in items]


def test_the_most_valuable_first_and_what_one_holds_before_that(eve, adam) -> None:
    first = next_item(eve)
    assert values(first, next_item(eve)) == [0.9, 0.9]
    assert values(next_item(eve, besides=[first.pk])) == [0.7], "fetched ahead"
    assert values(next_item(adam), next_item(adam, besides=[])) == [0.5, 0.5]
    assert next_item(adam, besides=ReviewItem.objects.values_list("pk", flat=True)) is None
    assert values(next_item(eve)) == [0.9], "a page that is opened again goes on where it was"


def test_a_stale_lease_returns(eve, adam) -> None:
    item = next_item(eve)
    ReviewItem.objects.filter(pk=item.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    assert next_item(adam) == item
    assert not take(item, eve)
    assert release(adam) == 1
    assert take(item, eve)


def test_filters_and_assignments_are_kept(eve, adam) -> None:
    ReviewItem.objects.filter(value=0.5).update(kind="sentence", confidence=0.3, assigned_to=adam)
    assert next_item(eve, Filters(kind="sentence")) is None
    assert values(next_item(adam, Filters(kind="sentence"))) == [0.5]
    assert values(next_item(eve, Filters(band="50-70"))) == [0.9]
    assert next_item(eve, Filters(band="90-100")) is None
    assert next_item(eve, Filters(label="cy")) is None
    assert next_item(eve, Filters(schema="kpis", source=put().source_id)) is not None
    assert next_item(eve, Filters(schema="contracts")) is None
    asked = read({"band": "90-100", "kind": "x", "mine": "me", "source": "9" * 40}, eve)
    assert asked == Filters(band="90-100", mine=eve.pk)
    assert asked.query == "band=90-100&mine=me"


def test_what_lies_in_a_hidden_source_is_nobodys_elses(eve, adam, olga) -> None:
    vault = Source.objects.create(name="Vault", kind=Source.Kind.UPLOAD)
    team = Group.objects.create(name="deal team")
    vault.groups.add(team)
    ReviewItem.objects.all().delete()
    an_item(put(source=vault))
    assert next_item(eve) is None
    eve.groups.add(team)
    assert next_item(eve) is not None


def test_questions_of_people_who_see_more_are_not_shown(eve, alice, bob) -> None:
    ReviewItem.objects.all().delete()
    for asker in (alice, bob):
        an_item(None, kind="router", asker=asker, proposal={"ask": asker.pk}, text=asker.username)
    ReviewItem.objects.update(document=None, schema=None)
    assert ReviewItem.objects.visible_to(eve).count() == 2
    vault = Source.objects.create(name="Vault", kind=Source.Kind.UPLOAD)
    team = Group.objects.create(name="deal team")
    vault.groups.add(team)
    alice.groups.add(team)
    assert [item.text for item in ReviewItem.objects.visible_to(eve)] == ["bob"]
    eve.groups.add(team)
    assert ReviewItem.objects.visible_to(eve).count() == 2


def test_who_gave_an_opinion_is_not_asked_for_the_second(eve, adam) -> None:
    item = ReviewItem.objects.get(value=0.9)
    ReviewItem.objects.filter(pk=item.pk).update(wanted=2)
    Correction.objects.create(
        item=item, kind="span", verdict="accept", role="first", who="eve", who_id=eve.pk
    )
    assert values(next_item(eve), next_item(adam)) == [0.7, 0.9]


@pytest.mark.django_db(transaction=True)
def test_two_at_once_get_two_items(eve, adam) -> None:
    got: list[int] = []
    together = threading.Barrier(2)

    def look(user) -> None:
        together.wait()
        item = next_item(user)
        got.append(item.pk if item else 0)
        connection.close()

    threads = [threading.Thread(target=look, args=[user]) for user in (eve, adam)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(got) - {0}) == 2
