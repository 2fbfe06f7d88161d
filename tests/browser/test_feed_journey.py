"""The feed in a browser: keys, scrolling, following in place, saving, news that moves nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect

from feed import announcing, ranking, reading, saving_searches
from feed.following import profile_of
from feed.matching_searches import match_pending
from feed.models import Engagement, FeedEvent, FeedProfile, Follow
from ingestion.querysets import Scope
from tests.browser.conftest import SLOW, sign_in, watched
from tests.browser.test_search_journey import judge
from tests.feed_corpus import company, known, source
from tests.test_company_page import extracted, filing
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def firm(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty stories of five wires, ranked for Alice; nothing is left to the dice."""
    monkeypatch.setattr(reading, "EXPLORING", 0.0)
    monkeypatch.setattr(announcing, "LOOK_SECONDS", 0.1)
    acme = company("Acme")
    known("Acme grew", of=acme, names=(acme,), topics={"mergers": 0.9})
    for number in range(30):
        known(f"Story {number}", wire=source(f"Wire {number % 5}"), days=0.1 + number / 10)
    profile_of(alice)
    ranking.rank_pending(seconds=600)


@pytest.fixture
def address(site: str) -> str:
    return site


def opened(page: Page) -> Page:
    sign_in(page, "alice")
    page.goto("/feed/")
    expect(page.locator("[data-card]").first).to_be_visible()
    return page


def test_the_keyboard_goes_through_the_cards_saves_mutes_and_opens(
    page: Page, complaints: list[str]
) -> None:
    opened(page)
    cards = page.locator("[data-card]")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(cards.first).to_be_focused()
    page.keyboard.press("s")
    expect(cards.first.get_by_role("button", name="Saved")).to_be_visible()
    expect(cards.first).to_be_focused()
    assert Engagement.objects.filter(saved_at__isnull=False).count() == 1
    page.keyboard.press("m")
    expect(cards.first.get_by_role("button", name="No longer mute").first).to_be_visible()
    assert Follow.objects.get().muted
    page.keyboard.press("o")
    page.wait_for_url("**/documents/**")
    page.goto("/feed/saved/")
    expect(page.locator("[data-card]")).to_have_count(1)
    until(FeedEvent.objects.filter(verb="impression").exists, "the cards shown are kept")
    assert complaints == []


def test_scrolling_brings_the_rest_without_a_click(page: Page, complaints: list[str]) -> None:
    opened(page)
    expect(page.locator("[data-card]")).to_have_count(reading.PER_PAGE)
    page.locator("li.more").scroll_into_view_if_needed()
    expect(page.locator("[data-card]")).to_have_count(31)
    expect(page.locator("li.more")).to_have_count(0)
    ids = page.locator("[data-card]").evaluate_all("all => all.map((one) => one.dataset.document)")
    assert len(set(ids)) == 31
    assert complaints == []


def test_following_and_muting_happen_in_place_and_are_undone_there(
    page: Page, complaints: list[str]
) -> None:
    opened(page)
    page.evaluate("window.sameDocument = true")
    card = page.locator("[data-card]", has=page.get_by_role("link", name="Acme grew"))
    card.get_by_role("button", name="Follow Acme", exact=True).click()
    expect(card.get_by_role("button", name="No longer follow Acme")).to_be_visible()
    assert not Follow.objects.get().muted
    card.get_by_role("button", name="No longer follow Acme").click()
    expect(card.get_by_role("button", name="Follow Acme", exact=True)).to_be_visible()
    assert not Follow.objects.exists()
    card.get_by_role("button", name="Mute Acme", exact=True).click()
    card.get_by_role("button", name="No longer mute Acme").click()
    expect(card.get_by_role("button", name="Mute Acme", exact=True)).to_be_visible()
    assert not Follow.objects.exists()
    assert page.evaluate("window.sameDocument")
    card.get_by_role("button", name="Mute Acme", exact=True).click()
    expect(card.get_by_role("button", name="No longer mute Acme")).to_be_visible()
    page.reload()
    expect(page.locator(".hidden-count", has_text="1 hidden")).to_be_visible()
    page.get_by_role("link", name="show").click()
    expect(page.get_by_role("link", name="Acme grew")).to_be_visible()
    assert complaints == []


def test_new_documents_are_announced_and_move_nothing(page: Page, complaints: list[str]) -> None:
    opened(page)
    page.mouse.wheel(0, 300)
    page.wait_for_function("scrollY > 200")
    card = page.locator("[data-card]").nth(2)
    before = card.bounding_box()
    for number in range(3):
        known(f"Just in {number}")
    ranking.rank_pending()
    banner = page.get_by_role("link", name="3 new documents – show")
    expect(banner).to_be_in_viewport()
    assert card.bounding_box() == before
    banner.click()
    expect(page.get_by_role("link", name="Just in 0")).to_be_visible()
    assert complaints == []


def test_without_a_stream_the_page_asks_by_itself(page: Page, complaints: list[str]) -> None:
    page.add_init_script("delete window.EventSource")
    page.clock.install()
    opened(page)
    known("Just in")
    ranking.rank_pending()
    page.clock.run_for(31_000)
    expect(page.get_by_role("link", name="1 new document – show")).to_be_visible()
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_of_the_feed_can_be_read(
    browser: Browser, site: str, alice: User, complaints: list[str], scheme: str, width: int
) -> None:
    acme = company("Acme")
    saved = saving_searches.save(alice, "Margins at Acme", "margins", Scope(companies=(acme.pk,)))
    failing = saving_searches.save(
        alice, "Freight", "freight costs", Scope(), webhook="https://example.com/hook"
    )
    failing.webhook_failures, failing.webhook_error = 3, "example.com answered 500."
    failing.save()
    filing(acme, 2023, "Acme's year.\n\nNet sales    100    90\n\nWe see a good year.")
    later = filing(acme, 2024, "Acme's year.\n\nNet sales    120    100\n\nWe see a hard year.")
    extracted(later, "Net sales", "120")
    known("Acme margins fell", of=acme, names=(acme,))
    match_pending()
    FeedProfile.objects.update(started_at=None)
    context = browser.new_context(
        base_url=site, color_scheme=scheme, viewport={"width": width, "height": 900},
        reduced_motion="reduce",
    )  # fmt: skip
    context.set_default_timeout(SLOW)
    page = watched(context.new_page(), complaints)
    sign_in(page, "alice")
    shots = os.environ.get("DOCINTEL_SCREENSHOTS")
    places = {
        "feed": "/feed/", "profile": "/feed/profile/", "ratings": "/feed/ratings/",
        "search": f"/feed/searches/{saved.public_id}/", "start": "/feed/start/",
        "failing": f"/feed/searches/{failing.public_id}/", "saved": "/feed/saved/",
        "company": f"/companies/{acme.pk}/", "found": "/?q=margins",
    }  # fmt: skip
    for name, place in places.items():
        page.goto(place)
        if name == "company":
            expect(page.get_by_role("heading", name="Since the last filing")).to_be_visible()
            expect(page.get_by_role("heading", name="Latest key figures")).to_be_visible()
        if shots:
            file = Path(shots, f"{name}-{scheme}-{width}.png")
            page.screenshot(path=file, full_page=name != "feed")
        judge(page)
    context.close()
    assert complaints == []
