"""Every page of the review desk in light and dark, wide and narrow; nothing is cut off sideways."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from extraction_corpus import TEXT, go_live, tags_by
from playwright.sync_api import Browser, expect
from review_items import UNSURE, no_lots, read_document, said, tags_with

from docintel import encoders
from extraction.changing_schemas import seed_schemas
from qa.answer_tables import Ask
from review.models import DeskSettings, ReviewItem
from review.queueing_answers import queue_answers
from tests.browser.conftest import sign_in, watched

DESK = "/admin/review/reviewitem/"
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def pages(
    settings: LazySettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    db: None,
    eve: User,
    adam: User,
) -> list[str]:
    def unavailable() -> None:
        raise encoders.EncoderUnavailable("no model in this test")

    monkeypatch.setattr(encoders, "live_embedder", unavailable)
    settings.MEDIA_ROOT = tmp_path / "stored"
    cache.clear()
    seed_schemas()
    go_live()
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
    Client().get("/sign-in/")
    items = [f"{DESK}desk/?item={pk}" for pk in (first.pk, sentence, route)]
    rest = [f"{DESK}{name}/" for name in ("desk/keys", "agreement", "mine")]
    return [DESK, *items, *rest]


def test_every_page_can_be_read(
    browser: Browser, live_server: object, pages: list[str], complaints: list[str]
) -> None:
    shots = os.environ.get("DOCINTEL_SCREENSHOTS")
    for scheme in ("light", "dark"):
        for width in (1400, 420):
            context = browser.new_context(
                base_url=live_server.url,  # type: ignore[attr-defined]
                color_scheme=scheme,
                viewport={"width": width, "height": 900},
                reduced_motion="reduce",
            )
            page = watched(context.new_page(), complaints)
            sign_in(page, "eve")
            for number, place in enumerate(pages):
                # The first page of agreement loads a library.
                page.goto(place, timeout=60_000)
                expect(page.locator(".desk").first).to_be_visible()
                if shots:
                    page.screenshot(path=Path(shots, f"{number}-{scheme}-{width}.png"))
                wide = page.evaluate(
                    "(({scrollWidth, clientWidth}) => scrollWidth - clientWidth)"
                    "(document.querySelector('.desk'))"
                )
                assert wide <= 1 or width < 500, place
            context.close()
    assert complaints == []
