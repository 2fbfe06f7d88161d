"""Asking in a browser, against a real server and a real HTTP model: from the field to the passage.

The model is a server whose sentences a test writes; everything between is what runs in service.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect

from docintel import encoders
from ingestion.models import Document
from qa.models import AnswerFeedback, Ask
from tests.browser.conftest import sign_in, watched
from tests.browser.test_search_journey import judge
from tests.kept_answers import cited, keep
from tests.llm_server import LlmServer, Reply, drafts, serving
from tests.reading_corpus import library, vault
from tests.waiting import ENOUGH_SECONDS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FREIGHT = "Freight costs rose by eleven percent after the canal closed in March."
MARGIN = "Gross margin narrowed to 31.2 percent from 33.9 percent."
EASE = "Freight costs should ease in the second half as the canal reopens."
QUOTES = [FREIGHT, MARGIN, EASE]
QUESTION = "How did freight costs and gross margin of Tidewater Foods develop in fiscal year 2024?"
HOSTILE = "<img src=x onerror=alert(1)><b>bold</b>"


@pytest.fixture(autouse=True)
def corpus(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> None:
    def unavailable() -> None:
        raise encoders.EncoderUnavailable("no model in this test")

    monkeypatch.setattr(encoders, "live_embedder", unavailable)
    settings.MEDIA_ROOT = tmp_path
    library()


@pytest.fixture
def llm(settings: Any) -> Iterator[LlmServer]:
    with serving() as running:
        settings.OPENAI_BASE_URL = running.url
        running.script = lambda body: Reply(drafts(body, QUOTES), pause=0.05)
        yield running


@pytest.fixture
def address(site: str) -> str:
    return site


def ask(page: Page, question: str = QUESTION) -> None:
    page.goto("/ask/")
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")


def shown(page: Page) -> list[tuple[str, list[str]]]:
    """Each sentence with the numbers that it cites."""
    return [
        (row.locator(".said").inner_text(), row.locator(".cite").all_inner_texts())
        for row in page.locator(".sentence").all()
    ]


def test_from_the_question_to_the_marked_passage(
    page: Page, alice: User, llm: LlmServer, complaints: list[str]
) -> None:
    sign_in(page, "alice")
    ask(page)
    page.wait_for_url("**/answers/*/")
    expect(page.locator(".chip", has_text="Tidewater Foods")).to_be_visible()
    expect(page.locator(".stages")).to_contain_text("sentences verified")
    before = shown(page)
    assert FREIGHT in [text for text, _ in before]
    numbers = {n for _, cites in before for n in cites}
    panel = page.locator(".cited .n").all_inner_texts()
    assert sorted(numbers) == sorted(panel)
    page.reload()
    assert shown(page) == before
    assert page.locator(".cited .n").all_inner_texts() == panel
    # The citation says what it is, to the pointer and to the keyboard.
    cite = page.locator(".sentence", has_text="canal closed").locator(".cite")
    cite.hover()
    card = page.locator("#cite-card")
    expect(card).to_contain_text("Tidewater 10-K")
    expect(card.locator("blockquote")).to_have_text(FREIGHT)
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    cite.click()
    expect(page.locator("#page-2 .marks rect.focus").first).to_be_in_viewport()
    assert complaints == []


def test_a_chip_is_left_out_and_put_back(
    page: Page, alice: User, llm: LlmServer, complaints: list[str]
) -> None:
    sign_in(page, "alice")
    ask(page)
    page.wait_for_url("**/answers/*/")
    first = page.url
    page.locator(".understood .chip", has_text="Tidewater Foods").click()
    page.wait_for_url(lambda url: url != first and "/answers/" in url)
    expect(page.locator(".understood .chip", has_text="Company")).to_have_count(0)
    key = f"company:{Document.objects.get(title='Tidewater 10-K').company_id}"
    assert Ask.objects.first().understood["removed"] == [key]  # type: ignore[union-attr]
    second = page.url
    page.get_by_role("button", name="Ask with everything understood").click()
    page.wait_for_url(lambda url: url not in {first, second} and "/answers/" in url)
    expect(page.locator(".understood .chip", has_text="Tidewater Foods")).to_be_visible()
    assert complaints == []


def test_stopping_keeps_what_was_verified(
    page: Page, alice: User, llm: LlmServer, complaints: list[str]
) -> None:
    llm.script = lambda body: Reply(drafts(body, QUOTES)[:1], hangs=True)
    sign_in(page, "alice")
    ask(page)
    expect(page.locator(".sentence")).to_have_count(1)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".note", has_text="You stopped this answer")).to_be_visible()
    expect(page.locator(".sentence")).to_have_count(1)
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    assert complaints == []


def test_sentences_are_shown_before_the_model_is_done(
    page: Page, alice: User, llm: LlmServer
) -> None:
    go_on = threading.Event()

    def pieces(body: dict[str, Any]) -> Iterator[str]:
        first, *rest = drafts(body, QUOTES)
        yield first
        go_on.wait(ENOUGH_SECONDS)
        yield from rest

    llm.script = lambda body: Reply(pieces(body))  # type: ignore[arg-type]
    sign_in(page, "alice")
    ask(page)
    expect(page.locator(".sentence")).to_have_count(1)
    expect(page.locator("[data-part=body]")).to_have_attribute("aria-live", "polite")
    assert "/answers/" not in page.url
    go_on.set()
    page.wait_for_url("**/answers/*/")
    assert len(shown(page)) > 1


def test_the_keyboard_is_enough(
    page: Page, alice: User, llm: LlmServer, complaints: list[str]
) -> None:
    sign_in(page, "alice")
    page.goto("/ask/")
    expect(page.get_by_label("Your question")).to_be_focused()
    page.keyboard.type("How did freight costs of Tidewater Foods")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("develop in fiscal year 2024?")
    page.keyboard.press("Enter")
    page.wait_for_url("**/answers/*/")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.cite')"):
            break
    expect(page.locator("#cite-card")).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/documents/.*start="))
    assert complaints == []


def test_verdicts_and_copies(page: Page, alice: User, complaints: list[str]) -> None:
    filing = Document.objects.get(title="Tidewater 10-K")
    kept = keep(alice, (FREIGHT, cited(filing, FREIGHT)))
    sign_in(page, "alice")
    page.goto(f"/answers/{kept.public_id}/")
    page.get_by_role("button", name="Copy with sources").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f"{FREIGHT} [1]" in copied
    assert "[1] Tidewater 10-K" in copied
    page.get_by_role("button", name="Helpful", exact=True).click()
    expect(page.get_by_text("You said: helpful")).to_be_visible()
    page.locator("summary[aria-label^='Not helpful']").click()
    page.get_by_label("Wrong figure").check()
    page.get_by_label("In your words").fill("It was twelve.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("You said: not helpful, wrong figure")).to_be_visible()
    page.get_by_role("button", name="Use this answer").click()
    expect(page.get_by_role("button", name="Used")).to_be_visible()
    verdicts = AnswerFeedback.objects.order_by("pk").values_list("verdict", "reason", "text")
    assert list(verdicts) == [
        ("up", "", ""), ("down", "figure", "It was twelve."), ("used", "", ""),
    ]  # fmt: skip
    assert complaints == []


def test_a_link_is_of_no_use_to_who_may_not_see_the_source(
    page: Page, alice: User, bob: User
) -> None:
    secret = vault(alice)
    kept = keep(alice, ("It is secret.", cited(secret, "Freight costs, in secret.")))
    sign_in(page, "bob")
    refused = page.goto(f"/answers/{kept.public_id}/")
    assert refused
    assert refused.status == 404
    expect(page.get_by_text("It is secret.")).to_have_count(0)


def test_markup_in_a_stream_is_text(page: Page, alice: User, complaints: list[str]) -> None:
    """What no verified sentence holds today: the page itself must not depend on the verifier."""
    cite = {
        "n": 1, "document": "x", "title": HOSTILE, "company": HOSTILE, "kind": "News",
        "date": "2024-03-01", "page": 1, "start": 0, "end": 9, "quote": HOSTILE,
        "url": "javascript:alert(3)",
    }  # fmt: skip
    events = [
        ("understood", {"id": "x", "notes": [HOSTILE], "chips": [
            {"key": HOSTILE, "label": HOSTILE, "group": HOSTILE, "explanation": HOSTILE,
             "ask": False}]}),
        ("searching", {"searched": HOSTILE}),
        ("sentence", {"ordinal": 1, "text": HOSTILE, "group": HOSTILE, "citations": [cite]}),
        ("notice", {"text": HOSTILE}),
    ]  # fmt: skip
    body = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
    sign_in(page, "alice")
    page.route(
        "**/ask/stream/",
        lambda route: route.fulfill(body=body, content_type="text/event-stream; charset=utf-8"),
    )
    ask(page)
    expect(page.locator(".said")).to_have_text(HOSTILE)
    expect(page.locator(".group h2")).to_have_text(HOSTILE)
    expect(page.locator(".source-title [data-title]")).to_have_text(HOSTILE)
    page.locator(".cite").hover()
    expect(page.locator("#cite-card .card-title")).to_have_text(HOSTILE)
    assert page.locator("#answer img, #answer b, #cite-card img").count() == 0
    assert page.locator(".cite").get_attribute("href") == "#"
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_every_state_can_be_read_by_everyone(
    browser: Browser, site: str, alice: User, complaints: list[str], scheme: str, width: int
) -> None:
    context = browser.new_context(
        base_url=site, color_scheme=scheme, viewport={"width": width, "height": 800},
        reduced_motion="reduce",
    )  # fmt: skip
    page = watched(context.new_page(), complaints)
    filing = Document.objects.get(title="Tidewater 10-K")
    note = Document.objects.get(title="Freight note")
    long = "x" * 300
    answered = keep(
        alice,
        (f"{FREIGHT} {long}", cited(filing, FREIGHT), "FY2024"),
        (MARGIN, cited(filing, MARGIN), "FY2024"),
        ("It would cost $40 million.", cited(note, "A second closure"), long[:120]),
    )
    rest = [
        Ask.objects.create(asker=alice, text=long, state=state, understood=said)
        for state, said in (
            ("not_found", {"nothing": {"searched": long, "documents": 3, "warnings": [long]}}),
            ("ask_back", {"chips": [{"key": "company:1", "label": "Delta", "group": "Which?",
                                     "explanation": "“Delta”", "ask": True}]}),
            ("failed", {}), ("cancelled", {}), ("running", {}),
        )
    ]  # fmt: skip
    sign_in(page, "alice")
    for place in ("/ask/", "/answers/", *(f"/answers/{a.public_id}/" for a in (answered, *rest))):
        page.goto(place)
        page.wait_for_load_state("networkidle")
        judge(page)
    context.close()
    assert complaints == []
