"""Every page of the review desk in light and dark, wide and narrow; nothing is cut off sideways."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from extraction_corpus import TEXT, put, tags_by
from playwright.sync_api import Browser, expect
from review_items import UNSURE, doubtful, no_lots, read_document, said, tags_with

from docintel import registry
from ingestion.models import EmbeddedBeside, Reembedding
from qa.answer_tables import Ask
from review.models import DeskSettings, ReviewItem
from review.queueing_answers import queue_answers
from tests.browser.conftest import in_every_look

DESK = "/admin/review/reviewitem/"
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def pages(
    without_models: None, monkeypatch: pytest.MonkeyPatch, eve: User, adam: User
) -> list[str]:
    tags_by(monkeypatch, tags_with({"30.5": UNSURE, "4.25": 0.7}))
    no_lots()
    read_document(TEXT * 6, title="Quarterly notes")
    DeskSettings.objects.update(double_share=1)
    read_document(TEXT + "Once more.", title="Annual report")
    for item in ReviewItem.objects.filter(wanted=2):
        said(adam, item, "accept")
        said(eve, item, "reject" if item.text == "4.25" else "accept")
    ask = Ask.objects.create(
        text="What was revenue?", state="answered", route="synthesis", confidence=0.5
    )
    lost = [{"reference": "p1", "quote": TEXT.split(".")[0], "reason": "The figure is another."}]
    ask.sentences.create(
        ordinal=1, text="Revenue was 31 million.", state="dropped", lost=lost,
        reason="A figure is not in the quote.",
    )  # fmt: skip
    queue_answers()
    first = ReviewItem.objects.filter(text="30.5", wanted=1).order_by("start")[0]
    sentence, route = (ReviewItem.objects.get(kind=kind).pk for kind in ("sentence", "router"))
    of_document = [item.pk for item in doubtful()]
    items = [f"{DESK}desk/?item={pk}" for pk in (first.pk, sentence, route, *of_document)]
    rest = [f"{DESK}{name}/" for name in ("desk/keys", "agreement", "mine")]
    return [DESK, *items, *rest]


def test_every_page_can_be_read(
    browser: Browser, live_server: Any, pages: list[str], complaints: list[str]
) -> None:
    shots = os.environ.get("DOCINTEL_SCREENSHOTS")
    for page, look in in_every_look(browser, live_server.url, "eve", (1400, 420), complaints):
        for number, place in enumerate(pages):
            page.goto(place)
            expect(page.locator(".desk").first).to_be_visible()
            if shots:
                page.screenshot(path=Path(shots, f"{number}-{look}.png"))
            wide = page.evaluate(
                "(({scrollWidth, clientWidth}) => scrollWidth - clientWidth)"
                "(document.querySelector('.desk'))"
            )
            assert wide <= 1 or look.endswith("420"), place
    assert complaints == []


@pytest.fixture
def changing(without_models: None, olga: User) -> Reembedding:
    """Two of three documents have the vectors of the embedder that is to follow."""
    live = registry.register("embedder", "all-MiniLM-L6-v2", "1" * 64, dimensions=384)
    following = registry.add("embedder", "all-mpnet-base-v2", "2" * 64, dimensions=768)
    row = Reembedding.objects.create(
        embedder=following, before=live, chunks=41, seconds=20, started_by="olga"
    )
    documents = [put(f"Report {number}") for number in range(3)]
    for document in documents[:2]:
        EmbeddedBeside.objects.create(document=document, embedder=following)
    return row


def test_the_page_of_the_embedder_can_be_read_and_steers(
    browser: Browser, live_server: Any, changing: Reembedding, complaints: list[str]
) -> None:
    shots = os.environ.get("DOCINTEL_SCREENSHOTS")
    for page, look in in_every_look(browser, live_server.url, "olga", (1400, 420), complaints):
        page.goto("/admin/ingestion/reembedding/")
        expect(page.locator(".desk-tiles")).to_contain_text("2 of 3")
        if shots:
            page.screenshot(path=Path(shots, f"embedder-{look}.png"))
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("button", name="Go on")).to_be_visible()
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
    assert complaints == []
