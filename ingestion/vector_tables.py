"""In which of two tables the vectors of an embedder are; they are made beside the live one's.

An embedder keeps its table for good. Trap: its row must come with `metadata`.
"""

from __future__ import annotations

from typing import cast

from django.db import connection
from django.db.models import QuerySet

from docintel import registry
from docintel.models import ModelVersion
from ingestion.models import ChunkVector, EmbeddedBeside, OtherChunkVector
from ingestion.querysets import VECTORS, DocumentQuerySet, relation_of

# Both have the same columns and are used alike.
Table = type[ChunkVector]
# By the name by which a chunk knows its row.
TABLES: dict[str, Table] = {"vector": ChunkVector, "other_vector": cast("Table", OtherChunkVector)}


def table_of(embedder: ModelVersion) -> Table:
    """The first one, unless a re-embedding gave it the other."""
    return TABLES[relation_of(embedder)]


def vectors_by(embedder: ModelVersion) -> QuerySet[ChunkVector]:
    """The vectors of this embedder; in its table there may be another's."""
    return table_of(embedder).objects.filter(embedder=embedder)


def live_table() -> Table:
    """That of the live embedder."""
    live = registry.live(registry.EMBEDDER)
    return table_of(live) if live else ChunkVector


def lacking_vectors(documents: DocumentQuerySet, embedder: ModelVersion) -> int:
    """How many of these are found by their words alone, where this embedder reads the question.

    It may have been live until a moment ago: a search ends by the one that it began with.
    """
    lacking = documents.unembedded(embedder)
    if not lacking.exists():
        return 0
    beside = EmbeddedBeside.objects.filter(embedder=embedder, reason="")
    return lacking.exclude(pk__in=beside.values("document")).count()


def shares_table(one: ModelVersion, other: ModelVersion) -> bool:
    return relation_of(one) == relation_of(other)


def give_other_table(embedder: ModelVersion, live: ModelVersion) -> None:
    """Give it the table that the live one is not in, emptied."""
    (other,) = set(TABLES) - {relation_of(live)}
    embedder.metadata = {**embedder.metadata, VECTORS: other}
    ModelVersion.objects.filter(pk=embedder.pk).update(metadata=embedder.metadata)
    empty_table_of(embedder)


def empty_table_of(embedder: ModelVersion) -> None:
    """At once, however many vectors there are. Trap: another's in the same table go too."""
    with connection.cursor() as cursor:
        # It is refused where rows of this transaction are yet to be checked.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"TRUNCATE {connection.ops.quote_name(table_of(embedder)._meta.db_table)}")
