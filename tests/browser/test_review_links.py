"""What is no span, judged in a browser by keys only: relations, names of companies, topics."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from extraction_corpus import kpis, tags_by
from playwright.sync_api import Page, expect
from review_items import doubtful, no_lots, read_document, tags_with

from extraction import shown
from extraction.changing_schemas import save_schema
from ingestion.models import Document, TopicLabel
from review.models import Correction, ReviewItem
from tests.browser.conftest import sign_in

DESK = "/admin/review/reviewitem/desk/"
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def tagger(without_models: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sure of every span; what the rules make of them is doubtful."""
    tags_by(monkeypatch, tags_with({"30.5": 0.97, "4.25": 0.97}))
    no_lots()
    spec = kpis().spec
    save_schema({**spec, "rules": [{**rule, "confidence": 0.5} for rule in spec["rules"]]}, "eve")


@pytest.fixture
def desk(page: Page, eve: User) -> Page:
    sign_in(page, "eve")
    return page


def asked_now(page: Page, words: str) -> None:
    expect(page.locator("[data-now]")).to_have_text(words)


def told(page: Page, words: str) -> None:
    expect(page.locator("[data-note]")).to_contain_text(words)


def pairs(document: Document) -> dict[tuple[str, str], str]:
    """Value and figure to whatever relates them."""
    rows = shown.relations_of(document, kpis().pk)
    return {(row.head.text, row.tail.text): row.rule for row in rows}


def number_of(page: Page, words: str) -> str:
    """The digit beside these words while a link is chosen."""
    number = page.locator("mark[data-number]", has_text=words).first.get_attribute("data-number")
    assert number is not None
    return number


def test_relations_are_accepted_refused_taken_back_and_put_right(
    desk: Page, complaints: list[str]
) -> None:
    document = read_document()
    by_rules = pairs(document)
    assert set(by_rules) == {("30.5", "Revenue"), ("4.25", "Net income")}
    desk.goto(DESK)
    asked_now(desk, "“30.5” value of “Revenue”")
    expect(desk.locator("mark.own")).to_have_text(["Revenue", "30.5"])
    expect(desk.locator(".desk-why")).to_contain_text("delivered without review from 70% on")
    desk.keyboard.press("a")
    asked_now(desk, "“4.25” value of “Net income”")
    told(desk, "Accepted")
    assert pairs(document)["30.5", "Revenue"] != by_rules["30.5", "Revenue"]
    desk.keyboard.press("x")
    expect(desk.locator(".desk-empty")).to_contain_text("Nothing waits here")
    told(desk, "Rejected")
    assert set(pairs(document)) == {("30.5", "Revenue")}

    desk.keyboard.press("u")
    asked_now(desk, "“4.25” value of “Net income”")
    told(desk, "Taken back")
    assert set(pairs(document)) == set(by_rules)
    # A number is no label here: nothing is sent, and nothing changes.
    desk.keyboard.press("1")
    asked_now(desk, "“4.25” value of “Net income”")
    desk.keyboard.press("r")
    asked_now(desk, "Which one does it belong to? Press its number.")
    desk.keyboard.press(number_of(desk, "Revenue"))
    asked_now(
        desk, "“4.25” value of “Revenue”. Enter saves it, r shows the next way."
    )  # fmt: skip
    desk.keyboard.press("Escape")
    asked_now(desk, "“4.25” value of “Net income”")
    desk.keyboard.press("r")
    desk.keyboard.press(number_of(desk, "Revenue"))
    desk.keyboard.press("Enter")
    expect(desk.locator(".desk-empty")).to_contain_text("Nothing waits here")
    told(desk, "Linked")
    assert set(pairs(document)) == {("30.5", "Revenue"), ("4.25", "Revenue")}

    said = list(Correction.objects.order_by("pk").values_list("verdict", flat=True))
    assert said == ["accept", "reject", "undo", "link"]
    desk.goto(document.get_absolute_url())
    figure = desk.locator(".extracted", has_text="Revenue").first
    expect(figure).to_be_visible()
    assert complaints == []


def test_a_span_that_lacks_its_figure_gets_one(desk: Page, complaints: list[str]) -> None:
    document = read_document("It came to 4.25 million. Elsewhere is told of Revenue.\n")
    assert pairs(document) == {}
    desk.goto(DESK)
    asked_now(desk, "“4.25” has no “value of”")
    desk.keyboard.press("r")
    desk.keyboard.press(number_of(desk, "Revenue"))
    asked_now(
        desk, "“4.25” value of “Revenue”. Enter saves it, r shows the next way."
    )  # fmt: skip
    desk.keyboard.press("Enter")
    told(desk, "Linked")
    assert set(pairs(document)) == {("4.25", "Revenue")}
    desk.keyboard.press("u")
    asked_now(desk, "“4.25” has no “value of”")
    assert pairs(document) == {}
    desk.keyboard.press("a")
    told(desk, "Accepted")
    assert ReviewItem.objects.get().state == "done"
    assert complaints == []


def test_a_name_gets_its_company_and_a_topic_its_verdict(desk: Page, complaints: list[str]) -> None:
    name, topic = doubtful()
    document = name.document
    assert document is not None
    desk.goto(f"{DESK}?kind=entity")
    expect(desk.locator(".desk-said")).to_contain_text("Several companies have this name")
    # Only what can be said of a name is offered.
    expect(desk.get_by_role("button", name="Reject")).to_be_visible()
    for nothing in ("Add", "Link", "End +", "Apply to all", "Page"):
        expect(desk.get_by_role("button", name=nothing, exact=False)).to_be_hidden()
    expect(desk.locator(".desk-choices li")).to_have_count(2)
    optics = desk.locator("[data-choice]", has_text="Halden Optics").locator("kbd").inner_text()
    desk.keyboard.press(optics)
    told(desk, "Relabelled")
    assert document.mentions.get().company.name == "Halden Optics"
    desk.keyboard.press("u")
    told(desk, "Taken back")
    assert document.mentions.get().company is None

    desk.goto(f"{DESK}?kind=topic")
    expect(desk.locator(".desk-said")).to_contain_text(
        "not about it, 52 % sure. Accept: it is not."
    )
    desk.keyboard.press("x")
    told(desk, "Rejected")
    assert TopicLabel.objects.get().applies
    desk.keyboard.press("u")
    told(desk, "Taken back")
    desk.keyboard.press("a")
    told(desk, "Accepted")
    assert not TopicLabel.objects.get().applies
    assert ReviewItem.objects.get(pk=topic.pk).state == "done"
    assert complaints == []
