"""Walk 1, whole: from a file in a folder to a card, a figure, and a cited sentence in a browser.

`docs/walks.md` tells it in words. Models, worker's stages and server are the real ones; no language
model answers here, so the sentences are the document's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from playwright.sync_api import Browser, BrowserContext, Page, expect

from extraction import catching_up, shown
from extraction.changing_schemas import seed_schemas
from extraction.models import Schema
from feed import ranking
from feed.following import profile_of
from ingestion import pipeline
from ingestion.fetching import open_folder, scan_folder
from ingestion.lexical import refresh_statistics
from ingestion.models import Document
from tests.browser.conftest import SLOW, sign_in
from tests.reading_corpus import FILLER, pdf

FREIGHT = "Freight costs rose to $ 412 million in 2024 after the canal closed in March."
PAGES = [
    ["Tidewater Foods annual report for fiscal year 2024", "Our people and our plants", *FILLER],
    [FREIGHT, "We raised prices in two steps and kept our volumes.", *FILLER],
]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def context(browser: Browser, site: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=site, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(SLOW)
    yield context
    context.close()


@pytest.fixture
def filing(settings: Any, tmp_path: Path, alice: User) -> Document:
    """Scanned from a folder and taken through every stage of the workers."""
    settings.MEDIA_ROOT, settings.VAR_DIR = tmp_path / "files", tmp_path
    cache.clear()
    seed_schemas()
    profile_of(alice)
    folder = tmp_path / "filings"
    folder.mkdir()
    (folder / "TIDEWATER_2024_10K.pdf").write_bytes(pdf(PAGES).read())
    [source] = open_folder(folder, "Filings")
    [arrived] = scan_folder(source)
    for stage in ("parse", "index", "embed", "recognise", "classify", "units"):
        while getattr(pipeline, f"{stage}_pending")(60):
            pass
    refresh_statistics()
    while catching_up.extract_pending(60):
        pass
    assert ranking.rank_pending(60) == 1
    return Document.objects.get(pk=arrived.pk)


def test_from_a_file_to_a_card_a_figure_and_a_cited_sentence(
    page: Page, filing: Document, complaints: list[str]
) -> None:
    assert (filing.state, filing.kind, filing.period) == ("embedded", "annual_report", "FY2024")
    assert filing.mentions.exists()
    spans = shown.spans_of(filing, Schema.objects.get(name="kpis").pk)
    assert ("cy", "412") in {(span.label, span.text) for span in spans}

    sign_in(page, "alice")
    page.goto("/feed/")
    expect(page.locator("[data-card]")).to_have_count(1)
    page.goto("/ask/")
    page.get_by_label("Your question").fill("What happened to freight costs of Tidewater Foods?")
    page.keyboard.press("Enter")
    page.wait_for_url("**/answers/*/")
    sentence = page.locator(".sentence", has_text="after the canal closed in March")
    expect(sentence).to_be_visible()
    sentence.locator(".cite").first.click()
    expect(page.locator("#page-2 .marks rect.focus").first).to_be_in_viewport()
    image = page.locator("#page-2 img")
    expect(image).to_have_js_property("complete", value=True)
    page.get_by_role("link", name="Text", exact=True).click()
    expect(page.locator("mark.x", has_text="412").first).to_be_visible()
    assert complaints == []
