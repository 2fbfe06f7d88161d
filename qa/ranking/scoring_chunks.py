"""Chunks ranked for a question, with its expansions at less weight, in any set of documents.

Few documents are scored chunk by chunk, once for all looks; many by walking the two indexes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field

import numpy as np
from django.db import connections
from numpy.typing import NDArray
from pgvector import SparseVector

from docintel import encoders
from docintel.encoders import EncoderUnavailable
from docintel.models import ModelVersion
from docintel.remembering import remembered
from ingestion.lexical import configs_present, query_terms
from ingestion.models import TERM_DIMENSIONS
from ingestion.querysets import ChunkQuerySet, DocumentQuerySet
from ingestion.ranking import Scored
from qa.understood import Expansion, Understanding

KEYWORDS_ONLY = "Meaning search is unavailable, these are keyword matches only."
# A walked index cannot weigh words, so only the surest expansions are added to its query.
WALKED_EXPANSIONS = 12
# Columns of a table of scores, after the ids of chunk and document.
WORDS, EXPANDED, MEANING, MEANING_LEFT = 2, 3, 4, 5
# What a name leaves behind when it is cut out of "Halden's margin".
_POSSESSIVE = re.compile(r"(?<!\w)['’]s?(?=\s)")
_embedding = ThreadPoolExecutor(max_workers=16, thread_name_prefix="embed-question")


@dataclass(slots=True)
class Asked:
    """A question as both retrievers take it; the vectors are None where only words are searched.

    `terms` are its own words; `expanded` those that are left without the names and periods that
    filters stand for, with the expansions. `vector` is of the whole question, `left_vector` of what
    is left: among one company's passages its name brings up whatever repeats the name.
    """

    text: str
    walked: str
    terms: SparseVector
    expanded: SparseVector
    counted: bool
    vector: NDArray[np.float32] | None = None
    left_vector: NDArray[np.float32] | None = None
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
    left = without_names(text, understanding) or text
    vectors, embedder, notes = _start(list(dict.fromkeys([text, left])))
    added = [(row.term, row.weight) for row in understanding.expansions]
    configs = configs_present()
    own = query_terms(text, configs)
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
    if embedder is not None:
        try:
            made = [vector.result()[0] for vector in vectors]
            asked.vector, asked.left_vector, asked.embedder = made[0], made[-1], embedder
        except EncoderUnavailable:
            asked.notes.append(KEYWORDS_ONLY)
    return asked


def embed_in_background(texts: Sequence[str]) -> Future[NDArray[np.float32]]:
    """A vector each, on a thread of its own; raises EncoderUnavailable when asked for.

    Once in a turn: whoever begins early has it when the search needs it.
    """
    asked = tuple(texts)
    # With what this turn has read already, such as which embedder is live.
    turn = copy_context()
    return remembered(("vectors", asked), lambda: _embedding.submit(turn.run, _embed, asked))


def embed_early(text: str) -> None:
    """Begins in this turn what the search of these words will need; without an encoder, nothing."""
    with suppress(EncoderUnavailable):
        encoders.live_embedder()
        embed_in_background([text])


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
    left = _POSSESSIVE.sub("", "".join([*kept, text[at:]]))
    return " ".join(left.split())


def scan(chunks: ChunkQuerySet, asked: Asked) -> NDArray[np.float64]:
    """All these chunks: their ids and their documents', then a column for each of `WORDS` on."""
    vectors = [each for each in (asked.vector, asked.left_vector) if each is not None]
    found = chunks.scored([asked.terms, asked.expanded], vectors, asked.embedder)
    lacking = np.full((len(found), 2 - len(vectors)), np.nan)
    return np.hstack([found, lacking])


def rank_scanned(
    table: NDArray[np.float64],
    documents: Collection[int] | None,
    depth: int,
    stated: Collection[int] = (),
) -> dict[str, list[int]]:
    """The best chunk ids by each score; of these documents only, where names are left out.

    `stated` are the chunks of the statements asked for, which are ranked by themselves too.
    """
    meaning = MEANING
    if documents is not None:
        meaning = MEANING_LEFT
        table = table[np.isin(table[:, 1], np.fromiter(documents, dtype=np.float64))]
    found = {
        "words": _best(table, WORDS, depth, above=0.0),
        "expanded": _best(table, EXPANDED, depth, above=0.0),
        "meaning": _best(table, meaning, depth, above=-np.inf),
    }
    if stated:
        own = table[np.isin(table[:, 0], np.fromiter(stated, dtype=np.float64))]
        found["statement"] = _best(own, EXPANDED, depth, above=-np.inf)
    return found


def walk(
    chunks: ChunkQuerySet,
    documents: DocumentQuerySet | None,
    asked: Asked,
    depth: int,
    *,
    filtered: bool = False,
) -> dict[str, list[int]]:
    """The same of however many documents, by the indexes; None stands for all of them.

    `filtered` says that the documents are those of the names and periods asked for.
    """
    terms = asked.terms if asked.counted else None
    found = {
        "words": _ids(chunks.lexical(asked.text, documents, depth, terms=terms)),
        "expanded": [],
        "meaning": [],
    }
    if asked.walked != asked.text:
        terms = asked.expanded if asked.counted else None
        found["expanded"] = _ids(chunks.lexical(asked.walked, documents, depth, terms=terms))
    vector = asked.left_vector if filtered else asked.vector
    if vector is not None and asked.embedder is not None:
        found["meaning"] = _ids(chunks.nearest(vector, documents, asked.embedder, depth))
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
    texts: Sequence[str],
) -> tuple[list[Future[NDArray[np.float32]]], ModelVersion | None, list[str]]:
    """Each by itself: the question's own vector may have been begun before it was understood."""
    try:
        embedder = encoders.live_embedder()
    except EncoderUnavailable:
        return [], None, [KEYWORDS_ONLY]
    return [embed_in_background([text]) for text in texts], embedder, []


def _embed(texts: Sequence[str]) -> NDArray[np.float32]:
    try:
        return encoders.embed(texts, kind="query")
    finally:
        # A connection of this thread would never be given back.
        connections.close_all()


def _surest(expansions: Sequence[Expansion]) -> list[str]:
    return [row.term for row in expansions[:WALKED_EXPANSIONS]]
