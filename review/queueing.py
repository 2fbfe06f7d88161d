"""What enters the queue from an extraction: what the model was unsure of, and a random audit.

Work is a query: shown runs that were not looked through as they are now. Nothing that a person has
settled enters again, and what the model proposes no more leaves.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from extraction.models import ExtractionRun
from extraction.result_tables import RunQuerySet
from review import carrying_over
from review.desk_tables import DeskSettings
from review.item_tables import ItemQuerySet, QueuedRun, ReviewItem
from review.reading_runs import Reading

RUNS_AT_ONCE = 200
ROWS_AT_ONCE = 1_000
# What another version of the model says anew of a proposal that waits.
SAID_ANEW = (
    "model_version", "schema_version", "confidence", "rule", "reason", "stakes", "value", "state",
)  # fmt: skip
State, Why = ReviewItem.State, ReviewItem.Why


def queue_pending(most: int = RUNS_AT_ONCE) -> int:
    """Look through the oldest runs that were not; how many proposals wait because of them."""
    close_superseded()
    settings = DeskSettings.current()
    runs = unqueued().select_related("schema", "schema_version", "model_version", "document")
    return sum(queue(run, settings) for run in runs.defer("document__text")[:most])


def unqueued() -> RunQuerySet:
    """Shown runs of current documents that were not looked through as they and their schema are."""
    queued = QueuedRun.objects.filter(
        run=OuterRef("pk"), ended_at=OuterRef("ended_at"), schema_number=OuterRef("schema__version")
    )
    living = Q(document__superseded_at=None, document__withdrawn_at=None)
    finished = ExtractionRun.objects.shown().filter(living, state=ExtractionRun.State.FINISHED)
    return finished.filter(~Exists(queued), ended_at__isnull=False).order_by("pk")


@transaction.atomic
def queue(run: ExtractionRun, settings: DeskSettings) -> int:
    """One run's proposals enter, are said anew or leave; how many of them wait now."""
    carrying_over.carry_over(run)
    wanted = {item.key: item for item in Reading.of(run, settings).items()}
    known = ReviewItem.objects.filter(document=run.document_id, schema=run.schema_id)
    by_model = known.exclude(why__in=(Why.MOVED, Why.ADDED))
    _say_anew(by_model.filter(state__in=(State.OPEN, State.GONE), key__in=wanted), wanted)
    gone = by_model.waiting().exclude(key__in=wanted)
    gone.update(state=State.GONE, closed_at=timezone.now())
    ReviewItem.objects.bulk_create(wanted.values(), batch_size=ROWS_AT_ONCE, ignore_conflicts=True)
    waiting = known.waiting().count()
    as_it_is = {"ended_at": run.ended_at, "schema_number": run.schema.version, "items": waiting}
    QueuedRun.objects.update_or_create(run=run, defaults=as_it_is)
    return waiting


def close_superseded() -> int:
    """Items of documents that an amendment replaced, but those that somebody holds; how many."""
    old = Q(document__superseded_at__isnull=False) | Q(document__withdrawn_at__isnull=False)
    left = ReviewItem.objects.waiting().unheld().filter(old)
    return left.update(state=State.GONE, closed_at=timezone.now())


def _say_anew(rows: ItemQuerySet, wanted: dict[str, ReviewItem]) -> None:
    # Locked: a verdict given meanwhile must not be followed by the old state.
    there = list(rows.select_for_update())
    for row in there:
        for name in SAID_ANEW:
            setattr(row, name, getattr(wanted[row.key], name))
    ReviewItem.objects.bulk_update(there, SAID_ANEW, batch_size=ROWS_AT_ONCE)
