"""Many requests at once wait for their turn instead of failing; a stream keeps no turn."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from asgi_server import served
from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client

from docintel.taking_turns import in_turn, step_aside
from feed.following import profile_of
from tests.waiting import ENOUGH_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)


def test_no_more_than_so_many_are_worked_on_and_in_their_order(settings) -> None:
    settings.PAGES_AT_ONCE = 2
    inside, most, done = 0, 0, []

    async def page(request: HttpRequest) -> HttpResponse:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        await sync_to_async(list)()
        inside -= 1
        done.append(request.path)
        return HttpResponse()

    async def many() -> None:
        handler = in_turn(page)
        requests = [HttpRequest() for _ in range(20)]
        for number, request in enumerate(requests):
            request.path = str(number)
        answers = await asyncio.gather(*(handler(request) for request in requests))
        assert {answer.status_code for answer in answers} == {200}

    asyncio.run(many())
    assert most == 2
    assert sorted(done, key=int)[:2] == sorted(done[:2], key=int)
    assert len(done) == 20


def test_who_waits_too_long_is_told_so_and_a_stream_keeps_no_turn(settings) -> None:
    settings.PAGES_AT_ONCE, settings.TURN_SECONDS = 1, 0.05
    ended = asyncio.Event()

    async def stuck(_: HttpRequest) -> HttpResponse:
        await ended.wait()
        return HttpResponse()

    async def endless():
        while True:
            yield b""

    async def streaming(_: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(endless())

    async def two() -> None:
        for _ in range(3):
            assert (await in_turn(streaming)(HttpRequest())).status_code == 200
        first = asyncio.create_task(in_turn(stuck)(HttpRequest()))
        await asyncio.sleep(0)
        refused = await in_turn(stuck)(HttpRequest())
        assert (refused.status_code, refused["Retry-After"]) == (503, "10")
        ended.set()
        assert (await first).status_code == 200

    asyncio.run(two())


def test_who_waits_for_work_elsewhere_steps_aside(settings) -> None:
    settings.PAGES_AT_ONCE, settings.TURN_SECONDS = 1, ENOUGH_SECONDS
    waiting, ended = asyncio.Event(), asyncio.Event()

    async def asking(_: HttpRequest) -> HttpResponse:
        # On a thread, as a view is.
        await sync_to_async(step_aside)()
        waiting.set()
        await ended.wait()
        return HttpResponse()

    async def page(_: HttpRequest) -> HttpResponse:
        return HttpResponse()

    async def both() -> None:
        asked = asyncio.create_task(in_turn(asking)(HttpRequest()))
        await waiting.wait()
        assert (await in_turn(page)(HttpRequest())).status_code == 200
        ended.set()
        assert (await asked).status_code == 200
        # Given back once: there is still only one turn.
        settings.TURN_SECONDS = 0.05
        stuck, freed = asyncio.Event(), asyncio.Event()

        async def holding(_: HttpRequest) -> HttpResponse:
            stuck.set()
            await freed.wait()
            return HttpResponse()

        first = asyncio.create_task(in_turn(holding)(HttpRequest()))
        await stuck.wait()
        assert (await in_turn(page)(HttpRequest())).status_code == 503
        freed.set()
        await first

    asyncio.run(both())


def test_a_crowd_gets_its_pages(alice, settings) -> None:
    settings.PAGES_AT_ONCE, settings.TURN_SECONDS = 3, ENOUGH_SECONDS
    profile_of(alice)
    client = Client()
    client.force_login(alice)
    cookies = {"sessionid": client.cookies["sessionid"].value}
    with served() as place, ThreadPoolExecutor(40) as pool:
        codes = list(
            pool.map(
                lambda _: (
                    httpx.get(f"{place}/feed/", cookies=cookies, timeout=ENOUGH_SECONDS).status_code
                ),
                range(40),
            )
        )
    assert codes == [200] * 40
