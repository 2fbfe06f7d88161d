"""The stream of new documents: told as they are ranked, nothing that is hidden, no thread held."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import httpx
import pytest
from asgi_server import served
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from feed import announcing, ranking
from feed.following import profile_of
from tests.feed_corpus import known, source
from tests.waiting import ENOUGH_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setattr(announcing, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(announcing, "HEARTBEAT_SECONDS", 0.2)


def session(user) -> dict[str, str]:
    client = Client()
    client.force_login(user)
    return {"sessionid": client.cookies["sessionid"].value}


@contextmanager
def listening(place: str, user, seconds_ago: float = 0):
    since = (timezone.now() - timedelta(seconds=seconds_ago)).isoformat()
    with httpx.stream(
        "GET",
        f"{place}/feed/live/",
        params={"since": since},
        cookies=session(user),
        timeout=ENOUGH_SECONDS,
    ) as response:
        yield response, response.iter_lines()


def next_event(lines) -> tuple[str, dict]:
    for line in lines:
        if line.startswith("event: "):
            return line[7:], json.loads(next(lines)[6:])
    raise AssertionError("the stream ended")


def test_what_is_ranked_is_announced_and_what_is_hidden_is_not(alice, bob) -> None:
    vault = source("Vault")
    team = Group.objects.create(name="deal team")
    vault.groups.add(team)
    bob.groups.add(team)
    for person in (alice, bob):
        profile_of(person)
    with served() as place, listening(place, alice) as (response, lines):
        assert response.headers["content-type"].startswith("text/event-stream")
        with listening(place, bob) as (_, others):
            known("Falcon will be bought", wire=vault)
            ranking.rank_pending()
            assert next_event(others) == ("new", {"count": 1})
        known("Acme grew")
        ranking.rank_pending()
        # Not told of the hidden one, neither then nor counted now.
        assert next_event(lines) == ("new", {"count": 1})


def test_a_stream_holds_no_thread_and_there_is_a_most(alice, monkeypatch) -> None:
    monkeypatch.setattr(announcing, "MOST_LISTENERS", 30)
    profile_of(alice)
    known("Acme grew")
    ranking.rank_pending()
    before = threading.active_count()
    with served() as place, ExitStack() as stack:
        streams = [stack.enter_context(listening(place, alice, 60)) for _ in range(30)]
        for _, lines in streams:
            assert next_event(lines) == ("new", {"count": 1})
        # Those of the loop's own pool and the server's, but not one for each stream.
        assert threading.active_count() < before + len(streams)
        with listening(place, alice) as (_, lines):
            assert next_event(lines) == ("full", {})
        news = httpx.get(f"{place}/feed/news/", cookies=session(alice), timeout=ENOUGH_SECONDS)
        assert news.status_code == 200


def test_without_a_time_or_an_asynchronous_server_there_is_no_stream(client, alice) -> None:
    client.force_login(alice)
    now = timezone.now().isoformat()
    for address in ("/feed/live/", "/feed/live/?since=yesterday"):
        assert client.get(address).status_code == 204
    assert client.get("/feed/live/", {"since": now}).status_code == 204
