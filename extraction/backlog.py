"""Which documents wait to be extracted from: asked of the tables, never kept in a queue.

In turns: what failed or was interrupted, a document of each bulk run, one that was never read;
and, only where none of these is left, one that an earlier version read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.core.cache import cache
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from extraction import bulk_items
from extraction.claiming_runs import Versions
from extraction.result_tables import BulkDocument, BulkRun, ExtractionRun
from ingestion.models import Document
from ingestion.querysets import DocumentQuerySet

BATCH = 50
# Beside those that arrived lately, only documents older than the last ones read are looked at, and
# all again after this long: one may have come back from quarantine, or be of another kind now.
LOOK_AT_ALL_EVERY = timedelta(hours=1)
LATELY = timedelta(days=2)
LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A document that is due; `item` is its place in a bulk run, where it is of one."""

    document_id: int
    versions: Versions
    item: BulkDocument | None = None
    bulk: BulkRun | None = None


@dataclass(slots=True)
class _Turn:
    """One source of work; it is asked for the next batch when it has none left."""

    next_batch: Callable[[set[int]], Sequence[Waiting]]
    seen: set[int] = field(default_factory=set)
    batch: list[Waiting] = field(default_factory=list)

    def take(self) -> Waiting | None:
        if not self.batch:
            self.batch = [w for w in self.next_batch(self.seen) if w.document_id not in self.seen]
            self.seen.update(w.document_id for w in self.batch)
        return self.batch.pop(0) if self.batch else None


def waiting(automatic: Sequence[Versions], of_bulk: dict[int, Versions]) -> Iterator[Waiting]:
    """What is due, in turns. `of_bulk` are the versions of the schemas that have bulk runs, by id.

    Each document comes once from each source; another worker may have it by then.
    """
    turns = [
        _Turn(_interrupted(versions)) for versions in {**of_bulk, **_by_schema(automatic)}.values()
    ]
    turns += [
        _Turn(_of_bulk(bulk, of_bulk[bulk.schema_id]))
        for bulk in BulkRun.objects.running()
        if bulk.schema_id in of_bulk
    ]
    turns += [_Turn(_never_read(versions)) for versions in automatic]
    behind = [_Turn(_read_before(versions)) for versions in automatic]
    while True:
        round_ = [found for turn in turns if (found := turn.take())]
        if not round_:
            round_ = [found for turn in behind if (found := turn.take())]
        if not round_:
            return
        yield from round_


def never_read(versions: Versions) -> DocumentQuerySet:
    """Documents to which the schema applies and that it never read nor gave up, newest first."""
    of_document = ExtractionRun.objects.filter(document=OuterRef("pk"))
    return (
        versions.schema.documents()
        .filter(
            ~Exists(of_document.filter(schema=versions.schema, shown=True)),
            ~Exists(versions.runs.filter(document=OuterRef("pk"))),
        )
        .order_by(F("received_at").desc(), "pk")
    )


def read_before(versions: Versions) -> DocumentQuerySet:
    """Documents whose shown results are another version's, and that this one has not given up."""
    # Ranges instead of "not equal", so that an index can answer.
    model = versions.model_version.pk
    other = Q(model_version__lt=model) | Q(model_version__gt=model)
    shown = ExtractionRun.objects.filter(schema=versions.schema, shown=True).filter(
        other | ~Q(schema_version__in=versions.equal)
    )
    tried = versions.runs.filter(document=OuterRef("pk")).exclude(
        state=ExtractionRun.State.FINISHED
    )
    return (
        versions.schema.documents()
        .filter(~Exists(tried), pk__in=shown.order_by().values("document"))
        .order_by(F("received_at").desc(), "pk")
    )


def _by_schema(automatic: Sequence[Versions]) -> dict[int, Versions]:
    return {versions.schema.pk: versions for versions in automatic}


def _interrupted(versions: Versions) -> Callable[[set[int]], Sequence[Waiting]]:
    def next_batch(seen: set[int]) -> list[Waiting]:
        due = versions.runs.filter(schema=versions.schema).due().exclude(document__in=seen)
        return [Waiting(pk, versions) for pk in due.values_list("document", flat=True)[:BATCH]]

    return next_batch


def _of_bulk(bulk: BulkRun, versions: Versions) -> Callable[[set[int]], Sequence[Waiting]]:
    def next_batch(seen: set[int]) -> list[Waiting]:
        items = bulk_items.next_items(bulk, BATCH, seen)
        return [Waiting(item.document_id, versions, item, bulk) for item in items]

    return next_batch


def _never_read(versions: Versions) -> Callable[[set[int]], Sequence[Waiting]]:
    key = f"extraction-read-back-to-{versions.schema_version.pk}-{versions.model_version.pk}"

    def next_batch(seen: set[int]) -> list[Waiting]:
        now = timezone.now()
        documents = never_read(versions).exclude(pk__in=seen).values_list("pk", "received_at")
        found = list(documents.filter(received_at__gte=now - LATELY)[:BATCH])
        if not found:
            # Newest first, so what is newer than the last batch is read.
            back_to, looked_at = cache.get(key) or (now, now)
            older = documents.filter(received_at__lte=back_to)
            found = list(older[:BATCH])
            if not seen and not _arriving():
                reached = found[0][1] if found else LONG_AGO
                left = looked_at + LOOK_AT_ALL_EVERY - now
                cache.set(key, (reached, looked_at), max(1.0, left.total_seconds()))
        return [Waiting(pk, versions) for pk, _ in found]

    return next_batch


def _read_before(versions: Versions) -> Callable[[set[int]], Sequence[Waiting]]:
    def next_batch(seen: set[int]) -> list[Waiting]:
        found = read_before(versions).exclude(pk__in=seen).values_list("pk", flat=True)
        return [Waiting(pk, versions) for pk in found[:BATCH]]

    return next_batch


def _arriving() -> bool:
    """Whether older arrivals may still become searchable."""
    documents = Document.objects
    return documents.unparsed().exists() or documents.unindexed().exists()
