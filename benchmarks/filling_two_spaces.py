"""Passages with made-up vectors of two embedders, by which it shows whose vectors a search read.

The nearest to the question by one embedder are other passages than by the other. Nearness falls
off gradually, because a graph of neighbours does not reach a crowd that stands apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.db import connection
from django.utils import timezone
from numpy.typing import NDArray
from pgvector import HalfVector, SparseVector
from pgvector.psycopg import register_vector

from benchmarks.simulated_readers import multiply
from docintel import encoders
from docintel.models import ModelVersion
from docintel.scoring import CannotScore
from ingestion import reembedding
from ingestion.chunk_tables import TERM_DIMENSIONS, VECTOR_DIMENSIONS
from ingestion.models import Chunk, Document, EmbeddedBeside, Reembedding, Source
from ingestion.reembedding import CannotReembed
from ingestion.vector_tables import table_of

# So many passages, or this share of them, are the nearest by an embedder: a search takes 50, and a
# graph finds nearly all of the best.
NEAREST, NEAREST_SHARE = 300, 0.01
AT_ONCE = 2_000
LINE = "Freight costs rose by a tenth.\n"
COLUMNS = "chunk_id, embedder_id, embedding"
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Space:
    """An embedder, and the ids of the passages that are nearest to the question by it."""

    embedder: ModelVersion
    nearest: frozenset[int]


def fill(
    documents: int, passages: int, question: str, other: str
) -> tuple[Reembedding, list[Space]]:
    """So many documents of so many passages each, live and next embedder; all vectors are there.

    The re-embedding waits for a person to switch. Raises CannotScore where an embedder is missing.
    """
    try:
        live = encoders.live_embedder()
        row = reembedding.start(reembedding.candidate(other), who="bench", automatic=False)
        asked = [
            encoders.embed_here([question], name, kind="query")[0]
            for name in (live.version, row.embedder.version)
        ]
    except (encoders.EncoderUnavailable, CannotReembed) as error:
        raise CannotScore(str(error)) from error
    _documents(documents, passages, live)
    ids = np.array(Chunk.objects.order_by("pk").values_list("pk", flat=True), dtype=np.int64)
    spaces = [
        _vectors(embedder, ids, vector)
        for embedder, vector in zip((live, row.embedder), asked, strict=True)
    ]
    EmbeddedBeside.objects.bulk_create(
        [EmbeddedBeside(document_id=pk, embedder=row.embedder)
         for pk in Document.objects.values_list("pk", flat=True)],
        batch_size=AT_ONCE,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return row, spaces


def _documents(documents: int, passages: int, live: ModelVersion) -> None:
    """Each document's text is its passages, a line each."""
    now = timezone.now()
    source = Source.objects.create(name="Bench", kind=Source.Kind.UPLOAD)
    document = Document.objects.create(
        source=source, title="Note", text=LINE * passages, file_sha256="bench",
        text_sha256="bench", kind=Document.Kind.NEWS, pages=[0], chunk_count=passages,
        parsed_at=now, searchable_at=now, embedded_at=now, embedder=live,
    )  # fmt: skip
    chunk = Chunk.objects.create(
        document=document, ordinal=0, start=0, end=len(LINE), page=1, n_tokens=9, body=LINE,
        header_length=0, terms=SparseVector({1: 1.0}, TERM_DIMENSIONS),
    )  # fmt: skip
    with connection.cursor() as cursor:
        # Keys are not asked about rows that are right by construction.
        cursor.execute("SET session_replication_role = replica")
    numbered = f"generate_series(1, {documents}) g(n)"
    multiply(
        document, numbered, id="g.n + 1000", public_id="gen_random_uuid()",
        title="'Note ' || g.n", file_sha256="md5(g.n::text)", text_sha256="md5(g.n::text)",
    )  # fmt: skip
    multiply(
        chunk, f"{numbered}, generate_series(0, {passages - 1}) p(n)", document_id="g.n + 1000",
        ordinal="p.n", start=f"p.n * {len(LINE)}", end=f"(p.n + 1) * {len(LINE)}",
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = DEFAULT")


def _vectors(embedder: ModelVersion, ids: Numbers, asked: NDArray[np.float32]) -> Space:
    """A vector for each passage, and the graph built after that: many times as fast."""
    table = table_of(embedder)._meta.db_table
    dice = np.random.default_rng(embedder.pk)
    rank = dice.permutation(len(ids))
    # Only cursors that are opened after it know the type.
    register_vector(connection.connection)
    with connection.cursor() as cursor:
        cursor.execute(_GRAPH, [table])
        name, definition = cursor.fetchone()
        cursor.execute(f"DROP INDEX {name}")
        with cursor.copy(f"COPY {table} ({COLUMNS}) FROM STDIN WITH (FORMAT BINARY)") as into:
            into.set_types(["int8", "int8", "halfvec"])
            for start in range(0, len(ids), AT_ONCE):
                part = slice(start, start + AT_ONCE)
                vectors = drawn(rank[part] / len(ids), asked, dice)
                for pk, vector in zip(ids[part].tolist(), vectors, strict=True):
                    into.write_row((pk, embedder.pk, HalfVector(vector)))
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute(definition)
    best = ids[rank >= len(ids) - max(NEAREST, round(NEAREST_SHARE * len(ids)))]
    return Space(embedder, frozenset(best.tolist()))


def drawn(
    near: NDArray[np.float64], asked: NDArray[np.float32], dice: np.random.Generator
) -> NDArray[np.float32]:
    """Unit vectors whose cosine with the question is about `near` ** 4, in its dimensions."""
    width = int(np.flatnonzero(asked).max()) + 1
    noise = dice.normal(size=(len(near), width)).astype(np.float32)
    noise -= np.outer(noise @ asked[:width], asked[:width])
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    cosine = (near**4).astype(np.float32)[:, None]
    found = np.zeros((len(near), VECTOR_DIMENSIONS), dtype=np.float32)
    found[:, :width] = cosine * asked[:width] + np.sqrt(1 - cosine**2) * noise
    return found


_GRAPH = """
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexdef LIKE '%%hnsw%%'
"""
