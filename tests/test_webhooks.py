"""A webhook is called signed, through the guarded door, again after a while, and not for ever."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from web_server import Web, web

from feed import saving_searches
from feed.matching_searches import match_pending
from feed.models import SavedSearch
from feed.telling_matches import MOST_FAILURES, post_pending
from ingestion.querysets import Scope
from tests.feed_corpus import known, source

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings) -> Iterator[Web]:
    with web() as served:
        settings.ALLOWED_FETCH_HOSTS = [f"127.0.0.1:{served.port}"]
        yield served


def watching(user, url: str) -> SavedSearch:
    return saving_searches.save(user, "Mine", "margins", Scope(), webhook=url)


def later(row: SavedSearch) -> SavedSearch:
    """Due at once."""
    SavedSearch.objects.filter(pk=row.pk).update(webhook_after=timezone.now())
    return SavedSearch.objects.get(pk=row.pk)


def test_a_match_is_posted_once_and_signed(alice, server) -> None:
    vault = source("Vault")
    vault.groups.add(Group.objects.create(name="deal team"))
    server.says("/hook", "thanks")
    row = watching(alice, server.url("/hook"))
    known("Acme margins fell")
    known("Falcon margins fell", wire=vault)
    match_pending()
    assert post_pending() == 1
    assert post_pending() == 0
    [body] = server.bodies
    said = json.loads(body)
    assert [each["title"] for each in said["documents"]] == ["Acme margins fell"]
    assert said["search"]["id"] == str(row.public_id)
    headers = server.asked[0][1]
    stamp = headers["X-Docintel-Timestamp"].encode()
    digest = hmac.new(row.secret.encode(), stamp + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Docintel-Signature"] == f"sha256={digest}"
    assert headers["Content-Type"] == "application/json"


def test_it_reaches_no_address_of_this_network_and_follows_no_redirect(
    alice, server, settings
) -> None:
    server.redirects("/moved", server.url("/hook"))
    server.says("/hook", "thanks")
    moved = watching(alice, server.url("/moved"))
    known("Acme margins fell")
    match_pending()
    assert post_pending() == 0
    assert "not followed" in later(moved).webhook_error
    assert server.paths() == ["/moved"]
    settings.ALLOWED_FETCH_HOSTS = []
    assert post_pending() == 0
    assert server.paths() == ["/moved"]
    row = SavedSearch.objects.get(pk=moved.pk)
    assert row.webhook_failures == 2
    assert "not followed" not in row.webhook_error


def test_failures_wait_longer_each_time_and_end_it_visibly(client, alice, server) -> None:
    server.says("/hook", "no", 500)
    row = watching(alice, server.url("/hook"))
    known("Acme margins fell")
    match_pending()
    waits = []
    for number in range(1, MOST_FAILURES + 1):
        now = timezone.now()
        assert post_pending(now) == 0
        assert post_pending(now) == 0  # Not before its time.
        row.refresh_from_db()
        assert row.webhook_failures == number
        waits.append(row.webhook_after - now)
        later(row)
    assert waits[:3] == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4)]
    assert len(server.bodies) == MOST_FAILURES
    row.refresh_from_db()
    assert row.webhook_off_at is not None
    assert post_pending() == 0
    client.force_login(alice)
    page = client.get(f"/feed/searches/{row.public_id}/").content.decode()
    assert "switched off" in page
    assert "500" in page
    assert "switched off" in client.get("/feed/profile/").content.decode()
    server.says("/hook", "thanks")
    client.post(f"/feed/searches/{row.public_id}/", {"what": "webhook", "webhook": row.webhook})
    assert post_pending() == 1
    row.refresh_from_db()
    assert (row.webhook_failures, row.webhook_error, row.webhook_off_at) == (0, "", None)


def test_of_two_workers_one_posts(alice, server) -> None:
    server.says("/hook", "thanks")
    row = watching(alice, server.url("/hook"))
    known("Acme margins fell")
    match_pending()
    due = SavedSearch.objects.get(pk=row.pk)
    SavedSearch.objects.filter(pk=row.pk).update(
        webhook_after=timezone.now() - timedelta(seconds=1)
    )
    from feed.telling_matches import _post

    # It read the row before another worker claimed it.
    assert _post(due, timezone.now()) is False
    assert server.bodies == []


def test_health_tells_of_webhooks_that_are_off(alice, server) -> None:
    from feed.health import findings

    row = watching(alice, server.url("/hook"))
    SavedSearch.objects.filter(pk=row.pk).update(webhook_off_at=timezone.now())
    said = {finding.name: finding for finding in findings()}
    assert not said["Webhooks"].ok
    assert "1" in said["Webhooks"].message
