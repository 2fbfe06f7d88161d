"""Vectors by the embedder that is to follow, made beside those of the live one.

Work is a query here too: what lacks such vectors, newest first, in committed batches. Nothing of
the documents' own stages is touched: what this embedder cannot read is served as before.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from pgvector import HalfVector

from docintel import encoders, promoted_weights
from docintel.encoders import EncoderUnavailable, TextTooLong
from docintel.locking import alone
from docintel.models import ModelVersion
from docintel.weights import WeightsUnavailable
from ingestion import pipeline, reembedding
from ingestion.indexing import CHUNKS_PER_COMMIT, lacking
from ingestion.models import Chunk, Document, EmbeddedBeside, Reembedding
from ingestion.querysets import BODY_FIELDS, DocumentQuerySet
from ingestion.vector_tables import table_of

State = Reembedding.State
# Read at once: to find the first that lack vectors takes as long as to find the next fifty.
AHEAD = 50
log = logging.getLogger(__name__)


def make_pending(seconds: float = pipeline.STAGE_SECONDS) -> int:
    """Make vectors for at most so long, and switch when none is lacking; how many were made.

    One process at a time; others return at once. Gives way to documents that wait to become
    searchable or to get the live embedder's vectors.
    """
    with alone("re-embedding") as mine:
        row = reembedding.under_way()
        if not mine or row is None or row.state == State.PAUSED:
            return 0
        try:
            source = promoted_weights.embedder_source(row.embedder)
            return _make(row, source, time.monotonic() + seconds)
        except (EncoderUnavailable, WeightsUnavailable) as error:
            log.warning("the re-embedding waits: %s", error)
            Reembedding.objects.filter(pk=row.pk).update(note=f"It waits: {error}")
            return 0


def documents_lacking(embedder: ModelVersion) -> DocumentQuerySet:
    """Searchable ones that it has neither behind it nor failed to read."""
    known = EmbeddedBeside.objects.filter(document=OuterRef("pk"), embedder=embedder)
    return Document.objects.searchable().filter(~Exists(known))


def _make(row: Reembedding, source: str, until: float) -> int:
    made = 0
    while documents := _next(row.embedder):
        for document in documents:
            made += _embed(row, document, source, until)
            row.refresh_from_db(fields=["state"])
            if time.monotonic() >= until or row.state == State.PAUSED or not row.is_under_way:
                return made
            if pipeline.others_wait_for_vectors():
                return made
    reembedding.complete(row)
    return made


def _next(embedder: ModelVersion) -> list[Document]:
    rows = documents_lacking(embedder).order_by("-received_at", "pk").defer(*BODY_FIELDS)
    return list(rows[:AHEAD])


def _embed(row: Reembedding, document: Document, source: str, until: float) -> int:
    """At least one batch, and all where the time allows."""
    made = 0
    while batch := list(lacking(document, row.embedder)[:CHUNKS_PER_COMMIT]):
        began = time.monotonic()
        try:
            vectors = encoders.embed_here([chunk.body for chunk in batch], source)
        except TextTooLong as error:
            _mark(document, row.embedder, f"A passage is too long for it: {error}.")
            return made
        halves = [HalfVector(vector) for vector in vectors]
        made += _keep(row, document, batch, halves, time.monotonic() - began)
        if time.monotonic() >= until:
            break
    _mark(document, row.embedder)
    return made


def _keep(
    row: Reembedding,
    document: Document,
    batch: Sequence[Chunk],
    vectors: Sequence[HalfVector],
    seconds: float,
) -> int:
    """Those of passages that are still there: the document may have been cut anew meanwhile."""
    table = table_of(row.embedder)
    with transaction.atomic():
        _hold(document)
        there = set(Chunk.objects.filter(pk__in=[c.pk for c in batch]).values_list("pk", flat=True))
        table._default_manager.bulk_create(
            [
                table(chunk_id=chunk.pk, embedder=row.embedder, embedding=vector)
                for chunk, vector in zip(batch, vectors, strict=True)
                if chunk.pk in there
            ],
            update_conflicts=True,
            unique_fields=["chunk"],
            update_fields=["embedder", "embedding"],
        )
        Reembedding.objects.filter(pk=row.pk).update(
            chunks=F("chunks") + len(there), seconds=F("seconds") + seconds, note=""
        )
    return len(there)


def _mark(document: Document, embedder: ModelVersion, reason: str = "") -> None:
    """Note that it is done, if it is, or why it cannot be."""
    with transaction.atomic():
        _hold(document)
        if reason or not lacking(document, embedder).exists():
            EmbeddedBeside.objects.update_or_create(
                document=document, embedder=embedder, defaults={"reason": reason}
            )


def _hold(document: Document) -> None:
    """Until the transaction ends nobody cuts it anew."""
    Document.objects.filter(pk=document.pk).select_for_update().values_list("pk").first()
