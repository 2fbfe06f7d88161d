"""A question answered in a thread of a bounded pool, its events sent as they happen.

`events` is an asynchronous stream for a response; whoever stops reading it cancels the answer.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, connections
from django.http import StreamingHttpResponse

from docintel.taking_turns import step_aside
from qa.retrieval import BadQuery

R = TypeVar("R")
OnEvent = Callable[[str, dict[str, Any]], None]
# Gets the listener, and says whether nobody listens any more.
Answering = Callable[[OnEvent, Callable[[], bool]], Any]
log = logging.getLogger(__name__)
HEARTBEAT = b": still here\n\n"


class _Pool:
    """Runs at most `size` at a time, in the order of coming."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._executor = ThreadPoolExecutor(max_workers=size, thread_name_prefix="ask")
        self._lock = threading.Lock()
        self._inside = 0

    def submit(self, work: Callable[[], R]) -> tuple[Any, int]:
        """The future of the work, and how many come before it starts; 0 where it starts now."""
        with self._lock:
            ahead = max(0, self._inside - self.size + 1)
            self._inside += 1
        return self._executor.submit(self._run, work), ahead

    def forget(self) -> None:
        """One that was cancelled before it began has left."""
        with self._lock:
            self._inside -= 1

    def _run(self, work: Callable[[], R]) -> R:
        try:
            return work()
        finally:
            with self._lock:
                self._inside -= 1
            # Nobody would give back a connection of this thread.
            connections.close_all()


@cache
def pool() -> _Pool:
    return _Pool(settings.ASK_THREADS)


def wait_for(work: Callable[[], R]) -> R:
    """The work's result, done by the same pool; an error of it is raised here."""
    _give_back()
    future, _ = pool().submit(work)
    result: R = future.result()
    return result


def respond(answering: Answering) -> StreamingHttpResponse:
    """A response of server-sent events, each sent at once."""
    _give_back()
    return StreamingHttpResponse(
        events(answering),
        content_type="text/event-stream; charset=utf-8",
        headers={"Cache-Control": "no-cache, private", "X-Accel-Buffering": "no"},
    )


def _give_back() -> None:
    """The request's turn and its connection, else held until the answer is complete."""
    step_aside()
    if not connection.in_atomic_block:
        connection.close()


async def events(answering: Answering) -> AsyncIterator[bytes]:
    """The events of one answer as server-sent events, numbered from 1, until it is done.

    A comment is sent whenever nothing has happened for `ASK_HEARTBEAT_SECONDS`, so that no proxy
    takes the connection for dead. Trap: closing this iterator cancels the answer, so a response
    must close it.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[str, dict[str, Any]] | None] = asyncio.Queue()
    gone = threading.Event()

    def put(item: tuple[str, dict[str, Any]] | None) -> None:
        # The loop may have ended with the server while an answer still ran.
        if not loop.is_closed():
            loop.call_soon_threadsafe(queue.put_nowait, item)

    def work() -> None:
        try:
            answering(lambda name, data: put((name, data)), gone.is_set)
        except BadQuery as error:
            put(("error", {"text": str(error)}))
        except Exception:
            log.exception("an answer failed")
            put(("error", {"text": "The answer failed; it has been logged."}))
        finally:
            put(None)

    future, ahead = pool().submit(work)
    number = 0
    if ahead:
        number += 1
        yield frame(number, "waiting", {"ahead": ahead})
    try:
        while True:
            try:
                item = await asyncio.wait_for(queue.get(), settings.ASK_HEARTBEAT_SECONDS)
            except TimeoutError:
                yield HEARTBEAT
                continue
            if item is None:
                return
            number += 1
            yield frame(number, *item)
    finally:
        gone.set()
        # Not begun yet: then it never does, and nothing of it is recorded.
        if future.cancel():
            pool().forget()


def frame(number: int, event: str, data: dict[str, Any]) -> bytes:
    """One event; its JSON is on one line, as the format wants it."""
    body = json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False)
    return f"id: {number}\nevent: {event}\ndata: {body}\n\n".encode()
