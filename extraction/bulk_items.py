"""The documents of a bulk run: which comes next, what became of one, and how far the run is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Count, Sum
from django.utils import timezone

from extraction.result_tables import BulkDocument, BulkRun, ExtractionRun

State = BulkDocument.State
ENDED = {
    ExtractionRun.State.FINISHED: State.DONE,
    ExtractionRun.State.FAILED: State.FAILED,
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a bulk run is; `seconds` are those that workers spent on `done` documents.

    `known` documents had been read by the same versions before, and cost nothing now.
    """

    total: int
    done: int
    known: int
    failed: int
    left: int
    seconds: float
    active_seconds: float
    ends_at: datetime | None

    @property
    def read(self) -> int:
        """Now or before."""
        return self.done + self.known

    @property
    def percent(self) -> int:
        """Of the documents, those with an outcome; 100 only when all have one."""
        return 100 if not self.left else min(99, 100 * (self.total - self.left) // self.total)

    @property
    def seconds_each(self) -> float | None:
        """What a document took on average, of those read now."""
        return self.seconds / self.done if self.done else None

    @property
    def dollars(self) -> Decimal:
        """What that time of one worker costs."""
        return cost(self.seconds)

    @property
    def dollars_each(self) -> Decimal | None:
        return self.dollars / self.done if self.done else None


def cost(seconds: float) -> Decimal:
    """US dollars of this time of one worker, at the rate of the settings."""
    return Decimal(seconds) * Decimal(settings.EXTRACTION_DOLLARS_PER_HOUR) / 3600


def next_items(bulk: BulkRun, limit: int, seen: Collection[int]) -> list[BulkDocument]:
    """The first waiting ones, in their order, without these documents."""
    waiting = bulk.items.filter(state=State.WAITING).exclude(document__in=seen).order_by("pk")
    return list(waiting[:limit])


def settle(item: BulkDocument, bulk: BulkRun, run: ExtractionRun) -> bool:
    """Note what became of this document; False where it is not over yet."""
    state = ENDED.get(ExtractionRun.State(run.state))
    if state is None or run.ended_at is None:
        return False
    before = run.ended_at < bulk.created_at
    if state == State.DONE and before:
        state = State.KNOWN
    seconds = run.seconds if state == State.DONE else None
    waiting = BulkDocument.objects.filter(pk=item.pk, state=State.WAITING)
    return bool(waiting.update(state=state, seconds=seconds, finished_at=timezone.now()))


def progress(bulk: BulkRun) -> Progress:
    """Counted now; one query over its documents."""
    rows = bulk.items.order_by().values("state").annotate(n=Count("pk"), took=Sum("seconds"))
    counts = {row["state"]: row["n"] for row in rows}
    seconds = sum(row["took"] or 0.0 for row in rows)
    left = counts.get(State.WAITING, 0)
    done, failed = counts.get(State.DONE, 0), counts.get(State.FAILED, 0)
    active = active_seconds(bulk)
    each = active / (done + failed) if done + failed else None
    running = bulk.state == BulkRun.State.RUNNING and left and each
    return Progress(
        total=bulk.document_count,
        done=done,
        known=counts.get(State.KNOWN, 0),
        failed=failed,
        left=left,
        seconds=seconds,
        active_seconds=active,
        ends_at=timezone.now() + timedelta(seconds=left * each) if running and each else None,
    )


def active_seconds(bulk: BulkRun) -> float:
    """By the clock, without the time that it was paused."""
    if bulk.resumed_at is None:
        return bulk.seconds_before
    until = bulk.finished_at or timezone.now()
    return bulk.seconds_before + max(0.0, (until - bulk.resumed_at).total_seconds())


def close_if_over(bulk: BulkRun) -> bool:
    """Finish a running run that has no document left; whether it was."""
    if bulk.items.filter(state=State.WAITING).exists():
        return False
    running = BulkRun.objects.filter(pk=bulk.pk, state=BulkRun.State.RUNNING)
    return bool(running.update(state=BulkRun.State.FINISHED, finished_at=timezone.now()))
