"""The feed over the API: cards with their marks, events, follows; a reading token is enough."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.utils import timezone

from docintel.models import ApiToken
from feed import ranking, reading
from feed.following import profile_of
from feed.ml.features import NAMES
from feed.models import FeedEvent
from tests.feed_corpus import company, known, source

pytestmark = pytest.mark.django_db


@pytest.fixture
def bearer(alice):
    return {"Authorization": f"Bearer {ApiToken.issue(alice, 'reads')[1]}"}


def test_cards_events_and_follows(client, alice, bearer, monkeypatch) -> None:
    monkeypatch.setattr(reading, "EXPLORING", 0.0)  # The dice would put others first now and then.
    acme = company("Acme")
    document = known("Acme grew", of=acme, names=(acme,))
    for n in range(25):
        known(f"Story {n}", wire=source(f"Wire {n % 5}"))
    profile_of(alice)
    ranking.rank_pending(seconds=600)
    said = {"kind": "company", "value": str(acme.pk)}
    made = client.post("/api/v1/follows/", said, content_type="application/json", headers=bearer)
    assert (made.status_code, made.json()["label"]) == (201, "Acme")
    ranking.rescore(alice)
    first = client.get("/api/v1/feed/", headers=bearer).json()
    card = first["results"][0]
    assert card["document"] == str(document.public_id)
    assert card["reasons"][0] == "You follow Acme"
    assert first["cursor"]
    rest = client.get("/api/v1/feed/", {"cursor": first["cursor"]}, headers=bearer).json()
    shown = [each["document"] for each in first["results"] + rest["results"]]
    assert len(shown) == len(set(shown)) == 26
    event = {"verb": "impression", "document": card["document"], "mark": card["mark"]}
    event["at"] = timezone.now().isoformat()
    opened = {**event, "verb": "open", "id": str(uuid4())}
    heard = client.post(
        "/api/v1/feed/events/", {"events": [event, opened, {"verb": "x"}]},
        content_type="application/json", headers=bearer,
    )  # fmt: skip
    assert heard.json() == {"kept": 2, "refused": {"unknown verb": 1}}
    assert len(FeedEvent.objects.get(verb="impression").features) == len(NAMES)
    assert client.get("/api/v1/follows/", headers=bearer).json()[0]["value"] == str(acme.pk)
    gone = client.delete(f"/api/v1/follows/?kind=company&value={acme.pk}", headers=bearer)
    assert gone.status_code == 204
    assert client.get("/api/v1/follows/", headers=bearer).json() == []


@pytest.mark.parametrize(
    "address", ["?cursor=x", "?sort=best", "?period=9", "?kind=poem", "?colour=red", "?hidden=2"]
)
def test_what_is_not_understood_is_a_400(client, bearer, address) -> None:
    answer = client.get(f"/api/v1/feed/{address}", headers=bearer)
    assert answer.status_code == 400
    assert list(answer.json()) == [address[1:].split("=")[0]]


def test_what_cannot_be_followed_is_a_400(client, bearer) -> None:
    for said in ({"kind": "company", "value": "9"}, {"kind": "planet", "value": "x"}, {}):
        answer = client.post(
            "/api/v1/follows/", said, content_type="application/json", headers=bearer
        )
        assert answer.status_code == 400
