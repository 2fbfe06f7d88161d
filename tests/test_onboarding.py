"""A source is tried before it is switched on: five documents as they would be, nothing kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from web_server import Web, web

from ingestion.models import Document, Source, SourceItem
from ingestion.onboarding import Refused, switch_on, try_out

pytestmark = pytest.mark.django_db

NEW = "/sources/new/"
WORDS = "Revenue rose by 12 percent to $30 million in the first quarter. " * 5


@pytest.fixture
def server(settings: LazySettings, tmp_path: Path) -> Iterator[Web]:
    settings.MEDIA_ROOT = tmp_path / "stored"
    with web() as served:
        settings.ALLOWED_FETCH_HOSTS = [f"127.0.0.1:{served.port}"]
        entries = "".join(
            f"<item><guid>{n}</guid><title>Story {n} &lt;b&gt;</title><link>/{n}.txt</link></item>"
            for n in range(8)
        )
        served.says("/feed", f"<rss version='2.0'><channel>{entries}</channel></rss>")
        for number in range(7):
            served.says(f"/{number}.txt", f"Story {number}. {WORDS}", Content_Type="text/plain")
        del served.answers["/3.txt"]
        yield served


def form(location: str, **more: str) -> dict[str, str]:
    return {"location": location, "credibility": "0.7", "poll_minutes": "15", **more}


def test_a_pasted_address_shows_its_first_five_documents(server: Web) -> None:
    trial = try_out(server.url("/feed"))
    assert trial.kind == Source.Kind.RSS
    assert [document.title[:7] for document in trial.documents] == [
        f"Story {number}" for number in range(5)
    ]
    assert trial.documents[0].excerpt.startswith("Story 0. Revenue rose by 12 percent")
    assert "404" in trial.documents[3].reason
    assert not SourceItem.objects.exists()
    assert not Document.objects.exists()
    assert not (Path(trial.location) / "stored").exists()


def test_what_is_no_feed_is_tried_as_a_page(server: Web) -> None:
    server.says("/page", f"<html><body><p>{WORDS}</p></body></html>", Content_Type="text/html")
    trial = try_out(server.url("/page"))
    assert trial.kind == Source.Kind.PAGE
    assert "Revenue rose" in trial.documents[0].excerpt


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://169.254.169.254/", "link-local"),
        ("file:///etc/passwd", "Paste the address"),
        ("nonsense", "Paste the address"),
        ("320193", "EDGAR_USER_AGENT"),
        ("/no/such/folder", "There is no folder"),
    ],
)
def test_what_cannot_be_a_source_is_said_in_words(location: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        try_out(location)


def test_an_operator_tries_and_then_switches_on(server: Web, client: Client, olga: User) -> None:
    client.force_login(olga)
    tried = client.post(NEW, form(server.url("/feed"), try_out="1"))
    assert tried.status_code == 200
    assert b"Story 4" in tried.content
    assert b"<b>" not in tried.content
    assert b'value="rss" selected' in tried.content
    assert not Source.objects.filter(kind=Source.Kind.RSS).exists()
    client.post(NEW, form(server.url("/feed"), kind="rss", name="Wire", switch_on="1"))
    source = Source.objects.get(name="Wire")
    assert (source.kind, source.credibility, source.poll_minutes) == ("rss", 0.7, 15)
    page = client.get("/sources/").content.decode()
    assert "Wire" in page
    assert "not asked yet" in page
    again = client.post(NEW, form(server.url("/feed"), kind="rss", switch_on="1"))
    assert (again.status_code, Source.objects.filter(kind="rss").count()) == (422, 1)
    assert b"already" in again.content


def test_a_name_that_is_taken_gets_a_number() -> None:
    first = switch_on("Wire", "rss", "http://a.example/")
    second = switch_on("Wire", "rss", "http://b.example/")
    assert (first.name, second.name) == ("Wire", "Wire (2)")
    with pytest.raises(Refused, match="asked regularly"):
        switch_on("X", "upload", "http://c.example/")


def test_a_refusal_is_a_422_with_its_reason(client: Client, olga: User) -> None:
    client.force_login(olga)
    answer = client.post(NEW, form("http://127.0.0.1:9/", try_out="1"))
    assert answer.status_code == 422
    assert b"this machine itself" in answer.content
    assert client.post(NEW, {}).status_code == 422
