"""Operators' pages: sources, a new one from its address to its switch, the ledger, what changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from web_server import Web, web

from docintel import encoders
from ingestion import comparing_sources, pipeline, polling
from ingestion.models import Document, Source, SourceComparison
from ingestion.receiving import take_in
from tests.browser.conftest import sign_in, watched
from tests.browser.test_search_journey import judge

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WORDS = "Revenue rose by 12 percent to $30 million in the first quarter. " * 5


@pytest.fixture
def server(
    settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Web]:
    def unavailable() -> None:
        raise encoders.EncoderUnavailable("no model in this test")

    monkeypatch.setattr(encoders, "live_embedder", unavailable)
    settings.MEDIA_ROOT = tmp_path / "stored"
    settings.FETCH_THREADS = 1
    with web() as served:
        settings.ALLOWED_FETCH_HOSTS = [f"127.0.0.1:{served.port}"]
        items = "".join(
            f"<item><guid>{n}</guid><title>Story {n}</title><link>/{n}.txt</link></item>"
            for n in range(7)
        )
        served.says("/feed", f"<rss version='2.0'><channel>{items}</channel></rss>")
        for number in range(6):
            served.says(f"/{number}.txt", f"Story {number}. {WORDS}", Content_Type="text/plain")
        yield served


def test_an_address_becomes_a_source(
    page: Page, olga: User, server: Web, complaints: list[str]
) -> None:
    sign_in(page, "olga")
    page.goto("/sources/")
    page.get_by_role("link", name="Add the first").click()
    page.get_by_label("Address of a feed or page").fill(server.url("/feed"))
    page.get_by_role("button", name="Try it out").click()
    expect(page.locator(".case")).to_have_count(5)
    expect(page.locator(".case").first).to_contain_text("Revenue rose by 12 percent")
    expect(page.get_by_label("Kind of source")).to_have_value("rss")
    page.get_by_label("Name").fill("Morning wire")
    page.get_by_role("button", name="Switch on").click()
    expect(page.locator(".messages")).to_contain_text("“Morning wire” is switched on")
    polling.poll_sources(20)
    page.get_by_role("link", name="Morning wire").click()
    expect(page.locator(".sentences")).to_contain_text("Of 7 items that it listed, 6 were fetched")
    expect(page.locator(".case")).to_contain_text("404")
    page.get_by_role("link", name="Change").click()
    page.get_by_label("Ask it every").fill("5")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".messages")).to_contain_text("is saved")
    assert complaints == []


def several(server: Web) -> Document:
    """Sources of every mood, and a revision with its predecessor."""
    now = timezone.now()
    wire = Source.objects.create(name="Wire", kind="rss", location=server.url("/feed"))
    polling.poll_sources(20)
    while pipeline.parse_pending() + pipeline.index_pending():
        pass
    Source.objects.create(
        name="A failing exchange whose name is rather long for a narrow screen",
        kind="rss", location="https://exchange.example/announcements/" + "long" * 30,
        failures=4, polled_at=now, next_run_at=now + timedelta(hours=3),
        last_error="exchange.example answered 503 Service Unavailable.",
        notes=["1,200 known addresses came again under new ids and were left out."],
    )  # fmt: skip
    Source.objects.create(name="Off", kind="page", location="https://o.example", active=False)
    Source.objects.create(name="Share", kind="folder", location="/f", last_error="There is none.")
    SourceComparison.objects.create(
        source=wire, day=timezone.localdate(), documents=6, hit_rate=0.1, chunk_tokens=80,
        density=1.0, corpus_documents=90, corpus_hit_rate=0.9, corpus_chunk_tokens=400,
        corpus_density=20.0,
    )  # fmt: skip
    assert comparing_sources.hints(SourceComparison.objects.get())
    pushed = Source.objects.create(name="Pushed", kind="api")
    for amount in (30, 31):
        text = f"Net sales were ${amount} million in 2024.\n\n{WORDS}".encode()
        document = take_in(pushed, "report.txt", BytesIO(text), external_id="r").document
        while pipeline.parse_pending() + pipeline.index_pending():
            pass
    return document


def test_every_operators_page_can_be_read_by_everyone(
    browser: Browser, live_server, adam: User, server: Web, complaints: list[str]
) -> None:
    adam.is_superuser = True
    adam.save()
    newer = several(server)
    sources = list(Source.objects.values_list("pk", flat=True))
    shots = os.environ.get("DOCINTEL_SCREENSHOTS")
    for scheme in ("light", "dark"):
        for width in (1280, 360):
            context = browser.new_context(
                base_url=live_server.url,
                color_scheme=scheme,
                viewport={"width": width, "height": 800},
                reduced_motion="reduce",
            )
            page = watched(context.new_page(), complaints)
            sign_in(page, "adam")
            for number, place in enumerate(
                (
                    *("/sources/", "/sources/new/", "/ledger/", "/health/"),
                    f"{newer.get_absolute_url()}changes/",
                    *(f"/sources/{pk}/" for pk in sources[:2]),
                    f"/sources/{sources[0]}/edit/",
                )
            ):
                page.goto(place)
                if shots:
                    path = Path(shots, f"{number}-{scheme}-{width}.png")
                    page.screenshot(path=path, full_page=True)
                else:
                    judge(page)
            context.close()
    assert complaints == []
