"""Open feeds hear of documents that were ranked since, by a stream that holds no thread.

One look at the database every few seconds serves all streams of a process; only when something
was ranked does each of them count what is new for its own reader, which says nothing of the rest.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from asgiref.sync import SyncToAsync, sync_to_async
from django.db import DatabaseError, connection
from django.db.models import Max

from feed import reading
from feed.models import RankedDocument
from ingestion.querysets import User

LOOK_SECONDS = 3.0
HEARTBEAT_SECONDS = 20.0
# A browser asks anew; so a session that ended meanwhile is noticed.
LONGEST = timedelta(minutes=15)
# Of one process. Who comes when it is full asks every half minute instead.
MOST_LISTENERS = 500


class Full(Exception):
    """As many listen as may."""


class _Watch:
    """What all streams of one event loop wait for."""

    def __init__(self) -> None:
        self.listeners = 0
        self.changed = asyncio.Event()
        self._newest: datetime | None = None
        self._task: asyncio.Task[None] | None = None

    def join(self) -> None:
        """Raises Full."""
        if self.listeners >= MOST_LISTENERS:
            raise Full
        self.listeners += 1
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._look())

    def leave(self) -> None:
        self.listeners -= 1

    async def _look(self) -> None:
        while self.listeners:
            # A database that is away is looked at again.
            with suppress(DatabaseError):
                newest = await _off_loop(_newest)
                if newest != self._newest:
                    self._newest = newest
                    self.changed.set()
                    self.changed = asyncio.Event()
            await asyncio.sleep(LOOK_SECONDS)


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, _Watch] = WeakKeyDictionary()


async def stream(user: User, since: datetime) -> AsyncIterator[bytes]:
    """Server-sent events: `new` with a count whenever it grew, `full` where nobody more may listen.

    Trap: whoever responds with it must have given back the request's database connection.
    """
    _release_thread()
    loop = asyncio.get_running_loop()
    watch = _watches.setdefault(loop, _Watch())
    try:
        watch.join()
    except Full:
        yield b"event: full\ndata: {}\n\n"
        return
    until, told = loop.time() + LONGEST.total_seconds(), 0
    try:
        while loop.time() < until:
            changed = watch.changed
            count = await _counted(user, since, told)
            if count > told:
                told = count
                yield f"event: new\ndata: {json.dumps({'count': count})}\n\n".encode()
            try:
                await asyncio.wait_for(changed.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield b": still here\n\n"
    finally:
        watch.leave()


async def _counted(user: User, since: datetime, told: int) -> int:
    try:
        count: int = await _off_loop(reading.count_new, user, since)
    except DatabaseError:
        return told
    return count


async def _off_loop(work: Any, *arguments: Any) -> Any:
    """On one of the few threads that the loop has for all, not on one of this request's own."""

    def run() -> Any:
        try:
            return work(*arguments)
        finally:
            if not connection.in_atomic_block:
                connection.close()

    return await sync_to_async(run, thread_sensitive=False)()


def _newest() -> datetime | None:
    found: datetime | None = RankedDocument.objects.aggregate(newest=Max("ranked_at"))["newest"]
    return found


def _release_thread() -> None:
    """Ends the thread on which this request's middleware and view ran; it would idle to the end.

    What still has to run synchronously afterwards gets a new one.
    """
    context = SyncToAsync.thread_sensitive_context.get(None)
    executor = SyncToAsync.context_to_thread_executor.pop(context, None) if context else None
    if executor is not None:
        executor.shutdown(wait=False)
