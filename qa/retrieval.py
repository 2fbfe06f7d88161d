"""The one search: BM25 and meaning in parallel, fused; pages, API and evaluation all call it.

Scope and visibility hold inside both halves, and in every count and note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
from django.db import OperationalError
from psycopg.errors import QueryCanceled

from docintel import encoders, measuring
from docintel.encoders import EncoderUnavailable
from docintel.measuring import Timed
from docintel.models import ModelVersion
from docintel.remembering import read_once
from ingestion import vector_tables
from ingestion.lexical import configs_present, query_terms, rarest
from ingestion.models import Chunk, Document, Source
from ingestion.querysets import ChunkQuerySet, DocumentQuerySet, Scope, User
from ingestion.ranking import Scored
from qa.fusion import reciprocal_rank_fusion
from qa.passages import (
    DocumentHits,
    Passage,
    by_document,
    load,
    with_excerpts,
    without_overlap,
)
from qa.ranking.scoring_chunks import KEYWORDS_ONLY, embed_in_background
from qa.ranking.verbatim import WEIGHT, holding_verbatim

__all__ = ["BadQuery", "DocumentHits", "Passage", "Scope", "SearchResults", "search"]

MOST_CHARACTERS = 2_000
# A phrase whose rarest word is in more chunks than this is looked for along the rankings, where
# it turns up soon; a rarer one is found first, by the inverted index.
RARE_PHRASE = 20_000
QUOTED = re.compile(r'["“”„]([^"“”„]+)["“”„]')
NOTHING_IN_SCOPE = "No document that you can search matches this scope."
TOO_SLOW = "This search took too long. Narrow it by company, kind or year, or quote rarer words."


class BadQuery(ValueError):
    """The question cannot be searched for; the message tells the person why."""


@dataclass(slots=True)
class SearchResults(Timed):
    """What was found, best first, and how.

    `passages` are all ranked ones, `documents` group the best of them; `bm25` and `dense` are the
    two halves as ranked, before fusion. `seconds` per step, with `total`.
    """

    question: str
    passages: list[Passage] = field(default_factory=list)
    documents: list[DocumentHits] = field(default_factory=list)
    bm25: list[Scored] = field(default_factory=list)
    dense: list[Scored] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    total_candidates: int = 0


@dataclass(frozen=True, slots=True)
class Holding:
    """Chunks narrowed by quoted phrases; `few` where they were found one by one already."""

    chunks: ChunkQuerySet
    few: bool
    phrases: list[str]
    notes: list[str]


def search(
    question: str, user: User, scope: Scope | None = None, *, limit: int = 10, depth: int = 50
) -> SearchResults:
    """The best `limit` documents for a question, from the best `depth` chunks of each half.

    A turn of its own, or part of the caller's: question and passages are compared by one embedder.
    Words in double quotes must occur exactly so. Raises BadQuery for a question that is empty or
    longer than 2,000 characters, or whose search outlasts the database's `statement_timeout`; a
    scope without documents gives no results and a note.
    """
    try:
        with read_once():
            return _search(question, user, scope or Scope(), limit, depth)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise BadQuery(TOO_SLOW) from error
        raise


def _search(question: str, user: User, scope: Scope, limit: int, depth: int) -> SearchResults:
    text, phrases = parse(question)
    results = SearchResults(text)
    with results.timed("total"):
        documents = permitted(user, scope)
        permitted_documents = Document.objects.all() if documents is None else documents
        searchable = permitted_documents.searchable()
        if searchable.exists():
            with results.timed("phrases"):
                held = holding(phrases, searchable)
            results.notes.extend(held.notes)
            _retrieve(text, held, documents, results, depth)
            with results.timed("passages"):
                _show(results, searchable, held.phrases, limit)
            if held.phrases and not results.passages:
                quoted = ", ".join(f"“{phrase}”" for phrase in held.phrases)
                results.notes.append(f"No passage contains {quoted} exactly.")
        else:
            results.notes.append(NOTHING_IN_SCOPE)
    measuring.record("search_seconds", results.seconds["total"], found=len(results.passages))
    return results


def parse(question: str) -> tuple[str, list[str]]:
    """The question without its quotation marks, and the phrases that stood in them."""
    question = question.replace("\0", " ").strip()
    text = QUOTED.sub(r"\1", question).strip()
    if not text:
        raise BadQuery("Type a question or a few words to search for.")
    if len(question) > MOST_CHARACTERS:
        raise BadQuery(
            f"The question has {len(question):,} characters; at most {MOST_CHARACTERS:,} can be "
            "searched for."
        )
    phrases = [" ".join(found.split()) for found in QUOTED.findall(question)]
    return text, [phrase for phrase in phrases if phrase]


def permitted(user: User, scope: Scope) -> DocumentQuerySet | None:
    """Documents of the scope that the user may see; None for all, when none is hidden."""
    if scope.is_empty and user.is_authenticated and not Source.objects.hidden_from(user).exists():
        return None
    return Document.objects.visible_to(user).within(scope)


def holding(phrases: list[str], searchable: DocumentQuerySet) -> Holding:
    """The chunks that have all these phrases, one by one where a phrase is rare."""
    chunks = Chunk.objects.all()
    few = False
    used: list[str] = []
    notes: list[str] = []
    for phrase in phrases:
        frequency = rarest(phrase)
        if frequency is None:
            notes.append(f"“{phrase}” holds only very common words and was not used.")
            continue
        used.append(phrase)
        rare = frequency <= RARE_PHRASE
        few = few or rare
        chunks = chunks.containing(phrase, by_index=rare)
    if few:
        # Found once, ranked twice.
        found = chunks.of(searchable.order_by().values("pk")).order_by()
        chunks = Chunk.objects.filter(pk__in=list(found.values_list("pk", flat=True)))
    return Holding(chunks, few, used, notes)


def _retrieve(
    text: str,
    held: Holding,
    documents: DocumentQuerySet | None,
    results: SearchResults,
    depth: int,
) -> None:
    """Both halves; the question is embedded while BM25 ranks."""
    vector: Future[np.ndarray] | None = None
    try:
        embedder = encoders.live_embedder()
        vector = embed_in_background([text])
    except EncoderUnavailable:
        results.notes.append(KEYWORDS_ONLY)
    chunks, few = held.chunks, held.few
    with results.timed("lexical"):
        terms = query_terms(text, configs_present())
        results.bm25 = chunks.lexical(text, documents, depth, terms=terms, few=few)
    if vector is None:
        return
    try:
        with results.timed("embedding_wait"):
            found = vector.result()[0]
    except EncoderUnavailable:
        results.notes.append(KEYWORDS_ONLY)
        return
    with results.timed("dense"):
        results.dense = chunks.nearest(found, documents, embedder, depth, few=few)
    results.notes.extend(lacking_vectors(documents, embedder))


def lacking_vectors(documents: DocumentQuerySet | None, embedder: ModelVersion) -> Iterator[str]:
    """A note where some of these documents can be found by keyword only."""
    searchable = (Document.objects.all() if documents is None else documents).searchable()
    lacking = vector_tables.lacking_vectors(searchable, embedder)
    if lacking:
        yield (
            f"{lacking:,} of {searchable.count():,} documents in scope are not yet in the vector "
            "index; they are found by keyword only."
        )


def _show(
    results: SearchResults, searchable: DocumentQuerySet, phrases: list[str], limit: int
) -> None:
    halves = [[hit.chunk_id for hit in half] for half in (results.bm25, results.dense)]
    exact = [] if phrases else holding_verbatim(results.question, searchable)
    by_words = {pk: rank for rank, pk in enumerate(halves[0])}
    exact.sort(key=lambda pk: by_words.get(pk, len(by_words)))
    fused = reciprocal_rank_fusion(*halves, exact, weights=[1.0, 1.0, WEIGHT])
    results.total_candidates = len(fused)
    ranked, documents = load(fused, results.bm25, results.dense, searchable)
    distinct = without_overlap(ranked, documents, phrases)
    results.passages = with_excerpts(distinct, results.question, limit)
    results.documents = by_document(results.passages, documents, limit)
