"""Ask each source when its time has come, and fetch what they offer, one item of each in turn.

A source is held by a lease while it is asked or fetched from, so two workers are never at the same
one, and a slow one rests for as long as it kept others waiting. Trap: an item that waits for its
turn has not failed, and neither has its source.
"""

from __future__ import annotations

import logging
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from docintel import locking
from docintel.net import Blocked, Failed, TooLarge, TooSlow
from docintel.scheduling import enqueue
from ingestion import polled
from ingestion.fetching_items import fetch_item
from ingestion.listing import record
from ingestion.models import Source
from ingestion.sources import POLLED, Unusable

logger = logging.getLogger(__name__)

# Longer than one listing or one item can take; a killed worker's source comes back after it.
LEASE_SECONDS = 300
LOCK = "poll sources"
# Then the queue's other tasks get their turn, and this one comes again if something is left. Where
# another worker parses and indexes meanwhile, it may hold its own for longer.
SLICE_SECONDS = 60.0 if settings.Q_CLUSTER["workers"] > 1 else 20.0
# Asking is mostly answered by "unchanged": cheap, and late for many if one item came between each.
POLLS_PER_TURN = 4
# A source that took longer than this for one item rests, for twice as long as it took.
SLOW_SECONDS = 3.0
REST_FACTOR = 2
LONGEST_PAUSE = timedelta(days=1)
MOST_DOUBLINGS = 12
PROBLEMS = (Unusable, Blocked, Failed, TooLarge, TooSlow)


def poll_sources(seconds: float = SLICE_SECONDS) -> int:
    """Listings and items dealt with in about `seconds`; calls itself again if some are left.

    0 if a worker is at it already: with a second one, nobody would be left to parse and index.
    """
    ends = time.monotonic() + seconds
    threads = settings.FETCH_THREADS
    with locking.alone(LOCK) as alone:
        if not alone:
            return 0
        if threads > 1:
            with ThreadPoolExecutor(threads, thread_name_prefix="fetch") as pool:
                done = sum(pool.map(_in_thread, [ends] * threads))
        else:
            done = _work(ends)
    if anything_due():
        enqueue("ingestion.tasks.poll_sources")
    return done


def anything_due() -> bool:
    """Whether a worker that came now would find something to do."""
    return _candidates(polled.due_to_poll() | polled.due_for_a_turn()).exists()


def _in_thread(ends: float) -> int:
    try:
        return _work(ends)
    finally:
        connection.close()


def _work(ends: float) -> int:
    done = 0
    while time.monotonic() < ends:
        # By turns: many listings must not keep items waiting, nor the reverse.
        steps = 0
        while steps < POLLS_PER_TURN and time.monotonic() < ends and poll_next():
            steps += 1
        steps += int(take_turn())
        if not steps:
            break
        done += steps
    return done


def poll_next() -> bool:
    """Ask the source that is due the longest; False if none is."""
    source = claim_source(polled.due_to_poll(), "poll")
    if source is None:
        return False
    poll(source)
    return True


def take_turn() -> bool:
    """Fetch one item of the source that has waited longest for its turn; False if there is none."""
    source = claim_source(polled.due_for_a_turn(), "turn")
    if source is None:
        return False
    began = time.monotonic()
    item = source.items.due().first()
    changes: dict[str, Any] = {}
    if item is not None:
        pause = fetch_item(source, item)
        took = time.monotonic() - began
        if took > SLOW_SECONDS:
            pause = max(pause, REST_FACTOR * took)
        rest = min(timedelta(seconds=pause), LONGEST_PAUSE)
        changes["rest_until"] = timezone.now() + rest if pause else None
    _release(source, last_turn_at=timezone.now(), **changes)
    return True


def claim_source(due: Q, order: str) -> Source | None:
    """A due source that nobody else holds, leased; None if there is none."""
    while True:
        rows = _candidates(due)
        pk = rows.order_by(*polled.LONGEST_WAITING_FIRST[order]).values_list("pk", flat=True)[:1]
        found = list(pk)
        if not found:
            return None
        token = uuid.uuid4()
        until = timezone.now() + timedelta(seconds=LEASE_SECONDS)
        # The conditions again, in the update: another worker may be here too.
        row = _candidates(due).filter(pk=found[0]).order_by()
        if row.update(claim=token, claimed_until=until):
            source = Source.objects.filter(pk=found[0], claim=token).first()
            if source is not None:
                return source


def poll(source: Source) -> int:
    """Ask a claimed source; the number of new items. Its state says what came of it, in words."""
    try:
        listed = record(source)
    except PROBLEMS as error:
        _failed(source, str(error), getattr(error, "retry_after", 0.0))
        return 0
    except Exception as error:
        # One source that breaks its reader must not stop the others.
        logger.exception("source %s could not be read", source)
        _failed(source, f"It could not be read ({type(error).__name__}).", 0.0)
        return 0
    now = timezone.now()
    changes: dict[str, Any] = {"polled_at": now, "last_success_at": now, "failures": 0}
    if not listed.unchanged:
        changes |= {"etag": listed.etag, "last_modified": listed.last_modified}
        changes["notes"] = listed.notes
    # Where more is left than one poll takes, the rest is not kept waiting for a whole interval.
    pause = min(source.poll_interval, timedelta(minutes=1)) if listed.more else source.poll_interval
    _release(source, last_error="", next_run_at=now + pause, **changes)
    return listed.new


def back_off(source: Source, failures: int) -> timedelta:
    """How long to leave a source alone after this many failures in a row."""
    doubled = source.poll_interval * 2 ** min(max(failures - 1, 0), MOST_DOUBLINGS)
    return max(min(doubled, LONGEST_PAUSE), min(source.poll_interval, LONGEST_PAUSE))


def _failed(source: Source, reason: str, retry_after: float) -> None:
    now = timezone.now()
    failures = min(source.failures + 1, 30_000)
    asked = min(timedelta(seconds=retry_after), LONGEST_PAUSE)
    logger.warning("source %s: %s", source, reason)
    _release(
        source,
        polled_at=now,
        failures=failures,
        last_error=reason.replace("\0", ""),
        next_run_at=now + max(back_off(source, failures), asked),
    )


def _candidates(due: Q) -> Any:
    return Source.objects.filter(due, polled.free(), active=True, kind__in=POLLED)


def _release(source: Source, **changes: Any) -> None:
    """Write what came of it and let go; nothing is written if the lease ended before."""
    held = Source.objects.filter(pk=source.pk, claim=source.claim)
    if held.update(claim=None, claimed_until=None, **changes):
        for name, value in changes.items():
            setattr(source, name, value)
