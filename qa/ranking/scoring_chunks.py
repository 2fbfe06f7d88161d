"""Chunks ranked for a question, with its expansions at less weight, in any set of documents.

Few documents are scored chunk by chunk, once for all looks; many by walking the two indexes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from django.db import connections
from numpy.typing import NDArray
from pgvector import SparseVector

from docintel import encoders
from docintel.encoders import EncoderUnavailable
from docintel.models import ModelVersion
from ingestion.lexical import configs_present, query_terms
from ingestion.models import TERM_DIMENSIONS
from ingestion.querysets import ChunkQuerySet, DocumentQuerySet
from ingestion.ranking import Scored
from qa.understood import Expansion, Understanding

KEYWORDS_ONLY = "Meaning search is unavailable, these are keyword matches only."
# A walked index cannot weigh words, so only the surest expansions are added to its query.
WALKED_EXPANSIONS = 12
# Columns of a table of scores, after the ids of chunk and document.
WORDS, EXPANDED, MEANING = 2, 3, 4
_embedding = ThreadPoolExecutor(max_workers=16, thread_name_prefix="embed-question")


@dataclass(slots=True)
class Asked:
    """A question as both retrievers take it; `vector` is None where only words are searched.

    `terms` are its own words; `expanded` those that are left without the names and periods that
    filters stand for, with the expansions.
    """

    text: str
    walked: str
    terms: SparseVector
    expanded: SparseVector
    counted: bool
    vector: NDArray[np.float32] | None = None
    embedder: ModelVersion | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ranked:
    """One ranking of a look: what ranked, its weight in the fusion, chunk ids best first."""

    name: str
    weight: float
    ids: list[int]


def prepare(understanding: Understanding, text: str) -> Asked:
    """Both forms of the question; it is embedded while its words are looked up."""
    vector, embedder, notes = _start(text)
    added = [(row.term, row.weight) for row in understanding.expansions]
    configs = configs_present()
    own = query_terms(text, configs)
    left = without_names(text, understanding) or text
    expanded = query_terms(left, configs, added)
    nothing = SparseVector({}, TERM_DIMENSIONS)
    asked = Asked(
        text,
        " ".join([left, *_surest(understanding.expansions)]),
        nothing if own is None else own,
        nothing if expanded is None else expanded,
        counted=own is not None,
        notes=notes,
    )
    if vector is not None:
        try:
            asked.vector, asked.embedder = vector.result(), embedder
        except EncoderUnavailable:
            asked.notes.append(KEYWORDS_ONLY)
    return asked


def embed_in_background(text: str) -> Future[NDArray[np.float32]]:
    """The question's vector, on a thread of its own; raises EncoderUnavailable when asked for."""
    return _embedding.submit(_embed, text)


def without_names(text: str, understanding: Understanding) -> str:
    """The question without the companies and periods that its filters stand for."""
    if text != understanding.question:
        return text
    spans = [(read.start, read.end) for read in understanding.companies]
    spans += [(period.start, period.end) for period in understanding.periods if not period.implied]
    kept, at = [], 0
    for start, end in sorted(spans):
        if start >= at:
            kept.append(text[at:start])
            at = end
    return " ".join("".join([*kept, text[at:]]).split())


def scan(chunks: ChunkQuerySet, asked: Asked) -> NDArray[np.float64]:
    """Rows (chunk id, document id, BM25, BM25 expanded, cosine) of all these chunks."""
    return chunks.scored([asked.terms, asked.expanded], asked.vector, asked.embedder)


def rank_scanned(
    table: NDArray[np.float64], documents: Collection[int] | None, depth: int
) -> dict[str, list[int]]:
    """The best chunk ids by each score, of these documents only."""
    if documents is not None and len(table):
        table = table[np.isin(table[:, 1], np.fromiter(documents, dtype=np.float64))]
    return {
        "words": _best(table, WORDS, depth, above=0.0),
        "expanded": _best(table, EXPANDED, depth, above=0.0),
        "meaning": _best(table, MEANING, depth, above=-np.inf),
    }


def walk(
    chunks: ChunkQuerySet, documents: DocumentQuerySet | None, asked: Asked, depth: int
) -> dict[str, list[int]]:
    """The same of however many documents, by the indexes; None stands for all of them."""
    terms = asked.terms if asked.counted else None
    found = {
        "words": _ids(chunks.lexical(asked.text, documents, depth, terms=terms)),
        "expanded": [],
        "meaning": [],
    }
    if asked.walked != asked.text:
        terms = asked.expanded if asked.counted else None
        found["expanded"] = _ids(chunks.lexical(asked.walked, documents, depth, terms=terms))
    if asked.vector is not None and asked.embedder is not None:
        found["meaning"] = _ids(chunks.nearest(asked.vector, documents, asked.embedder, depth))
    return found


def _ids(hits: Iterable[Scored]) -> list[int]:
    return [hit.chunk_id for hit in hits]


def _best(table: NDArray[np.float64], column: int, depth: int, *, above: float) -> list[int]:
    if not len(table):
        return []
    scores = table[:, column]
    # NaN, a chunk without a vector, is above nothing.
    chosen = np.flatnonzero(scores > above)
    order = np.lexsort((table[chosen, 0], -scores[chosen]))[:depth]
    return [int(pk) for pk in table[chosen[order], 0]]


def _start(
    text: str,
) -> tuple[Future[NDArray[np.float32]] | None, ModelVersion | None, list[str]]:
    try:
        embedder = encoders.live_embedder()
    except EncoderUnavailable:
        return None, None, [KEYWORDS_ONLY]
    return embed_in_background(text), embedder, []


def _embed(text: str) -> NDArray[np.float32]:
    try:
        return encoders.embed([text], kind="query")[0]
    finally:
        # A connection of this thread would never be given back.
        connections.close_all()


def _surest(expansions: Sequence[Expansion]) -> list[str]:
    return [row.term for row in expansions[:WALKED_EXPANSIONS]]
