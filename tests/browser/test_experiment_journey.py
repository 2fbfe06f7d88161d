"""An analyst of the experiment in a browser: passages first, the composed answer on demand."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect

from qa.models import ExperimentOutcome
from tests.browser.conftest import sign_in
from tests.browser.test_search_journey import judge
from tests.reading_corpus import library
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MARGIN = "What was the gross margin of Tidewater Foods in fiscal year 2024?"


@pytest.fixture(autouse=True)
def corpus(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.ASK_EXPERIMENT_SHARE = 1.0
    library(embed=True)


@pytest.fixture
def address(site: str) -> str:
    return site


def test_passages_first_and_the_answer_on_demand(
    page: Page, alice: User, olga: User, complaints: list[str]
) -> None:
    sign_in(page, "alice")
    page.goto("/ask/")
    page.get_by_label("Your question").fill(MARGIN)
    page.keyboard.press("Enter")
    page.wait_for_url("**/answers/*/")
    listed = page.url
    expect(page.get_by_role("heading", name="The passages that answer best")).to_be_visible()
    expect(page.locator(".notices, [data-part=notices]")).to_contain_text("compare the two")
    expect(page.locator(".sentence")).to_have_count(0)
    judge(page)
    page.locator(".listed .passage a").first.click()
    page.wait_for_url("**/documents/**")
    # It is told while the page is left, so no page sees the answer to it.
    until(ExperimentOutcome.objects.filter(kind="opened").exists, "the opening is kept")
    page.goto(listed)
    page.get_by_role("button", name="Compose the answer anyway").click()
    page.wait_for_url(lambda url: url != listed and "/answers/" in url)
    expect(page.locator(".sentence", has_text="31.2 percent")).to_have_count(1)
    kinds = ExperimentOutcome.objects.values_list("kind", flat=True)
    assert sorted(kinds) == ["composed", "opened"]
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_operator_can_read_it(
    browser: Browser, site: str, olga: User, complaints: list[str], scheme: str, width: int
) -> None:
    context = browser.new_context(
        base_url=site, color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    sign_in(page, "olga")
    page.goto("/experiment/")
    expect(page.get_by_role("row", name="Opened a passage")).to_be_visible()
    judge(page)
    context.close()
