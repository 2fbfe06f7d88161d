"""Chromium, driven against a live server; every page must keep its policy and its console clean."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.test import Client
from extraction_corpus import go_live
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from docintel import encoders
from extraction.changing_schemas import seed_schemas
from tests.asgi_server import served

ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
# Long, since only what never comes waits for it; Playwright's own five seconds are too few where
# four processes share two cores.
SLOW = 60_000
expect.set_options(timeout=SLOW)
REPORT_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) =>
  console.error("policy violated:", event.violatedDirective, event.blockedURI, event.sample))"""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for this folder's tests, gone before any other test of the process begins.

    While Playwright is at work its event loop counts as running in this thread, and a test that
    starts one of its own (`asyncio.run`) would be refused.
    """
    path = os.environ.get("DOCINTEL_CHROMIUM") or shutil.which("chromium")
    if not path:
        hint = "Chromium not found: apt-get install chromium, or name it by DOCINTEL_CHROMIUM"
        if os.environ.get("DOCINTEL_REQUIRE_BROWSER"):
            pytest.fail(hint)
        pytest.skip(hint)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def answered_to_the_end(transactional_db: None) -> Iterator[None]:
    """The database is emptied only when no request of the test is being answered any more.

    A page that is left, or a browser that is closed, does not wait for what it asked for last
    (a beacon, a picture, the next page); the server answers it all the same, and its queries and
    the TRUNCATE of every table wait for each other's locks.
    """
    under_way: list[object] = []

    def started(*, sender: object, **_: object) -> None:
        under_way.append(sender)

    def finished(**_: object) -> None:
        if under_way:
            under_way.pop()

    request_started.connect(started)
    request_finished.connect(finished)
    try:
        yield
        quiet, until = 0, time.monotonic() + 20
        while quiet < 4 and time.monotonic() < until:
            time.sleep(0.05)
            quiet = 0 if under_way else quiet + 1
    finally:
        request_started.disconnect(started)
        request_finished.disconnect(finished)


@pytest.fixture
def complaints() -> list[str]:
    """What the console said in anger; empty at the end of every test that does not expect it."""
    return []


@pytest.fixture
def site() -> Iterator[str]:
    """The address of a server that can stream; `live_server` cannot."""
    with served() as address:
        yield address


@pytest.fixture
def address(live_server: Any) -> str:
    """Where the browser finds the pages; a module whose pages stream says `site` instead."""
    return str(live_server.url)


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    context = browser.new_context(
        base_url=address, viewport={"width": 1280, "height": 900},
        permissions=["clipboard-read", "clipboard-write"],
    )  # fmt: skip
    context.set_default_timeout(SLOW)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, complaints: list[str]) -> Page:
    return watched(context.new_page(), complaints)


def watched(page: Page, complaints: list[str]) -> Page:
    page.add_init_script(REPORT_VIOLATIONS)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: (
            complaints.append(f"{page.url}: {message.text}")
            if message.type in ("error", "warning")
            else None
        ),
    )
    return page


@pytest.fixture
def without_models(
    settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    """No embedder answers, files lie in a folder of the test, and a tagger of schemas is live.

    All routes are imported, however slow the machine: the browser does not wait for it.
    """

    def unavailable() -> None:
        raise encoders.EncoderUnavailable("no model in this test")

    monkeypatch.setattr(encoders, "live_embedder", unavailable)
    settings.MEDIA_ROOT = tmp_path / "stored"
    cache.clear()
    seed_schemas()
    go_live()
    Client().get("/sign-in/")


def in_every_look(
    browser: Browser, address: str, name: str, widths: tuple[int, int], complaints: list[str]
) -> Iterator[tuple[Page, str]]:
    """A page of this person in light and in dark, wide and narrow, and what the look is called."""
    for scheme in ("light", "dark"):
        for width in widths:
            context = browser.new_context(
                base_url=address, color_scheme=scheme,
                viewport={"width": width, "height": 900}, reduced_motion="reduce",
            )  # fmt: skip
            context.set_default_timeout(SLOW)
            page = watched(context.new_page(), complaints)
            sign_in(page, name)
            yield page, f"{scheme}-{width}"
            context.close()


def sign_in(page: Page, name: str) -> None:
    page.goto("/sign-in/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(f"{name}-password")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
