"""The review desk in a browser, by keys only: from an unsure span to a right document page."""

from __future__ import annotations

import os
import re
from io import BytesIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from extraction_corpus import TEXT, kpis, tags_by
from playwright.sync_api import Page, expect
from reportlab.pdfgen.canvas import Canvas
from review_items import UNSURE, found, item_of, no_lots, read_document, said, tags_with

from extraction import shown
from extraction.extracting import extract
from ingestion import pipeline
from ingestion.models import Document, Source
from ingestion.receiving import take_in
from review import queueing
from review.models import Correction, DeskSettings, ReviewItem
from tests.browser.conftest import sign_in

DESK = "/admin/review/reviewitem/desk/"
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def tagger(without_models: None, monkeypatch: pytest.MonkeyPatch) -> None:
    tags_by(monkeypatch, tags_with({"30.5": UNSURE, "4.25": 0.7}))
    no_lots()


def title_of(label: str) -> str:
    return next(one["title"] for one in kpis().spec["labels"] if one["name"] == label)


@pytest.fixture
def desk(page: Page, eve: User) -> Page:
    sign_in(page, "eve")
    return page


def judged_now(page: Page, words: str) -> None:
    expect(page.locator("mark.own")).to_have_text(words)


def told(page: Page, words: str) -> None:
    expect(page.locator("[data-note]")).to_contain_text(words)


def test_a_queue_is_judged_by_keys_alone(desk: Page, complaints: list[str]) -> None:
    document = read_document()
    desk.goto(DESK)
    judged_now(desk, "30.5")
    expect(desk.locator(".desk-why")).to_contain_text("60% sure")
    for key in ("ArrowUp", "ArrowUp", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowLeft"):
        desk.keyboard.press(key)
    expect(desk.locator("[data-now]")).to_have_text(f"{title_of('cy')}: “$ 30.5 million”")
    desk.keyboard.press("a")
    judged_now(desk, "4.25")
    told(desk, "Boundary moved")
    assert ("cy", "$ 30.5 million") in found(document)
    desk.keyboard.press("x")
    expect(desk.locator(".desk-empty")).to_contain_text("Nothing waits here")
    told(desk, "Rejected")
    assert ("cy", "4.25") not in found(document)
    desk.keyboard.press("u")
    judged_now(desk, "4.25")
    assert ("cy", "4.25") in found(document)
    number = [one["name"] for one in kpis().spec["labels"]].index("py") + 1
    desk.keyboard.press(str(number))
    told(desk, "Relabelled")
    assert ("py", "4.25") in found(document)
    assert Correction.objects.count() == 4
    assert all(one.seconds is not None for one in Correction.objects.exclude(verdict="undo"))

    desk.goto(f"{document.get_absolute_url()}?view=text")
    expect(desk.locator("mark.x", has_text="$ 30.5 million")).to_be_visible()
    assert complaints == []


def test_a_span_is_added_and_linked_by_keys(desk: Page, complaints: list[str]) -> None:
    document = read_document()
    desk.goto(DESK)
    judged_now(desk, "30.5")
    desk.keyboard.press("n")
    expect(desk.locator("mark.draft")).to_have_text("million")
    desk.keyboard.press("ArrowRight")
    desk.keyboard.press("ArrowRight")
    expect(desk.locator("mark.draft")).to_have_text("2024")
    desk.keyboard.press("Escape")
    expect(desk.locator("mark.draft")).to_have_count(0)
    desk.keyboard.press("n")
    desk.keyboard.press("Shift+ArrowRight")
    expect(desk.locator("[data-now]")).to_contain_text("“million in”")
    desk.keyboard.press("ArrowRight")
    names = [one["name"] for one in kpis().spec["labels"]]
    desk.keyboard.press("1")
    told(desk, "Added")
    assert (names[0], "in") in found(document)
    desk.keyboard.press("u")
    told(desk, "Taken back")
    assert (names[0], "in") not in found(document)

    desk.goto(DESK)
    judged_now(desk, "30.5")
    desk.keyboard.press("r")
    number = desk.locator("mark[data-number]", has_text="Net income").get_attribute("data-number")
    assert number is not None
    desk.keyboard.press(number)
    expect(desk.locator("[data-now]")).to_contain_text("“30.5” value of “Net income”")
    desk.keyboard.press("Enter")
    told(desk, "Linked")
    expect(desk.locator(".desk-relations")).to_contain_text("a person, 100 %")
    rows = shown.relations_of(document, kpis().pk)
    assert ("30.5", "Net income") in [(row.head.text, row.tail.text) for row in rows]
    assert complaints == []


def test_skip_help_labels_by_name_and_ones_own_keys(desk: Page, complaints: list[str]) -> None:
    document = read_document()
    desk.goto(f"{DESK}keys/")
    desk.get_by_label("Key: Reject").fill("z")
    desk.get_by_role("button", name="Save").click()
    judged_now(desk, "30.5")
    desk.keyboard.press("?")
    expect(desk.locator("dialog[open]")).to_contain_text("Reject")
    desk.keyboard.press("z")
    judged_now(desk, "30.5")
    desk.keyboard.press("?")
    desk.keyboard.press("s")
    desk.keyboard.type("cut off")
    desk.keyboard.press("Enter")
    judged_now(desk, "4.25")
    told(desk, "Skipped")
    assert Correction.objects.get().reason == "cut off"
    desk.keyboard.press("l")
    desk.keyboard.type("Previous val")
    desk.locator("dialog[open] input").fill(title_of("py"))
    desk.keyboard.press("Enter")
    told(desk, "Relabelled")
    assert ("py", "4.25") in found(document)
    assert complaints == []


def test_the_same_words_elsewhere_go_along(desk: Page, complaints: list[str]) -> None:
    documents = [read_document(TEXT + str(number)) for number in range(3)]
    desk.goto(f"{DESK}?label=cy")
    judged_now(desk, "30.5")
    expect(desk.locator(".desk-alike")).to_contain_text("2 more wait")
    desk.keyboard.press("e")
    expect(desk.locator("[data-all]")).to_be_checked()
    desk.keyboard.press("x")
    told(desk, "Rejected and 2 more")
    judged_now(desk, "4.25")
    assert [("cy", "30.5") in found(one) for one in documents] == [False] * 3
    assert complaints == []


def test_who_is_overtaken_keeps_what_they_did(
    desk: Page, adam: User, complaints: list[str]
) -> None:
    document = read_document()
    desk.goto(DESK)
    judged_now(desk, "30.5")
    desk.keyboard.press("ArrowRight")
    expect(desk.locator("[data-now]")).to_contain_text("30.5 million")
    said(adam, item_of("30.5"), "reject")
    desk.keyboard.press("a")
    told(desk, "adam has judged it since you opened it: rejected")
    expect(desk.locator("[data-now]")).to_contain_text("30.5 million")
    desk.keyboard.press("a")
    told(desk, "Boundary moved")
    assert ("cy", "30.5 million") in found(document)
    # The browser itself reports the refused request.
    assert all("409" in complaint for complaint in complaints)


def test_the_second_of_two_does_not_see_the_first(
    desk: Page, adam: User, complaints: list[str]
) -> None:
    DeskSettings.objects.update(double_share=1)
    read_document()
    said(adam, item_of("30.5"), "relabel", label="py")
    desk.goto(f"{DESK}?item={item_of('30.5').pk}")
    expect(desk.locator(".desk-flag")).to_contain_text("each without the other")
    judged_now(desk, "30.5")
    expect(desk.locator("[data-now]")).to_have_text(f"{title_of('cy')}: “30.5”")
    assert "adam" not in desk.locator(".desk-item").inner_text()
    desk.keyboard.press("a")
    told(desk, "Accepted")
    assert item_of("30.5").state == ReviewItem.State.ADJUDICATE
    desk.goto("/admin/review/reviewitem/agreement/")
    expect(desk.get_by_role("row", name=re.compile("adam and eve"))).to_contain_text("1")
    assert complaints == []


def test_a_pdf_shows_its_page_with_the_box(desk: Page, complaints: list[str]) -> None:
    file = BytesIO()
    canvas = Canvas(file)
    canvas.drawString(72, 720, "Annual report of Acme")
    canvas.drawString(72, 690, "Revenue was $ 30.5 million in 2024.")
    canvas.save()
    file.seek(0)
    source = Source.objects.create(name="Filings", kind=Source.Kind.UPLOAD)
    document = take_in(source, "report.pdf", file).document
    while pipeline.parse_pending() + pipeline.index_pending():
        pass
    Document.objects.filter(pk=document.pk).update(kind="annual_report", title="Annual report")
    document.refresh_from_db()
    extract(document, kpis())
    queueing.queue_pending()
    desk.goto(DESK)
    judged_now(desk, "30.5")
    expect(desk.locator(".desk-item .desk-page rect.focus")).to_have_count(1)
    drawn = "document.querySelector('.desk-item .desk-page img').naturalWidth > 0"
    desk.wait_for_function(drawn)
    if shots := os.environ.get("DOCINTEL_SCREENSHOTS"):
        desk.screenshot(path=Path(shots, "desk-of-a-pdf.png"))
    desk.keyboard.press("p")
    expect(desk.locator(".desk-item .desk-page")).to_be_hidden()
    assert complaints == []


def test_the_queue_shows_what_waits_and_leads_to_the_desk(
    desk: Page, complaints: list[str]
) -> None:
    read_document()
    desk.goto("/admin/review/reviewitem/")
    expect(desk.locator(".desk-tile").first).to_contain_text("2")
    desk.get_by_label("Confidence").select_option("70-90")
    desk.get_by_role("button", name="Filter").click()
    expect(desk.locator("tbody tr")).to_have_count(1)
    desk.get_by_role("checkbox").first.check()
    desk.get_by_role("button", name="Assign the chosen to me").click()
    desk.get_by_label("Whose").select_option("me")
    desk.get_by_role("button", name="Filter").click()
    expect(desk.locator("tbody tr")).to_have_count(1)
    desk.get_by_role("link", name="Review these").click()
    judged_now(desk, "4.25")
    assert complaints == []
