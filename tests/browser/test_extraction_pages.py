"""Extraction as people meet it: beside a document, over its text, as tables, as a bulk run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from extraction_corpus import TEXT, go_live, kpis, put, tags_by
from playwright.sync_api import Browser, Page, expect
from reportlab.pdfgen.canvas import Canvas

from extraction import bulk_runs
from extraction.catching_up import extract_pending
from extraction.choosing import Chosen
from extraction.extracting import extract
from extraction.ml.spans import FoundSpan
from extraction.result_tables import BulkDocument, BulkRun
from extraction.schema_tables import Schema
from ingestion import pipeline
from ingestion.models import Document, Source
from ingestion.receiving import take_in
from tests.browser.conftest import in_every_look, sign_in
from tests.browser.test_search_journey import judge

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PROSE = (
    "Net sales for the quarter grew on strong demand. Revenue was $ 30.5 million in 2024, compared "
    "with $ 28.1 million a year earlier. Net income was $ 4.25 million.\n\n"
)


def nested(text: str, schema: str) -> list[FoundSpan]:
    """As the pattern finds them, with a span around the first two, and one that is not sure."""
    from extraction_corpus import find

    found = find(text)
    if match := re.search(r"Revenue was \$ 30\.5 million", text):
        found.append(FoundSpan(match.start(), match.end(), "thereof", 0.62))
    if match := re.search(r"28\.1", text):
        found = [span for span in found if span.start != match.start()]
        found.append(FoundSpan(match.start(), match.end(), "py", 0.71))
    return found


@pytest.fixture(autouse=True)
def tagger(without_models: None, monkeypatch: pytest.MonkeyPatch) -> None:
    tags_by(monkeypatch, nested)


def report() -> Document:
    """A PDF of two pages, read and searchable."""
    file = BytesIO()
    canvas = Canvas(file)
    for page in range(2):
        canvas.drawString(72, 720, f"Page {page + 1} of the annual report of Acme")
        canvas.drawString(72, 690, f"Revenue was $ {30.5 + page} million in 2024.")
        canvas.showPage()
    canvas.save()
    file.seek(0)
    source = Source.objects.create(name="Filings", kind=Source.Kind.UPLOAD)
    document = take_in(source, "report.pdf", file).document
    while pipeline.parse_pending() + pipeline.index_pending():
        pass
    Document.objects.filter(pk=document.pk).update(kind="annual_report", title="Annual report")
    document.refresh_from_db()
    return document


def test_spans_are_coloured_and_say_what_they_are(
    page: Page, alice: User, complaints: list[str]
) -> None:
    document = put(PROSE * 3, title="Quarterly notes")
    extract(document, kpis())
    sign_in(page, "alice")
    page.goto(f"{document.get_absolute_url()}?view=text")
    mark = page.locator("mark.x", has_text="Revenue").first
    expect(mark).to_be_visible()
    tip = page.locator(".span-tip")
    expect(tip).to_be_hidden()
    mark.hover()
    expect(tip).to_contain_text("Key figure, 95% (tagger:kpis 1)")
    expect(tip).to_contain_text("Part of a figure, 62%, to be reviewed")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    page.locator("mark.x[tabindex]").first.focus()
    expect(tip).to_be_visible()
    page.get_by_label("Colours in the text").uncheck()
    expect(page.locator("#prose")).to_have_class(re.compile("spans-off"))
    page.get_by_label("Colours in the text").check()

    page.locator(".by-label summary", has_text="Value").first.click()
    page.locator(".by-label details[open] a", has_text="4.25").first.click()
    expect(page.locator("mark#passage")).to_have_text("4.25")
    expect(page.locator("mark#passage")).to_be_in_viewport()
    assert complaints == []


def test_a_relation_leads_to_its_place_on_the_page_of_a_pdf(
    page: Page, alice: User, complaints: list[str]
) -> None:
    document = report()
    extract(document, kpis())
    sign_in(page, "alice")
    page.goto(document.get_absolute_url())
    page.locator(".pairs a", has_text="31.5").click()
    expect(page.locator(".sheet[data-focus] .marks rect.focus")).to_have_count(1)
    expect(page.locator(".sheet[data-focus]")).to_have_attribute("data-page", "2")
    page.get_by_role("link", name="as tables").click()
    row = page.locator("table.results").first.locator("tbody tr").nth(1)
    expect(row).to_contain_text("31.5")
    row.get_by_role("link").nth(1).click()
    expect(page.locator(".sheet[data-focus]")).to_have_attribute("data-page", "2")
    assert complaints == []


def test_a_bulk_run_is_started_watched_paused_and_taken_away(
    page: Page, eve: User, complaints: list[str]
) -> None:
    Schema.objects.update(active=False)
    for _ in range(3):
        put(TEXT, kind="news", company="Acme")
    sign_in(page, "eve")
    page.get_by_role("link", name="Extraction").click()
    page.get_by_label("Schema").select_option("kpis")
    page.get_by_label("Company").fill("Acme")
    page.get_by_label("Kind").select_option("news")
    expect(page.locator("#expected")).to_contain_text("3 documents in this scope")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Its documents are being listed.")).to_be_visible()
    bulk_runs.prepare_pending()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".run-head .badge")).to_have_text("Paused")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".run-head .badge")).to_have_text("Running")
    extract_pending(600)
    expect(page.locator(".run-head .badge")).to_have_text("Finished")
    expect(page.locator(".counts")).to_contain_text("Read now")
    expect(page.locator(".found")).to_contain_text("Key figure")
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV, relations").click()
    assert download.value.suggested_filename.endswith("-relations.csv")
    assert len(Path(download.value.path()).read_text().splitlines()) == 7
    assert complaints == []


def one_of_each(adam: User, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Addresses of the pages, with something of every kind on them."""
    go_live(schema="contracts")
    long = put(
        PROSE * 40, title="Quarterly notes of a company with quite a long name", company="Acme"
    )
    extract(long, kpis())
    extract(long, Schema.objects.get(name="contracts"))
    paged = report()
    extract(paged, kpis())
    tags_by(monkeypatch, lambda *_: [FoundSpan(0, 99_999, "kpi", 0.9)])
    broken = put(title="A document that cannot be extracted from")
    extract(broken, kpis())
    tags_by(monkeypatch, nested)
    running = bulk_runs.start(Chosen(), kpis(), adam)
    bulk_runs.prepare_pending()
    running.items.filter(document=long).update(state=BulkDocument.State.DONE, seconds=41.5)
    running.items.filter(document=broken).update(state=BulkDocument.State.FAILED)
    BulkRun.objects.filter(pk=running.pk).update(
        resumed_at=timezone.now() - timedelta(minutes=3), error="a file of the tagger is damaged"
    )
    yield f"{long.get_absolute_url()}?view=text"
    yield f"{long.get_absolute_url()}?view=text&start=12&end=90&schema=kpis"
    yield f"{long.get_absolute_url()}extracted/"
    yield paged.get_absolute_url()
    yield f"{paged.get_absolute_url()}extracted/?schema=kpis&label=cy"
    yield f"{broken.get_absolute_url()}?view=text"
    yield "/extraction/"
    yield running.get_absolute_url()
    yield "/extraction/failed/"


def test_every_page_can_be_read_by_everyone(
    browser: Browser,
    live_server: Any,
    adam: User,
    complaints: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    places = list(one_of_each(adam, monkeypatch))
    shots = os.environ.get("DOCINTEL_SCREENSHOTS")
    for page, look in in_every_look(browser, live_server.url, "adam", (1280, 360), complaints):
        for number, place in enumerate(places):
            page.goto(place)
            expect(page.get_by_text("Looking for what was extracted")).to_have_count(0)
            if shots:
                page.screenshot(path=Path(shots, f"{number}-{look}.png"))
            else:
                judge(page)
    assert complaints == []
