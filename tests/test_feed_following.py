"""Following and muting: one stance for each thing, nothing hidden is told, lists are resolved."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from docintel.models import Activity
from feed import coverage, ranking, saving
from feed.following import CannotFollow, follow, follow_all, forget, profile_of, state_interest
from feed.models import Engagement, FeedEvent, FeedItem, FeedProfile, Follow
from ingestion.models import Company
from tests.feed_corpus import company, known, source

pytestmark = pytest.mark.django_db


def secret() -> Company:
    vault = source("Vault")
    vault.groups.add(Group.objects.create(name="deal team"))
    falcon = company("Falcon")
    known("Falcon will be bought", of=falcon, wire=vault)
    return falcon


def test_the_last_word_holds(alice) -> None:
    acme = company("Acme")
    before = profile_of(alice).changed_at
    follow(alice, "company", str(acme.pk))
    follow(alice, "company", str(acme.pk), muted=True)
    [row] = Follow.objects.filter(user=alice)
    assert row.muted
    assert profile_of(alice).changed_at > before
    assert forget(alice, "company", str(acme.pk))
    assert not forget(alice, "company", str(acme.pk))
    assert not Follow.objects.filter(user=alice).exists()


def test_everything_that_can_be_followed(alice) -> None:
    wire = source()
    said = [
        ("company", str(company("Acme").pk)), ("topic", "mergers"), ("source", str(wire.pk)),
        ("document_kind", "news"), ("phrase", "  Cost   Pressure "),
    ]  # fmt: skip
    rows = [follow(alice, kind, value) for kind, value in said]
    assert [row.label for row in rows][-1] == "“cost pressure”"
    assert [row.value for row in rows][1:4] == ["mergers", str(wire.pk), "news"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("company", "987654"), ("company", "x"), ("company", "9" * 40), ("topic", "nothing"),
        ("source", "-1"), ("document_kind", "poem"), ("phrase", "ab"), ("phrase", "x" * 200),
        ("planet", "mars"), ("company", "1\0"),
    ],
)  # fmt: skip
def test_what_is_not_there_cannot_be_followed(alice, kind, value) -> None:
    with pytest.raises(CannotFollow):
        follow(alice, kind, value)


def test_what_is_hidden_is_refused_like_what_is_missing(alice) -> None:
    falcon = secret()
    vault = source("Vault")
    for kind, there in (("company", falcon.pk), ("source", vault.pk)):
        told = []
        for value in (there, 987654):
            with pytest.raises(CannotFollow) as error:
                follow(alice, kind, str(value))
            told.append(str(error.value))
        assert told[0] == told[1]
    assert follow_all(alice, [falcon.pk], []) == 0
    alice.groups.add(Group.objects.get(name="deal team"))
    assert follow(alice, "company", str(falcon.pk)).label == "Falcon"


def test_following_five_thousand_at_once_is_possible_and_no_more(alice) -> None:
    rows = [Company(name=f"Company {n}", key=f"company {n}") for n in range(5_001)]
    ids = [row.pk for row in Company.objects.bulk_create(rows)]
    with pytest.raises(CannotFollow):
        follow_all(alice, ids, [])
    assert follow_all(alice, ids[:5_000], []) == 5_000
    with pytest.raises(CannotFollow):
        follow(alice, "topic", "mergers")


def test_a_pasted_list_is_resolved_and_only_what_is_sure_is_ticked(alice) -> None:
    falcon = secret()
    acme, orion = company("Acme Industries"), company("Orion Networks")
    orion.ticker = "ORN"
    orion.save()
    lines = coverage.resolve("ACME INDUSTRIES\nOrion Netwroks; ORN\n\nNobody at all\nFalcon", alice)
    found = [(line.text, [row.pk for row in line.companies], line.sure) for line in lines]
    assert found == [
        ("ACME INDUSTRIES", [acme.pk], True),
        ("Orion Netwroks", [orion.pk], False),
        ("ORN", [orion.pk], True),
        ("Nobody at all", [], False),
        ("Falcon", [], False),
    ]
    assert falcon.pk not in [pk for _, pks, _ in found for pk in pks]


def test_the_pages_of_the_first_look(client, alice) -> None:
    client.force_login(alice)
    acme = company("Acme Industries")
    known("Acme grew", of=acme)
    assert b"Acme Industries" in client.get("/feed/start/").content
    confirm = client.post("/feed/start/", {"coverage": "acme industries", "topic": "mergers"})
    assert b"Confirm your coverage" in confirm.content
    assert not Follow.objects.filter(user=alice).exists()
    done = client.post(
        "/feed/start/", {"confirmed": "1", "company": str(acme.pk), "topic": "mergers"}
    )
    assert done.status_code == 302
    assert {row.label for row in Follow.objects.filter(user=alice)} == {
        "Acme Industries", str(follow(alice, "topic", "mergers").topic),
    }  # fmt: skip
    assert profile_of(alice).started_at is not None


def test_history_can_be_deleted_and_what_is_saved_stays(client, alice, bob) -> None:
    document = known("Acme grew")
    other = known("Acme shrank")
    Activity.objects.create(user=alice, verb="asked", text="What of Acme?")
    for user in (alice, bob):
        saving.save(user, document.pk, saved=True)
    Engagement.objects.create(user=alice, document=other, opens=3)
    state_interest(alice, "chips for cars")
    client.force_login(alice)
    assert b"1 question asked" in client.get("/feed/profile/").content
    client.post("/feed/profile/change/", {"what": "delete-history"})
    assert not FeedEvent.objects.filter(user=alice).exists()
    assert not Activity.objects.filter(user=alice).exists()
    assert FeedEvent.objects.filter(user=bob).count() == 1
    [row] = Engagement.objects.filter(user=alice)
    assert row.document == document
    assert row.saved_at is not None
    assert b"chips for cars" in client.get("/feed/profile/").content


def test_asking_tells_of_an_interest(alice) -> None:
    from docintel import activity

    activity.record(alice, activity.ASKED, companies={1, 2}, topics=("mergers",), text="Why?")
    row = Activity.objects.get(user=alice)
    assert (sorted(row.companies), row.topics, row.text) == ([1, 2], ["mergers"], "Why?")


def test_the_next_page_has_what_was_said_and_ranks_for_all_of_it_once(client, alice) -> None:
    acme, orion = company("Acme"), company("Orion")
    for n in range(3):
        known(f"Story {n}", of=acme if n % 2 else orion)
    profile_of(alice)
    ranking.rank_pending()
    ranking.rescore(alice)
    client.force_login(alice)
    rows = FeedItem.objects.filter(user=alice)
    before = set(rows.values_list("ranked_at", flat=True))
    for one in (acme, orion):
        answer = client.post(
            "/feed/follow/", {"kind": "company", "value": one.pk, "stance": "follow"},
            headers={"HX-Request": "true"},
        )  # fmt: skip
        assert f"You follow {one.name}." in answer.content.decode()
    # Neither answer waited for the ranking.
    assert set(rows.values_list("ranked_at", flat=True)) == before
    page = client.get("/feed/").content.decode()
    assert "<li>You follow Acme</li>" in page
    assert "<li>You follow Orion</li>" in page
    ranked = set(rows.values_list("ranked_at", flat=True))
    assert ranked.isdisjoint(before)
    client.get("/feed/")
    assert set(rows.values_list("ranked_at", flat=True)) == ranked
    # Where a worker came first, the page has nothing to do.
    forget(alice, "company", str(acme.pk))
    ranking.rescore(alice)
    ranked = set(rows.values_list("ranked_at", flat=True))
    assert "<li>You follow Acme</li>" not in client.get("/feed/").content.decode()
    assert set(rows.values_list("ranked_at", flat=True)) == ranked
    assert not profile_of(alice).newest_due


def test_a_first_page_and_one_by_another_model_wait_once_though_no_worker_comes(
    client, alice
) -> None:
    known("Acme grew", of=company("Acme"))
    ranking.rank_pending()
    client.force_login(alice)
    rows = FeedItem.objects.filter(user=alice).values_list("ranked_at", flat=True)
    # It was ranked before she was known.
    assert "Acme grew" in client.get("/feed/").content.decode()
    for again in (False, True):
        before = rows.get()
        if again:
            ranking.rerank_all()
        client.get("/feed/")
        assert (rows.get() > before) is again
        after = rows.get()
        client.get("/feed/")
        assert rows.get() == after


def test_that_the_feed_was_opened_is_noted_without_waiting_for_the_disk(client, alice) -> None:
    profile = FeedProfile.objects.filter(pk=profile_of(alice).pk)
    client.force_login(alice)
    # As good as just now, however slow the machine is.
    recently = timezone.now() + timedelta(hours=1)
    profile.update(seen_at=recently)
    client.get("/feed/")
    assert profile_of(alice).seen_at == recently
    profile.update(seen_at=recently - timedelta(days=1))
    with CaptureQueriesContext(connection) as asked:
        client.get("/feed/")
    assert profile_of(alice).seen_at > recently - timedelta(days=1)
    [noted] = [each["sql"] for each in asked if "SET seen_at" in each["sql"]]
    assert "set_config('synchronous_commit', 'off', true)" in noted
