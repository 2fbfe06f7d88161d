"""Events of browsers: kept once, never believed beyond what the server signed."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, transaction
from django.utils import timezone

from feed import hearing
from feed.marking_cards import Mark, sign
from feed.models import Engagement, FeedEvent
from tests.feed_corpus import known, source

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(db):
    return known("Acme grew")


def event(document, verb="open", **fields):
    return {
        "id": str(uuid4()), "verb": verb, "document": str(document.public_id),
        "at": timezone.now().isoformat(), **fields,
    }  # fmt: skip


def marked(document, user, **fields):
    values = {"position": 4, "exploring": True, "propensity": 0.002, "version_id": None, **fields}
    return sign(Mark(document.pk, uuid4(), **values), user)


def test_a_replay_is_no_second_event(alice, document) -> None:
    said = [event(document), event(document, "dwell", visible_ms=9_000, active_ms=5_000)]
    assert hearing.hear(alice, said).kept == 2
    again = hearing.hear(alice, said)
    assert (again.kept, dict(again.refused)) == (0, {"heard before": 2})
    row = Engagement.objects.get(user=alice)
    assert (row.opens, row.active_ms) == (1, 5_000)


def test_one_rendering_shows_a_card_once_whatever_the_browser_says(alice, document) -> None:
    mark = marked(document, alice)
    said = [event(document, "impression", mark=mark) for _ in range(5)]
    assert hearing.hear(alice, said).kept == 1
    row = FeedEvent.objects.get(user=alice)
    assert (row.position, row.exploring, row.propensity) == (4, True, 0.002)


def test_the_card_of_another_person_is_refused(alice, bob, document) -> None:
    other = known("Acme shrank")
    said = [
        event(document, "impression", mark=marked(document, bob)),
        event(other, "impression", mark=marked(document, alice)),
        event(document, "impression", mark="forged"),
        event(document, "impression"),
    ]
    heard = hearing.hear(alice, said)
    assert heard.kept == 0
    assert heard.refused["not a card of your feed"] == 3
    assert not FeedEvent.objects.exists()


def test_a_hidden_document_is_refused_like_a_missing_one(alice) -> None:
    vault = source("Vault")
    vault.groups.add(Group.objects.create(name="deal team"))
    hidden = known("Falcon will be bought", wire=vault)
    missing = {**event(hidden), "document": str(uuid4())}
    heard = hearing.hear(alice, [event(hidden), missing])
    assert dict(heard.refused) == {"no such document": 2}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"at": (timezone.now() + timedelta(days=2)).isoformat()}, "in the future"),
        ({"at": (timezone.now() - timedelta(days=3)).isoformat()}, "too long ago"),
        ({"at": "yesterday"}, "no time"),
        ({"at": "2026-13-45T99:00:00Z"}, "no time"),
        ({"at": None}, "no time"),
        ({"verb": "destroy"}, "unknown verb"),
        ({"verb": ["open"]}, "unknown verb"),
        ({"verb": "reopen"}, "unknown verb"),
        ({"id": "1"}, "no id"),
        ({"verb": "dwell", "visible_ms": -5, "active_ms": 1}, "no duration"),
        ({"verb": "dwell", "visible_ms": 1e9, "active_ms": True}, "no duration"),
        ({"document": {"a": 1}}, "no such document"),
    ],
)
def test_what_cannot_be_is_refused_and_its_neighbours_are_kept(
    alice, document, fields, reason
) -> None:
    heard = hearing.hear(alice, [{**event(document), **fields}, event(document), "nonsense"])
    assert heard.kept == 1
    assert heard.refused[reason] == 1


def test_a_tab_left_open_for_ten_hours_counts_as_nobody_reads_longer(alice, document) -> None:
    ten_hours = 36_000_000
    hearing.hear(alice, [event(document, "dwell", visible_ms=ten_hours, active_ms=ten_hours)])
    row = FeedEvent.objects.get()
    assert (row.visible_ms, row.active_ms) == (ten_hours, 1_800_000)
    hearing.hear(alice, [event(document, "dwell", visible_ms=10, active_ms=99_999)])
    assert Engagement.objects.get().active_ms == 1_800_010


def test_a_flood_is_refused_as_a_whole(alice, bob, document) -> None:
    for _ in range(3):
        hearing.hear(alice, [event(document) for _ in range(200)])
    with pytest.raises(hearing.TooManyEvents):
        hearing.hear(alice, [event(document)])
    assert FeedEvent.objects.filter(user=alice).count() == 600
    assert hearing.hear(bob, [event(document)]).kept == 1
    assert hearing.hear(alice, [event(document)] * 201).refused
    assert hearing.hear(alice, {"a": 1}).refused


def test_coming_back_later_is_another_reading(alice, document) -> None:
    now = timezone.now()
    for minutes in (120, 119, 60):
        at = (now - timedelta(minutes=minutes)).isoformat()
        hearing.hear(alice, [event(document, at=at)])
    verbs = list(FeedEvent.objects.order_by("occurred_at").values_list("verb", flat=True))
    assert verbs == ["open", "open", "reopen"]
    assert Engagement.objects.get().opens == 2


def test_what_happened_is_never_changed(alice, document) -> None:
    hearing.hear(alice, [event(document)])
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        FeedEvent.objects.update(verb="save")


def test_the_route_takes_what_a_beacon_sends(client, alice, document) -> None:
    client.force_login(alice)
    sent = client.post("/feed/events/", {"events": json.dumps([event(document)])})
    assert sent.json() == {"kept": 1, "refused": {}}
    assert client.post("/feed/events/", {"events": "{"}).status_code == 400
    assert client.post("/feed/events/", {"events": "[" * 100_000}).status_code == 400
    codes = []
    for _ in range(4):
        many = json.dumps([event(document) for _ in range(200)])
        codes.append(client.post("/feed/events/", {"events": many}).status_code)
    assert codes == [200, 200, 429, 429]
