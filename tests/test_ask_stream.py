"""Answers streamed by a real server: sentence by sentence, to whoever may, until they go away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from asgi_server import events_of, served
from django.contrib.auth.models import User
from django.test import Client
from llm_server import LlmServer, Reply, drafts, serving
from reading_corpus import library
from small_corpus import document

from docintel.models import ApiToken
from ingestion.lexical import refresh_statistics
from qa import streaming
from qa.models import Ask, CachedAnswer, ModelCall
from tests.waiting import ENOUGH_SECONDS, until

pytestmark = pytest.mark.django_db(transaction=True)
EVENTS = {"Accept": "text/event-stream"}
MARGIN = "What was the gross margin of Tidewater Foods in fiscal year 2024?"
QUOTES = [
    "Gross margin narrowed to 31.2 percent from 33.9 percent.",
    "Freight costs rose by eleven percent after the canal closed in March.",
]


@pytest.fixture(autouse=True)
def storage(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def llm(settings: Any) -> Iterator[LlmServer]:
    with serving() as running:
        settings.OPENAI_BASE_URL = running.url
        running.script = lambda body: Reply(drafts(body, QUOTES), pause=0.3)
        yield running


@pytest.fixture
def site() -> Iterator[str]:
    with served() as address:
        yield address


@pytest.fixture
def browser(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def page(site: str, client: Client) -> httpx.Client:
    """As a browser with alice's session and a CSRF token."""
    token = "a" * 32
    return httpx.Client(
        base_url=site, trust_env=False, timeout=ENOUGH_SECONDS,
        cookies={"sessionid": client.cookies["sessionid"].value, "csrftoken": token},
        headers={"X-CSRFToken": token},
    )  # fmt: skip


def test_sentences_come_one_by_one(site: str, browser: Client, llm: LlmServer) -> None:
    library(embed=True)
    sent_by_then: list[int] = []
    heard: list[str] = []
    with page(site, browser) as http, http.stream("POST", "/ask/stream/", data={"q": MARGIN}) as r:
        assert r.status_code == 200
        assert r.headers["content-type"].startswith("text/event-stream")
        assert (r.headers["x-accel-buffering"], "no-cache" in r.headers["cache-control"]) == (
            "no", True,
        )  # fmt: skip
        assert "default-src 'none'" in r.headers["content-security-policy"]
        ids = []
        for number, name, data in events_of(r):
            ids.append(number)
            heard.append(name)
            if name == "sentence":
                sent_by_then.append(llm.sent)
                assert data["citations"]
    assert ids == list(range(1, len(ids) + 1))
    assert [name for name in heard if name != "notice"] == [
        "understood", "route", "searching", "found", "sentence", "sentence", "done",
    ]  # fmt: skip
    # The first was here before the model had sent the second.
    assert sent_by_then[0] == 1
    assert Ask.objects.get().state == "answered"


def test_going_away_stops_the_model(site: str, browser: Client, llm: LlmServer) -> None:
    library(embed=True)
    llm.script = lambda body: Reply(drafts(body, QUOTES), hangs=True)
    with page(site, browser) as http, http.stream("POST", "/ask/stream/", data={"q": MARGIN}) as r:
        for _, name, _ in events_of(r):
            if name == "sentence":
                break
    assert llm.disconnected.wait(ENOUGH_SECONDS)
    until(Ask.objects.filter(state="cancelled").exists, "the question is cancelled")
    assert ModelCall.objects.get().status == "cancelled"


def test_the_stream_wants_a_csrf_token_and_a_question(site: str, browser: Client) -> None:
    with page(site, browser) as http:
        assert http.post("/ask/stream/", data={"q": "  "}).status_code == 400
        long = http.post("/ask/stream/", data={"q": "word " * 2_000})
        assert (long.status_code, "2,000" in long.json()["error"]) == (400, True)
        del http.headers["X-CSRFToken"]
        assert http.post("/ask/stream/", data={"q": MARGIN}).status_code == 403
    assert not Ask.objects.exists()


def test_the_api_streams_and_answers(site: str, alice: User, llm: LlmServer) -> None:
    library(embed=True)
    _, token = ApiToken.issue(alice, "test")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(
        base_url=site, headers=headers, trust_env=False, timeout=ENOUGH_SECONDS
    ) as http:
        accept = {"Accept": "text/event-stream"}
        with http.stream("POST", "/api/v1/ask/", json={"question": MARGIN}, headers=accept) as r:
            events = list(events_of(r))
        assert [name for _, name, _ in events][-1] == "done"
        streamed = [data for _, name, data in events if name == "sentence"]
        said = {"question": MARGIN, "again": True}
        answer = http.post("/api/v1/ask/", json=said).json()
        assert answer["sentences"] == streamed
        assert http.get(answer["url"]).json() == answer
        refused = http.post("/api/v1/ask/", json={"question": " "}, headers=accept)
        assert (refused.status_code, list(refused.json())) == (400, ["question"])


@pytest.mark.parametrize(
    "reply", [Reply(status=500, headers={"Retry-After": "0"}), Reply(hangs=True), Reply(status=0)]
)
def test_a_model_that_is_down_or_silent_is_stood_in_for(
    site: str, browser: Client, llm: LlmServer, settings: Any, reply: Reply
) -> None:
    library(embed=True)
    settings.LLM_SILENCE_SECONDS = 0.5
    llm.script = lambda _: reply
    with page(site, browser) as http, http.stream("POST", "/ask/stream/", data={"q": MARGIN}) as r:
        events = list(events_of(r))
    last = events[-1][2]
    assert (last["state"], last["mode"]) == ("answered", "extractive")
    assert "documents' own sentences" in last["notice"]
    assert any("31.2 percent" in d["text"] for _, name, d in events if name == "sentence")
    # Not for the next asker, who may find the model well.
    assert not CachedAnswer.objects.exists()


def test_out_of_budget_is_said(site: str, browser: Client, llm: LlmServer, settings: Any) -> None:
    library(embed=True)
    settings.LLM_DOLLARS_PER_DAY = "0.0001"
    with page(site, browser) as http, http.stream("POST", "/ask/stream/", data={"q": MARGIN}) as r:
        events = list(events_of(r))
    assert "budget" in events[-1][2]["notice"]
    assert events[-1][2]["mode"] == "extractive"
    assert llm.requests == []


def test_many_ask_at_once_and_each_gets_the_own_answer(
    site: str, alice: User, llm: LlmServer, settings: Any
) -> None:
    settings.ASK_RATE = 1_000
    names = [f"Company{n:02d} Works" for n in range(24)]
    quotes = [
        f"{name} narrowed its gross margin to {n}.5% in 2024." for n, name in enumerate(names)
    ]
    for name, quote in zip(names, quotes, strict=True):
        document([quote], company=name, fiscal_year=2024, title=name)
    refresh_statistics()
    llm.script = lambda body: Reply(each_of(body, quotes), first=0.2, pause=0.05)
    headers = {"Authorization": f"Bearer {ApiToken.issue(alice, 'test')[1]}"}

    def asks(n: int) -> list[str]:
        question = {"question": f"Why did the gross margin of {names[n]} narrow in 2024?"}
        with (
            httpx.Client(
                base_url=site, headers=headers, trust_env=False, timeout=ENOUGH_SECONDS
            ) as http,
            http.stream("POST", "/api/v1/ask/", json=question, headers=EVENTS) as r,
        ):
            return [data["text"] for _, name, data in events_of(r) if name == "sentence"]

    with ThreadPoolExecutor(24) as people:
        answers = list(people.map(asks, range(24)))
    assert answers == [[quote] for quote in quotes]
    assert Ask.objects.filter(state="answered").count() == 24


def each_of(body: dict[str, Any], quotes: list[str]) -> list[str]:
    """The quotes that the passages hold and whose company the question names."""
    question = body["messages"][1]["content"].partition("\n")[0]
    return drafts(body, [quote for quote in quotes if quote[:9] in question])


def test_who_has_to_wait_is_told_and_the_line_stays_open(
    alice: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.ASK_HEARTBEAT_SECONDS = 0.05
    small = streaming._Pool(1)
    monkeypatch.setattr(streaming, "pool", lambda: small)
    begun, release = threading.Event(), threading.Event()

    def first(on_event: streaming.OnEvent, cancelled: Callable[[], bool]) -> None:
        begun.set()
        assert release.wait(ENOUGH_SECONDS)
        on_event("done", {"text": "a\nb"})

    async def both() -> tuple[list[bytes], list[bytes]]:
        one = streaming.events(first)
        heard = [await anext(one)]
        assert await asyncio.to_thread(begun.wait, ENOUGH_SECONDS)
        two = streaming.events(lambda on_event, _: on_event("done", {}))
        waited = [await anext(two)]
        third = streaming.events(lambda on_event, _: on_event("done", {}))
        await anext(third)
        await third.aclose()  # It went away before its turn.
        release.set()
        heard += [frame async for frame in one]
        waited += [frame async for frame in two]
        return heard, waited

    # On a thread of its own: a browser of another test may keep a loop running on this one.
    with ThreadPoolExecutor(1) as thread:
        heard, waited = thread.submit(asyncio.run, both()).result(timeout=ENOUGH_SECONDS)
    assert heard[0] == streaming.HEARTBEAT
    assert heard[-1] == b'id: 1\nevent: done\ndata: {"text": "a\\nb"}\n\n'
    assert waited[0] == b'id: 1\nevent: waiting\ndata: {"ahead": 1}\n\n'
    assert waited[-1] == b"id: 2\nevent: done\ndata: {}\n\n"
    assert small._inside == 0
