"""Requests take turns: as many at once as there are database connections for pages, in their order.

An asynchronous server would begin them all; each would wait for a connection, and where a hundred
people come at once some would get an error instead of their page. What is streamed has had its
turn when the stream begins, and who waits for work elsewhere steps aside. A request's body is read
before, so that nobody's slow line keeps a turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from weakref import WeakKeyDictionary

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

RETRY_SECONDS = 10
_step_aside: ContextVar[Callable[[], None]] = ContextVar("gives back the turn of this request")
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


def in_turn(
    get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]],
) -> Callable[[HttpRequest], Awaitable[HttpResponseBase]]:
    """The same, once it is the request's turn."""

    async def answer(request: HttpRequest) -> HttpResponseBase:
        turns = _turns.setdefault(
            asyncio.get_running_loop(), asyncio.Semaphore(settings.PAGES_AT_ONCE)
        )
        try:
            await asyncio.wait_for(turns.acquire(), settings.TURN_SECONDS)
        except TimeoutError:
            words = "Too many people ask at once; try again in a moment."
            return HttpResponse(words, status=503, headers={"Retry-After": str(RETRY_SECONDS)})
        turn = _Turn(turns)
        _step_aside.set(turn.step_aside)
        try:
            return await get_response(request)
        finally:
            turn.end()

    return answer


def step_aside() -> None:
    """Gives back the turn of this request, if it has one: from here on it only waits."""
    found = _step_aside.get(None)
    if found is not None:
        found()


class _Turn:
    """Given back once, from the loop's thread or from another."""

    def __init__(self, turns: asyncio.Semaphore) -> None:
        self._turns: asyncio.Semaphore | None = turns
        self._loop = asyncio.get_running_loop()

    def end(self) -> None:
        turns, self._turns = self._turns, None
        if turns is not None:
            turns.release()

    def step_aside(self) -> None:
        self._loop.call_soon_threadsafe(self.end)
