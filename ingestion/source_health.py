"""How each polled source is doing, in words and numbers: for the health report and the desk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Min, Q
from django.utils import timezone
from django.utils.timesince import timesince, timeuntil

from docintel.doctor import Finding
from ingestion.models import Source, SourceItem
from ingestion.source_querysets import SourceQuerySet
from ingestion.sources import POLLED

# Overdue by more than its own interval, or by this where that is short.
SHORTEST_LATE = timedelta(minutes=5)
RATE_HOURS = 24
COUNTS = ("listed", "fetched", "waiting", "given_up", "lately")


@dataclass(frozen=True, slots=True)
class Standing:
    """One source's ledger: items ever `listed` = `fetched` + `waiting` + `given_up`."""

    source: Source
    listed: int
    fetched: int
    waiting: int
    given_up: int
    oldest_waiting: timedelta
    documents_an_hour: float
    lag: timedelta

    @property
    def late(self) -> bool:
        return self.lag > max(self.source.poll_interval, SHORTEST_LATE)

    @property
    def words(self) -> str:
        """What an operator should know first."""
        if not self.source.active:
            return "switched off"
        if self.source.last_error:
            return failing(self.source)
        if self.late:
            return f"should have been asked {_ago(self.lag)} ago"
        if self.waiting:
            return f"{self.waiting:,} waiting for their turn, the oldest for " + _ago(
                self.oldest_waiting
            )
        return "up to date" if self.source.last_success_at else "not asked yet"


def standings(sources: SourceQuerySet) -> list[Standing]:
    """Of the polled ones among these sources, in their order; three queries in all."""
    now = timezone.now()
    rows = list(sources.filter(kind__in=POLLED))
    taken = SourceItem.objects.filter(source__in=rows).values("source")
    waiting = Q(fetched_at__isnull=True, gave_up_at__isnull=True)
    counted = taken.annotate(
        listed=Count("pk"),
        fetched=Count("pk", filter=Q(fetched_at__isnull=False)),
        waiting=Count("pk", filter=waiting),
        given_up=Count("pk", filter=Q(gave_up_at__isnull=False, fetched_at__isnull=True)),
        oldest=Min("listed_at", filter=waiting),
        lately=Count("pk", filter=Q(fetched_at__gte=now - timedelta(hours=RATE_HOURS))),
    )
    by_source: dict[int, Any] = {row["source"]: row for row in counted.order_by()}
    nothing: dict[str, Any] = dict.fromkeys(COUNTS, 0)
    found = []
    for source in rows:
        row = by_source.get(source.pk, {**nothing, "oldest": None})
        found.append(
            Standing(
                source=source,
                listed=row["listed"],
                fetched=row["fetched"],
                waiting=row["waiting"],
                given_up=row["given_up"],
                oldest_waiting=now - row["oldest"] if row["oldest"] else timedelta(0),
                documents_an_hour=row["lately"] / RATE_HOURS,
                lag=source.lag if source.active else timedelta(0),
            )
        )
    return found


def describe(source: Source) -> list[str]:
    """How a source is doing, in sentences: what was asked when, what came, what is next."""
    if source.kind not in POLLED:
        return _described_unpolled(source)
    row = standings(Source.objects.filter(pk=source.pk))[0]
    lines = [f"It is {row.words}." if not source.last_error else failing(source)]
    if source.last_success_at:
        lines.append(f"It last answered {timesince(source.last_success_at)} ago.")
    elif source.polled_at:
        lines.append("It has never answered.")
    lines.append(
        f"Of {row.listed:,} items that it listed, {row.fetched:,} were fetched, {row.waiting:,} "
        f"wait for their turn and {row.given_up:,} were given up."
    )
    lines.append(f"In the last day it brought {row.documents_an_hour:.1f} documents an hour.")
    if source.rest_until and source.rest_until > timezone.now():
        lines.append(
            f"It answers slowly, so it rests for {timeuntil(source.rest_until)} between two items."
        )
    if source.active and source.next_run_at and not source.last_error:
        late = row.lag > timedelta(minutes=1)
        lines.append(
            f"Its next run is {_ago(row.lag)} overdue."
            if late
            else f"It is asked again in {timeuntil(source.next_run_at)}."
            if source.next_run_at > timezone.now()
            else "It is asked again now."
        )
    return [*lines, *source.notes]


def _described_unpolled(source: Source) -> list[str]:
    if not source.active:
        return ["It is switched off."]
    if source.kind != Source.Kind.FOLDER:
        return ["It takes what is sent; nothing is fetched from it."]
    lines = source.last_error.splitlines()
    if source.last_success_at:
        lines.append(
            f"It was last looked through without a problem {timesince(source.last_success_at)} ago."
        )
    elif not lines:
        lines.append("It has not been looked through yet.")
    if source.offered is not None:
        lines.append(f"It held {source.offered:,} files when it was last looked through.")
    return lines


def findings() -> Iterator[Finding]:
    """A line for each polled source that needs somebody, and one for all of them."""
    found = standings(Source.objects.filter(active=True))
    well = 0
    for row in found:
        if row.source.last_error:
            hint = "check its location in the administration, or switch it off"
            yield Finding(f"Source {row.source.name}", ok=False, message=row.words, hint=hint)
        elif row.late:
            hint = "is a worker running? Start one with: make serve"
            yield Finding(f"Source {row.source.name}", ok=False, message=row.words, hint=hint)
        else:
            well += 1
    if not found:
        return
    listed, fetched = sum(row.listed for row in found), sum(row.fetched for row in found)
    given_up = sum(row.given_up for row in found)
    lost = f", {given_up:,} given up" if given_up else ""
    yield Finding(
        "Polled sources",
        ok=True,
        message=f"{well:,} of {len(found):,} are well; "
        f"{fetched:,} of {listed:,} listed items fetched{lost}",
    )


def failing(source: Source) -> str:
    """The error of a source, how often it came, and when it is tried again."""
    lines = source.last_error.splitlines() or [""]
    often = f"{source.failures} times in a row: " if source.failures > 1 else ""
    if source.next_run_at is None or source.next_run_at <= timezone.now():
        return f"{often}{lines[0]}"
    return f"{often}{lines[0]} Next try in {timeuntil(source.next_run_at)}."


def _ago(age: timedelta) -> str:
    return timesince(timezone.now() - age)
