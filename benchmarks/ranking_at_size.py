"""How long a new document takes to be ranked for all analysts: from its facts to the rows."""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from django.db.models import QuerySet
from django.utils import timezone
from pgvector import HalfVector, SparseVector

from docintel import encoders
from feed import ranking
from feed.models import FeedProfile
from ingestion.chunk_tables import TERM_DIMENSIONS, VECTOR_DIMENSIONS
from ingestion.models import Chunk, ChunkVector, Document


def measure(count: int) -> dict[str, float]:
    """Milliseconds of `feed.ranking.rank`, one document at a time; they are removed again."""
    _notes().delete()
    embedder = encoders.live_embedder()
    dice = np.random.default_rng(3)
    spent = []
    for number in range(count + 1):
        document = _document(number, dice)
        began = time.perf_counter()
        ranking.rank([document], embedder)
        spent.append(1_000 * (time.perf_counter() - began))
    p50, p95 = np.percentile(spent[1:], [50, 95])
    _notes().delete()
    return {
        "analysts": FeedProfile.objects.count(), "first_ms": spent[0], "p50_ms": float(p50),
        "p95_ms": float(p95), "n": count,
    }  # fmt: skip


def _notes() -> QuerySet[Document]:
    return Document.objects.filter(source=1_050, file_sha256__startswith="note ")


def _document(number: int, dice: np.random.Generator) -> Document:
    now = timezone.now()
    embedder = encoders.live_embedder()
    text = f"Northwind Traders said in note {number} that freight costs fell."
    document = Document.objects.create(
        source_id=1_050, title=f"Note {number}", text=text, file_sha256=f"note {number}",
        text_sha256=f"note {number}", kind=Document.Kind.NEWS, pages=[0], chunk_count=1,
        company_id=1_100, parsed_at=now, searchable_at=now, embedded_at=now, embedder=embedder,
    )  # fmt: skip
    chunk = Chunk.objects.create(
        document=document, ordinal=0, start=0, end=len(text), page=1, n_tokens=12,
        body=f"x\n{text}", header_length=2, terms=SparseVector({1: 1.0}, TERM_DIMENSIONS),
    )  # fmt: skip
    vector = dice.normal(size=VECTOR_DIMENSIONS)
    ChunkVector.objects.create(
        chunk=chunk, embedder=embedder, embedding=HalfVector(vector / np.linalg.norm(vector))
    )
    return document


def main() -> None:
    """How many from the command line; prints what `measure` returns as one line of JSON."""
    print("ranked " + json.dumps(measure(int(sys.argv[1]))), flush=True)
