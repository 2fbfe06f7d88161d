"""From signing in to the highlighted passage, by mouse and by keyboard, in both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, BrowserContext, Page, expect

from docintel import encoders
from ingestion.models import Document
from tests.browser.conftest import sign_in, watched
from tests.reading_corpus import PAGES, library, pdf, process

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# What an assistive technology would trip over, as (selector, what is wrong).
FAULTS = """() => {
  const faults = [];
  const visible = (node) => node.checkVisibility();
  const headings = [...document.querySelectorAll("h1")].filter(visible);
  if (headings.length !== 1) faults.push(`${headings.length} visible h1`);
  if (!document.documentElement.lang) faults.push("no language");
  if (!document.title.trim()) faults.push("no title");
  if (document.querySelectorAll("main").length !== 1) faults.push("not one main");
  const fields = document.querySelectorAll("input:not([type=hidden]), select, textarea");
  for (const field of fields) {
    if (!field.labels?.length && !field.ariaLabel) faults.push("no label: " + field.outerHTML);
  }
  for (const image of document.querySelectorAll("img")) {
    if (!image.alt) faults.push("no alt: " + image.outerHTML);
  }
  for (const node of document.querySelectorAll("button, a[href], summary")) {
    if (!(node.textContent.trim() || node.ariaLabel)) faults.push("no name: " + node.outerHTML);
  }
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  for (const id of ids) {
    if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push("id twice: " + id);
  }
  if (document.documentElement.scrollWidth > innerWidth + 1) faults.push("scrolls sideways");
  return faults;
}"""

# The lowest contrast of any text on the page, with the text: WCAG AA asks for 4.5.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const linear = (c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color[3] > 250) return color;
    }
    return [255, 255, 255, 255];
  };
  let worst = [99, ""];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !node.checkVisibility()) continue;
    const [a, b] = [light(rgba(getComputedStyle(node).color)), light(ground(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, walker.currentNode.textContent.trim().slice(0, 60)];
  }
  return worst;
}"""


@pytest.fixture(autouse=True)
def corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable() -> None:
        raise encoders.EncoderUnavailable("no model in this test")

    monkeypatch.setattr(encoders, "live_embedder", unavailable)
    library()


def test_a_question_leads_to_the_marked_page(
    page: Page, alice: User, complaints: list[str]
) -> None:
    sign_in(page, "alice")
    page.get_by_label("Search the documents").fill("freight costs after the canal closed")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"\?q=freight"))
    expect(page.get_by_role("status").first).to_have_text("2 documents found")
    expect(page.locator("mark").first).to_be_visible()
    page.locator(".passage a", has_text="canal closed").first.click()
    marks = page.locator("#page-2 .marks rect.focus")
    expect(marks.first).to_be_visible()
    # The excerpt begins on the page before; that is where the reader is led.
    expect(page.locator(".marks rect.focus").first).to_be_in_viewport()
    image = page.locator("#page-2 img")
    expect(image).to_have_js_property("complete", value=True)
    assert image.evaluate("image => image.naturalWidth") == 1000
    expect(page.get_by_role("link", name="Next hit")).to_be_visible()
    page.get_by_role("link", name="Text", exact=True).click()
    expect(page.locator("mark#passage")).to_be_in_viewport()
    page.go_back()
    page.go_back()
    expect(page.locator(".results")).to_be_visible()
    assert complaints == []


def test_scope_is_added_and_removed_without_reloading(
    page: Page, alice: User, complaints: list[str]
) -> None:
    sign_in(page, "alice")
    page.goto("/?q=freight")
    page.evaluate("window.sameDocument = true")
    page.locator("summary", has_text="Company").click()
    page.get_by_label("Tidewater Foods").check()
    page.get_by_role("button", name="Apply").first.click()
    chip = page.locator(".chip.on", has_text="Tidewater Foods")
    expect(chip).to_be_visible()
    expect(page.locator(".result")).to_have_count(1)
    assert "company=" in page.url
    chip.click()
    expect(page.locator(".result")).to_have_count(2)
    assert "company=" not in page.url
    assert page.evaluate("window.sameDocument")
    assert complaints == []


def test_the_keyboard_is_enough(page: Page, alice: User, complaints: list[str]) -> None:
    sign_in(page, "alice")
    page.locator("body").click(position={"x": 5, "y": 400})
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("freight")
    page.keyboard.press("Enter")
    expect(page.locator(".result").first).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator("[data-hit]").first).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("[data-hit]").first).to_be_focused()
    page.locator(".passage a", has_text="canal closed").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-hits] h2")).to_contain_text("Hit")
    before = page.url
    page.keyboard.press("n")
    page.wait_for_url(lambda url: url != before)
    expect(page.locator("[data-hits] h2")).to_contain_text("Hit")
    page.keyboard.press("p")
    page.wait_for_url(before)
    assert complaints == []


def test_an_upload_is_followed_to_its_end(
    page: Page, alice: User, complaints: list[str], tmp_path: Path
) -> None:
    sign_in(page, "alice")
    page.goto("/upload/")
    fresh = tmp_path / "fresh.pdf"
    fresh.write_bytes(pdf([["A new canal opens in May."]]).read())
    torn = tmp_path / "torn-again.pdf"
    torn.write_bytes(b"%PDF-1.4 torn again")
    same = tmp_path / "same.pdf"
    same.write_bytes(pdf(PAGES).read())
    page.locator("#files").set_input_files([fresh, torn, same])
    expect(page.locator(".picked li")).to_have_count(3)
    page.get_by_role("button", name="Upload").click()
    rows = page.locator(".arrival")
    expect(rows).to_have_count(3)
    process()
    expect(rows.filter(has_text="fresh.pdf").locator(".badge")).to_have_text("searchable")
    expect(rows.filter(has_text="torn-again.pdf")).to_contain_text("damaged")
    expect(rows.filter(has_text="same.pdf").locator(".badge")).to_have_text("duplicate")
    Document.objects.filter(file_name="fresh.pdf").update(embedded_at="2026-01-01T00:00Z")
    expect(rows.filter(has_text="fresh.pdf").locator(".badge")).to_have_text("ready")
    expect(page.locator("#poll[hx-get]")).to_have_count(0)
    assert complaints == []


def test_a_session_that_ended_leads_to_the_sign_in(
    page: Page, context: BrowserContext, alice: User
) -> None:
    sign_in(page, "alice")
    context.clear_cookies()
    page.locator("#q").fill("freight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_searching_and_reading_work_without_scripts(
    browser: Browser, live_server, alice: User
) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "alice")
    page.get_by_label("Search the documents").fill("freight")
    page.get_by_role("button", name="Search").click()
    page.locator(".passage a", has_text="canal closed").first.click()
    expect(page.locator("#page-2 img")).to_be_visible()
    page.get_by_role("link", name="Text", exact=True).click()
    expect(page.locator("mark#passage")).to_be_in_viewport()
    context.close()


def test_the_theme_is_remembered(page: Page, alice: User, complaints: list[str]) -> None:
    page.goto("/sign-in/")
    shade = "document.documentElement.dataset.shade"
    assert page.evaluate(shade) == "light"
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate(shade) == "dark"
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 23, 26)"
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_every_page_can_be_read_by_everyone(
    browser: Browser, live_server, adam: User, complaints: list[str], scheme: str, width: int
) -> None:
    context = browser.new_context(
        base_url=live_server.url,
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
        reduced_motion="reduce",
    )
    page = watched(context.new_page(), complaints)
    adam.is_superuser = True
    adam.save()
    filing = Document.objects.get(title="Tidewater 10-K")
    torn = Document.objects.get(file_name="torn.pdf")
    address = filing.get_absolute_url()
    passage = f"?q=freight&start={filing.pages[1]}&end={filing.pages[2]}"
    page.goto("/sign-in/")
    judge(page)
    sign_in(page, "adam")
    for place in (
        *("/", "/?q=freight&year=2024", "/?q=zebra&year=2024", "/documents/", "/upload/"),
        *("/quarantine/", f"{address}{passage}", f"{address}{passage}&view=text"),
        *(f"{address}edit/", torn.get_absolute_url()),
    ):
        page.goto(place)
        page.wait_for_load_state("networkidle")
        judge(page)
    context.close()
    assert complaints == []


def judge(page: Page) -> None:
    assert page.evaluate(FAULTS) == [], page.url
    ratio, text = page.evaluate(CONTRAST)
    assert ratio >= 4.5, f"{page.url}: contrast {ratio:.2f} of “{text}”"
