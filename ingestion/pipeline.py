"""The stages as loops over what is due, and how far everything is.

Work is a query: each loop takes documents that lack its result until none is due or its time is
used. Any number of workers may run the same loop. One document's failure ends only its own turn;
a lost database ends the loop.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import InterfaceError, OperationalError
from django.db.models import Count, Q, Sum
from django.utils import timezone

from docintel import encoders, measuring
from docintel.models import Measurement
from docintel.scheduling import enqueue
from ingestion import (
    amending,
    claiming,
    entities,
    indexing,
    linking_older,
    near_duplicates,
    revising,
    topics,
    unit_vectors,
)
from ingestion.claiming import ClaimLost
from ingestion.freezing import freeze
from ingestion.models import CorpusStatistics, Document
from ingestion.parsing import ParserFailed, Unreadable
from ingestion.querysets import BODY_FIELDS, DocumentQuerySet
from ingestion.recognising.tagging import TaggerUnavailable
from ingestion.topics import ClassifierUnavailable
from ingestion.vector_tables import live_table

logger = logging.getLogger(__name__)

# Counted in under a second.
YOUNG_CHUNKS = 20_000
# A tick's share; what is left is enqueued again, so that other work gets its turn between. At 30
# seconds the polling of sources waited two minutes for a worker.
STAGE_SECONDS = 10.0
RATE_WINDOW = timedelta(minutes=5)
UNEXPECTED = "Something unexpected went wrong; the log has the details."


@dataclass(frozen=True, slots=True)
class Stage:
    """One loop: what is due, the verb that handles a claimed document, the tasks that follow.

    The verb returns whether the document has this stage behind it.
    """

    name: str
    backlog: Callable[[], DocumentQuerySet]
    work: Callable[[Document, float], bool]
    next_tasks: tuple[str, ...] = ()


def parse_pending(seconds: float = STAGE_SECONDS) -> int:
    """Parse what has arrived; how many documents were handled, failures included."""
    return _run(PARSE, seconds)


def take_through(seconds: float = STAGE_SECONDS) -> int:
    """Parse what has arrived, and index after each what is parsed; how many were parsed.

    No document waits until all its neighbours are parsed, and an amendment least of all.
    """
    return _run(PARSE, seconds, then=INDEX)


def index_pending(seconds: float = STAGE_SECONDS) -> int:
    """Make searchable what is parsed; how many documents were handled."""
    return _run(INDEX, seconds)


def embed_pending(seconds: float = STAGE_SECONDS) -> int:
    """Make the vectors that the live embedder lacks; how many documents were worked on.

    Gives way, between two batches, to documents that wait to become searchable.
    """
    try:
        return _run(EMBED, seconds)
    except encoders.EncoderUnavailable as error:
        logger.warning("vectors wait: %s", error)
        return 0


def recognise_pending(seconds: float = STAGE_SECONDS) -> int:
    """Find the mentions that the live recogniser lacks; how many documents were worked on.

    Gives way, between two parts, to documents that wait to become searchable.
    """
    try:
        return _run(RECOGNISE, seconds)
    except TaggerUnavailable as error:
        logger.warning("mentions wait: %s", error)
        return 0


def classify_pending(seconds: float = STAGE_SECONDS) -> int:
    """Find the topics that the live classifier has not; how many documents were handled."""
    try:
        return _run(CLASSIFY, seconds)
    except (encoders.EncoderUnavailable, ClassifierUnavailable) as error:
        logger.warning("topics wait: %s", error)
        return 0


def units_pending(seconds: float = STAGE_SECONDS) -> int:
    """Make the vectors of units that the live embedder lacks; how many documents were worked on.

    Gives way to documents that wait to become searchable or embedded.
    """
    try:
        return _run(UNITS, seconds)
    except encoders.EncoderUnavailable as error:
        logger.warning("vectors of units wait: %s", error)
        return 0


def work_once(seconds: float = STAGE_SECONDS) -> int:
    """A turn of each stage in this process; how many documents were handled, 0 when all is done.

    Raises EncoderUnavailable.
    """
    first = _run(PARSE, seconds) + _run(INDEX, seconds)
    first += _run(EMBED, seconds)
    first += recognise_pending(seconds) + classify_pending(seconds)
    return first + units_pending(seconds) + linking_older.link_older(seconds)


def progress() -> dict[str, Any]:
    """Documents by how far they are, and the vectors: made, wanted, per second, seconds left.

    Each count includes those further on: an embedded document is searchable and parsed too.
    For the operator: it counts what is hidden from some, too. Rates are the last minutes'; None
    where nothing was measured.
    """
    rows = Document.objects.filter(dropped_at=None)
    living = Q(superseded_at=None, withdrawn_at=None)
    current = living & Q(duplicate_of=None, near_duplicate_of=None, quarantined_at=None)
    searchable = current & Q(searchable_at__isnull=False)
    found: dict[str, Any] = rows.order_by().aggregate(
        total=Count("pk"),
        received=Count("pk", filter=current & Q(parsed_at=None)),
        parsed=Count("pk", filter=current & Q(parsed_at__isnull=False)),
        searchable=Count("pk", filter=searchable),
        embedded=Count("pk", filter=searchable & Q(embedded_at__isnull=False)),
        with_units=Count("pk", filter=searchable & Q(unit_embedder__isnull=False)),
        recognised=Count("pk", filter=searchable & Q(recognised_at__isnull=False)),
        duplicate=Count(
            "pk",
            filter=living & (Q(duplicate_of__isnull=False) | Q(near_duplicate_of__isnull=False)),
        ),
        superseded=Count("pk", filter=Q(superseded_at__isnull=False, withdrawn_at=None)),
        withdrawn=Count("pk", filter=Q(withdrawn_at__isnull=False)),
        quarantined=Count("pk", filter=living & Q(quarantined_at__isnull=False)),
        retrying=Count("pk", filter=current & Q(retry_after__isnull=False)),
        chunks_total=Sum("chunk_count", filter=searchable, default=0),
    )
    retired = rows.filter(~living, chunk_count__gt=0).order_by()
    vectors = live_table().objects
    left_search = vectors.filter(chunk__document__in=retired)
    found["chunks_embedded"] = vectors.count() - left_search.count()
    found["chunks_per_second"] = rate = _chunks_per_second()
    left = max(0, found["chunks_total"] - found["chunks_embedded"])
    found["seconds_left"] = left / rate if rate else None
    return found


def _chunks_per_second() -> float | None:
    since = timezone.now() - RATE_WINDOW
    recent = Measurement.objects.filter(name="embed_seconds", recorded_at__gte=since)
    rows = list(recent.values_list("value", "labels", "recorded_at"))
    if not rows:
        return None
    # By the clock, not by the sum: workers run side by side.
    began = min(at - timedelta(seconds=seconds) for seconds, _, at in rows)
    elapsed = (timezone.now() - began).total_seconds()
    return sum(labels.get("chunks", 0) for _, labels, _ in rows) / elapsed


def _run(stage: Stage, seconds: float, then: Stage | None = None) -> int:
    until = time.monotonic() + seconds
    handled = 0
    while time.monotonic() < until:
        document = claiming.claim(stage.backlog(), stage=stage.name)
        if document is None:
            if handled and INDEX in {stage, then}:
                _count_words_soon()
            return handled
        handled += 1
        if not _handle(stage, document, until):
            break
        if then and (document := claiming.claim(then.backlog(), stage=then.name)):
            _handle(then, document, until)
    enqueue(f"ingestion.tasks.{stage.name}_pending")
    return handled


def _count_words_soon() -> None:
    """A young corpus changes much between two ticks, and without a count no word has a weight."""
    if CorpusStatistics.current().n_chunks < YOUNG_CHUNKS:
        enqueue("ingestion.tasks.refresh_statistics")


def _handle(stage: Stage, document: Document, until: float) -> bool:
    """One claimed document; False when the loop had better end."""
    try:
        with claiming.held(document):
            done = stage.work(document, until)
    except (OperationalError, InterfaceError):
        # The database, not the document: the lease ends by itself.
        raise
    except ClaimLost:
        logger.info("document %s was taken over during %s", document.pk, stage.name)
    except (encoders.EncoderUnavailable, TaggerUnavailable, ClassifierUnavailable):
        claiming.release(document)
        raise
    except (Unreadable, encoders.TextTooLong) as error:
        claiming.fail(document, stage.name, str(error), permanent=True)
    except ParserFailed as error:
        claiming.fail(document, stage.name, str(error))
    except Exception:
        logger.exception("document %s failed in %s", document.pk, stage.name)
        claiming.fail(document, stage.name, UNEXPECTED)
    except BaseException:
        claiming.release(document)
        raise
    else:
        for task in stage.next_tasks if done else ():
            enqueue(task)
        return done
    return True


def _parse(document: Document, _until: float) -> bool:
    start = time.perf_counter()
    parsed = freeze(document)
    seconds = time.perf_counter() - start
    measuring.record(
        "parse_seconds",
        seconds,
        pages=len(parsed.pages),
        characters=len(parsed.text),
        bytes=document.file_size,
        media_type=parsed.media_type,
        duplicate=document.duplicate_of_id is not None,
    )
    return True


def _index(document: Document, _until: float) -> bool:
    start = time.perf_counter()
    newer = amending.link(document)
    if newer is not None and newer.pk != document.pk and newer.searchable_at:
        # Its amendment came first: it is history already.
        revising.retire_predecessors(newer)
        return True
    if near_duplicates.link(document) is not None:
        return True
    first_time = document.searchable_at is None and not document.chunk_count
    n_chunks = indexing.make_searchable(document)
    seconds = time.perf_counter() - start
    measuring.record("index_seconds", seconds, chunks=n_chunks, pages=len(document.pages))
    if first_time:
        lag = (timezone.now() - document.received_at).total_seconds()
        measuring.record("searchable_lag_seconds", lag, source=document.source_id)
    return True


def _embed(document: Document, until: float) -> bool:
    start = time.perf_counter()
    made, done = indexing.embed(document, until, _others_wait_for_search)
    measuring.record("embed_seconds", time.perf_counter() - start, chunks=made, done=done)
    if done and document.searchable_at:
        lag = (timezone.now() - document.searchable_at).total_seconds()
        measuring.record("vector_lag_seconds", lag, source=document.source_id)
    if not done:
        claiming.release(document)
    return done


def _recognise(document: Document, until: float) -> bool:
    start = time.perf_counter()
    made, done = entities.recognise(document, until, _others_wait_for_search)
    measuring.record("recognise_seconds", time.perf_counter() - start, mentions=made, done=done)
    if not done:
        claiming.release(document)
    return done


def _classify(document: Document, _until: float) -> bool:
    start = time.perf_counter()
    found = topics.classify(document)
    measuring.record("classify_seconds", time.perf_counter() - start, topics=found)
    return True


def _embed_units(document: Document, until: float) -> bool:
    start = time.perf_counter()
    made, done = unit_vectors.embed(document, until, others_wait_for_vectors)
    measuring.record("units_seconds", time.perf_counter() - start, units=made, done=done)
    if not done:
        claiming.release(document)
    return done


def others_wait_for_vectors() -> bool:
    """Whether documents wait to become searchable, or for vectors of the live embedder."""
    if _others_wait_for_search():
        return True
    return Document.objects.next_to_embed(encoders.live_embedder()).due().exists()


def _others_wait_for_search() -> bool:
    documents = Document.objects
    return documents.unparsed().due().exists() or documents.unindexed().due().exists()


def _unembedded() -> DocumentQuerySet:
    return Document.objects.next_to_embed(encoders.live_embedder()).defer(*BODY_FIELDS)


def _unrecognised() -> DocumentQuerySet:
    return Document.objects.unrecognised(entities.live_recogniser())


def _unclassified() -> DocumentQuerySet:
    embedder = encoders.live_embedder()
    return Document.objects.next_to_classify(embedder, topics.live_version(embedder)).defer(
        *BODY_FIELDS
    )


def _unitless() -> DocumentQuerySet:
    return Document.objects.next_for_units(encoders.live_embedder())


PARSE = Stage("parse", Document.objects.unparsed, _parse, ("ingestion.tasks.index_pending",))
INDEX = Stage("index", Document.objects.unindexed, _index, ("ingestion.tasks.embed_pending",))
# Embedding passes over a document while it is read, so its turn comes again right after.
RECOGNISE = Stage(
    "recognise",
    _unrecognised,
    _recognise,
    ("ingestion.tasks.embed_pending", "ingestion.tasks.classify_pending"),
)
EMBED = Stage(
    "embed",
    _unembedded,
    _embed,
    (
        "ingestion.tasks.recognise_pending",
        "ingestion.tasks.classify_pending",
        "ingestion.tasks.units_pending",
    ),
)
# Recognition may have passed over a document while it was classified.
CLASSIFY = Stage("classify", _unclassified, _classify, ("ingestion.tasks.recognise_pending",))
UNITS = Stage("units", _unitless, _embed_units)
