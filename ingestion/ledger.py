"""What every source should have given, what arrived and how far it came, in numbers that add up.

Per source: fetched = searchable + waiting + quarantined, over what the source still says; what is
superseded, withdrawn or dropped is counted beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Aggregate, Count, Exists, F, FloatField, Min, OuterRef, Q
from django.db.models.fields.json import KT
from django.utils import timezone

from docintel.models import Measurement
from ingestion.models import Document, Source

# Lags are those of documents that became searchable within this time.
WINDOW = timedelta(hours=24)
SEARCHABLE_LIMIT_SECONDS = 30 * 60
SEARCHABLE_ALERT_SECONDS = 45 * 60
VECTOR_ALERT_SECONDS = 60 * 60
COUNTS = (
    *("expected", "fetched", "searchable", "embedded", "waiting", "quarantined", "withdrawn"),
    *("superseded", "amended", "dropped", "absent"),
)


@dataclass(slots=True)
class Line:
    """One source's numbers, or everybody's where `source` is None; lags in seconds.

    `expected` is what the source offered when it was last looked through, or what it sent if it
    cannot be looked through. `p50` and `p95` are from arrival to searchable, None without any.
    """

    source: Source | None = None
    expected: int = 0
    fetched: int = 0
    searchable: int = 0
    embedded: int = 0
    waiting: int = 0
    quarantined: int = 0
    withdrawn: int = 0
    superseded: int = 0
    amended: int = 0  # superseded by another item of the source, which still offers both
    dropped: int = 0
    absent: int = 0
    oldest_waiting: datetime | None = None
    p50: float | None = None
    p95: float | None = None
    vector_p95: float | None = None

    @property
    def not_fetched(self) -> int:
        """Offered by the source, and nothing of it has arrived."""
        return max(0, self.expected - self.fetched - self.amended - self.dropped)

    @property
    def alerts(self) -> list[str]:
        """What is later than it may be, in words."""
        found = []
        age = timezone.now() - self.oldest_waiting if self.oldest_waiting else timedelta(0)
        if age.total_seconds() > SEARCHABLE_ALERT_SECONDS:
            found.append(f"A document has waited for {age.total_seconds() / 60:.0f} minutes.")
        if self.p95 and self.p95 > SEARCHABLE_ALERT_SECONDS:
            found.append("Documents become searchable too late (p95 over 45 minutes).")
        elif self.p95 and self.p95 > SEARCHABLE_LIMIT_SECONDS:
            found.append("Documents become searchable late (p95 over 30 minutes).")
        if self.vector_p95 and self.vector_p95 > VECTOR_ALERT_SECONDS:
            found.append("Vectors follow too late (p95 over 60 minutes).")
        return found

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        oldest = self.oldest_waiting.isoformat() if self.oldest_waiting else None
        return {
            "source": self.source.name if self.source else None,
            **{name: getattr(self, name) for name in COUNTS},
            "oldest_waiting": oldest,
            "arrival_to_searchable_p50_seconds": self.p50,
            "arrival_to_searchable_p95_seconds": self.p95,
            "vector_lag_p95_seconds": self.vector_p95,
            "alerts": self.alerts,
        }


@dataclass(slots=True)
class Ledger:
    """`total` adds the lines up; its lags are of all of them together."""

    lines: list[Line] = field(default_factory=list)
    total: Line = field(default_factory=Line)


class Percentile(Aggregate):
    """A percentile of an expression, interpolated; `fraction` from 0 to 1."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()

    def __init__(self, expression: Any, fraction: float, **extra: Any) -> None:
        super().__init__(expression, fraction=float(fraction), **extra)


def ledger(sources: Iterable[Source] | None = None) -> Ledger:
    """The lines of these sources (default: all) by name, and their total."""
    chosen = list(Source.objects.all() if sources is None else sources)
    lines = {source.pk: Line(source) for source in chosen}
    for row in _counts().filter(source__in=lines):
        line = lines[row.pop("source")]
        for name, value in row.items():
            setattr(line, name, value)
    total = Line()
    for line in lines.values():
        offered = line.source.offered if line.source else None
        line.waiting = line.fetched - line.searchable - line.quarantined
        line.expected = line.fetched + line.dropped if offered is None else offered
        for name in COUNTS:
            setattr(total, name, getattr(total, name) + getattr(line, name))
    waiting = [line.oldest_waiting for line in lines.values() if line.oldest_waiting]
    total.oldest_waiting = min(waiting, default=None)
    _measure(lines, total)
    return Ledger(list(lines.values()), total)


def _counts() -> Any:
    living = Q(superseded_at=None, withdrawn_at=None, dropped_at=None)
    sound = living & Q(quarantined_at=None, duplicate_of__quarantined_at=None)
    searchable = sound & _reached("searchable_at")
    retired = Q(superseded_at__isnull=False, withdrawn_at=None)
    successors = Document.objects.filter(supersedes=OuterRef("pk"))
    amended = Exists(successors.exclude(external_id=OuterRef("external_id")))
    rows = Document.objects.order_by().annotate(is_amended=amended).values("source")
    return rows.annotate(
        fetched=Count("pk", filter=living),
        searchable=Count("pk", filter=searchable),
        embedded=Count("pk", filter=searchable & _reached("embedded_at")),
        quarantined=Count("pk", filter=living & ~sound),
        withdrawn=Count("pk", filter=Q(withdrawn_at__isnull=False)),
        superseded=Count("pk", filter=retired),
        amended=Count("pk", filter=retired & Q(is_amended=True)),
        dropped=Count("pk", filter=Q(dropped_at__isnull=False)),
        absent=Count("pk", filter=living & Q(missing_scans__gt=0)),
        oldest_waiting=Min("received_at", filter=sound & ~searchable),
    )


def _reached(moment: str) -> Q:
    """Its own text, or the one that stands for it."""
    stand_ins = ("", "duplicate_of__", "near_duplicate_of__", "duplicate_of__near_duplicate_of__")
    found = Q()
    for stand_in in stand_ins:
        found |= Q(**{f"{stand_in}{moment}__isnull": False})
    return found


def _measure(lines: dict[int, Line], total: Line) -> None:
    recent = Measurement.objects.filter(recorded_at__gte=timezone.now() - WINDOW).annotate(
        of_source=KT("labels__source")
    )
    recent = recent.filter(of_source__in=[str(pk) for pk in lines]).order_by()
    searchable = recent.filter(name="searchable_lag_seconds")
    vectors = recent.filter(name="vector_lag_seconds")
    halves = {"p50": Percentile(F("value"), 0.5), "p95": Percentile(F("value"), 0.95)}
    vector = {"vector_p95": Percentile(F("value"), 0.95)}
    for rows, wanted in ((searchable, halves), (vectors, vector)):
        for name, value in rows.aggregate(**wanted).items():
            setattr(total, name, value)
        for row in rows.values("of_source").annotate(**wanted):
            found: dict[str, Any] = {**row}
            line = lines[int(found["of_source"])]
            for name in wanted:
                setattr(line, name, found[name])
