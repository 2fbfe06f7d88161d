"""Make a document searchable: by its words at once, by its meaning soon after.

Both indexes read the passage with a short header; what is shown and cited is the passage alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from pgvector import HalfVector
from tokenizers import Tokenizer

from docintel import encoders
from docintel.models import ModelVersion
from ingestion import chunking
from ingestion.claiming import ClaimLost, finish, lock
from ingestion.embedding_in_batches import embed_in_batches, keep_vectors
from ingestion.language import search_config
from ingestion.lexical import document_terms
from ingestion.models import Chunk, Document, EmbeddedBeside
from ingestion.parsing import Unreadable
from ingestion.passage_headers import leading
from ingestion.querysets import ChunkQuerySet
from ingestion.revising import retire_predecessors
from ingestion.vector_tables import table_of, vectors_by

ROWS_PER_INSERT = 250
# One commit each: what a killed worker loses at most.
CHUNKS_PER_COMMIT = 64


def make_searchable(document: Document) -> int:
    """Write all passages and both lexical forms in one transaction; how many there are.

    Passages of an earlier time are replaced, and what this document supersedes leaves the search.
    Raises ClaimLost, EncoderUnavailable (the embedder's
    tokenizer is not there) and Unreadable (no text).
    """
    rows = passages(document, encoders.tokenizer())
    if not rows:
        raise Unreadable("The document holds no text to search.")
    config = search_config(document.language)
    with _undone_safely(), transaction.atomic():
        lock(document)
        document.chunks.all().delete()
        EmbeddedBeside.objects.filter(document=document).delete()
        for first in range(0, len(rows), ROWS_PER_INSERT):
            batch = rows[first : first + ROWS_PER_INSERT]
            terms = document_terms([row.body for row in batch], config)
            for row, weights in zip(batch, terms, strict=True):
                row.terms = weights
            Chunk.objects.bulk_create(batch)
        if not finish(
            document,
            chunk_count=len(rows),
            searchable_at=timezone.now(),
            embedded_at=None,
            embedder=None,
            unit_embedder=None,
            classifier=None,
            index_again=False,
        ):
            raise ClaimLost(document.pk)
        retire_predecessors(document)
    return len(rows)


@contextmanager
def _undone_safely() -> Iterator[None]:
    """Give up the connection whose transaction was rolled back.

    pg_textsearch 1.0.0 leaves a session that undid an insert deaf to cancelling and terminating,
    so that the server could not shut down while it stays connected.
    """
    try:
        yield
    except BaseException:
        if not connection.in_atomic_block:
            connection.close()
        raise


def passages(document: Document, tokenizer: Tokenizer) -> list[Chunk]:
    """The document's chunks as rows not yet stored and without terms."""
    pieces = chunking.chunk(
        document.text,
        document.pages,
        document.sections,
        tokenizer,
        tables=document.tables,
        lead=lead_of(document),
    )
    return [
        Chunk(
            document=document,
            ordinal=ordinal,
            start=piece.start,
            end=piece.end,
            page=piece.page,
            section=piece.section,
            statement=piece.statement,
            n_tokens=piece.n_tokens,
            body=piece.header + document.text[piece.start : piece.end],
            header_length=len(piece.header),
        )
        for ordinal, piece in enumerate(pieces)
    ]


def lead_of(document: Document) -> str:
    """The first line of its passages' headers: who, what and when. Without a company, the title."""
    who = document.company.name if document.company else document.title
    other = document.kind == Document.Kind.OTHER
    kind = "" if other else str(document.get_kind_display())
    return leading(who, kind, document.period)


def embed(
    document: Document,
    until: float | None = None,
    interrupted: Callable[[], bool] = lambda: False,
) -> tuple[int, bool]:
    """Vectors by the live embedder for the passages that lack one, in committed batches.

    Returns how many were made and whether the document has all of them. Stops early, keeping what
    is done, when `time.monotonic()` passes `until` or `interrupted()`; at least one batch is made.
    Raises ClaimLost, EncoderUnavailable and TextTooLong.
    """
    embedder = encoders.live_embedder()
    return embed_in_batches(
        document,
        lacking(document, embedder),
        lambda batch: _embed_batch(document, batch, embedder),
        at_once=CHUNKS_PER_COMMIT,
        finished=lambda: {"embedder": embedder, "embedded_at": timezone.now()},
        until=until,
        interrupted=interrupted,
    )


def lacking(document: Document, embedder: ModelVersion) -> ChunkQuerySet:
    """Its passages without a vector of this embedder, in reading order."""
    vectors = vectors_by(embedder).filter(chunk=OuterRef("pk"))
    chunks = Chunk.objects.filter(document=document).filter(~Exists(vectors))
    return chunks.only("pk", "body").order_by("ordinal")


def _embed_batch(document: Document, batch: list[Chunk], embedder: ModelVersion) -> int:
    vectors = encoders.embed([chunk.body for chunk in batch])
    table = table_of(embedder)
    rows = [
        table(chunk_id=chunk.pk, embedder=embedder, embedding=HalfVector(vector))
        for chunk, vector in zip(batch, vectors, strict=True)
    ]
    keep_vectors(document, table, rows, ["embedding"])
    return len(rows)
