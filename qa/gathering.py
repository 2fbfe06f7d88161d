"""The evidence for a question: candidates of every look, reranked, every company and period served.

Only documents that the user may see are read, and the page's own filters always hold. A question in
several steps is followed step by step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import OperationalError
from psycopg.errors import QueryCanceled

from docintel import measuring
from ingestion.models import Chunk, Document
from ingestion.querysets import User
from ingestion.sightings import standing_for
from qa.candidates import Entry, as_question, cut, entries, filings_of, load_chunks
from qa.evidence import Evidence, Found, HopFound, Numbers, Searched
from qa.looking import Looked, Place, look_up
from qa.passages import without_overlap
from qa.planning_looks import plan
from qa.ranking_features import Question, metric_coverage, word_coverage
from qa.reranking import Formula, Reranker, live_reranker
from qa.retrieval import (
    NOTHING_IN_SCOPE,
    TOO_SLOW,
    BadQuery,
    holding,
    lacking_vectors,
    parse,
    permitted,
)
from qa.scoring_chunks import Asked, prepare
from qa.understood import Understanding

__all__ = ["BadQuery", "Evidence", "Found", "HopFound", "Numbers", "Searched", "gather"]

Cancelled = Callable[[], bool]
# Of a text said twice, once per document, both may be cited; three of the same say no more.
MOST_ALIKE = 2


class _Stopped(Exception):
    """The reader has gone."""


@dataclass(slots=True)
class Ranking:
    """One look after reranking: entries with their scores, best first, without overlap."""

    looked: Looked
    question: Question
    ranked: list[tuple[Entry, float]]


def gather(
    understanding: Understanding,
    user: User,
    *,
    tier: str,
    limit: int = 10,
    depth: int = 50,
    cancelled: Cancelled | None = None,
) -> Evidence:
    """The best `limit` passages of the best `depth` per look, with how they were found.

    `tier` "lookup" takes one look and no learned ranker. `cancelled` is asked between the steps;
    once it says so, what there is so far is returned, flagged. Raises BadQuery as search does.
    """
    evidence = Evidence()
    stop = cancelled or (lambda: False)
    try:
        with evidence.timed("total"):
            gather_into(evidence, understanding, user, tier, limit, depth, stop)
    except _Stopped:
        evidence.cancelled = True
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise BadQuery(TOO_SLOW) from error
        raise
    measuring.record("gather_seconds", evidence.seconds["total"], found=len(evidence.passages))
    return evidence


def gather_into(  # noqa: PLR0917
    evidence: Evidence,
    understanding: Understanding,
    user: User,
    tier: str,
    limit: int,
    depth: int,
    stop: Cancelled,
) -> None:
    rankings = rank_all(evidence, understanding, user, tier, depth, stop)
    with evidence.timed("choose"):
        kept = share_out(rankings, limit)
        evidence.passages = as_found(kept, user)
        evidence.numbers = numbers(rankings, kept)


def rank_all(  # noqa: PLR0917
    evidence: Evidence,
    understanding: Understanding,
    user: User,
    tier: str,
    depth: int,
    stop: Cancelled,
) -> list[Ranking]:
    """Every look of the question, reranked; notes, times and counts go into the evidence."""
    text, phrases = parse(understanding.question)
    with evidence.timed("scope"):
        place = _place(understanding, user, phrases, evidence)
    if place is None:
        evidence.note(NOTHING_IN_SCOPE)
        return []
    _check(stop)
    with evidence.timed("words_and_vector"):
        asked = prepare(understanding, text)
    for note in (*asked.notes, *_lacking(place, asked)):
        evidence.note(note)
    _check(stop)
    looks = plan(understanding, simple=tier == "lookup")
    with evidence.timed("retrieve"):
        lookup = look_up(looks, place, asked, depth)
    _check(stop)
    with evidence.timed("load"):
        documents, filings = filings_of(
            lookup, place.searchable, [pk for look in looks for pk in look.companies]
        )
        questions = [as_question(understanding, looked) for looked in lookup.looked]
        chosen = [
            cut(looked, question, lookup, filings, depth)
            for looked, question in zip(lookup.looked, questions, strict=True)
        ]
        chunks = load_chunks(sorted({pk for each in chosen for pk, _ in each}))
    _check(stop)
    reranker = Formula() if tier == "lookup" else live_reranker()
    evidence.reranker = reranker.name
    evidence.candidates = len(chunks)
    rankings = []
    with evidence.timed("rerank"):
        for looked, question, pairs in zip(lookup.looked, questions, chosen, strict=True):
            rows = entries(looked, pairs, question, lookup, chunks, documents, filings)
            rankings.append(_rerank(reranker, looked, question, rows, documents))
    evidence.searched += tuple(
        Searched(each.looked.look.group, each.looked.scope, len(each.ranked)) for each in rankings
    )
    for each in rankings:
        if each.looked.note:
            evidence.note(each.looked.note)
    return rankings


def _place(
    understanding: Understanding, user: User, phrases: list[str], evidence: Evidence
) -> Place | None:
    documents = permitted(user, understanding.confined_to)
    searchable = (Document.objects.all() if documents is None else documents).searchable()
    if not searchable.exists():
        return None
    if not phrases:
        return Place(documents, searchable, Chunk.objects.all())
    held = holding(phrases, searchable)
    for note in held.notes:
        evidence.note(note)
    if held.few and not held.chunks.exists():
        quoted = ", ".join(f"“{phrase}”" for phrase in held.phrases)
        evidence.note(f"No passage contains {quoted} exactly; looked for its words instead.")
        return Place(documents, searchable, Chunk.objects.all())
    return Place(documents, searchable, held.chunks, held.few)


def _lacking(place: Place, asked: Asked) -> list[str]:
    if asked.embedder is None:
        return []
    return list(lacking_vectors(place.documents, asked.embedder))


def _check(stop: Cancelled) -> None:
    if stop():
        raise _Stopped


def _rerank(
    reranker: Reranker,
    looked: Looked,
    question: Question,
    rows: Sequence[Entry],
    documents: dict[int, Document],
) -> Ranking:
    scores = reranker.score([row.features for row in rows])
    order = sorted(
        zip(rows, scores, strict=True), key=lambda pair: (-pair[1], pair[0].passage.chunk_id)
    )
    by_chunk = {row.passage.chunk_id: (row, score) for row, score in order}
    distinct = without_overlap((row.passage for row, _ in order), documents)
    ranked = []
    for passage in distinct:
        row, score = by_chunk[passage.chunk_id]
        ranked.append((Entry(passage, row.fused, row.features), score))
    return Ranking(looked, question, _alternating(ranked) if looked.poor else ranked)


def _alternating(ranked: list[tuple[Entry, float]]) -> list[tuple[Entry, float]]:
    """The filter's own and the others in turn: which of them answer is in doubt."""
    inside = [pair for pair in ranked if pair[0].features["inside"]]
    outside = [pair for pair in ranked if not pair[0].features["inside"]]
    paired = [pair for two in zip(inside, outside, strict=False) for pair in two]
    both = min(len(inside), len(outside))
    return paired + inside[both:] + outside[both:]


def share_out(rankings: Sequence[Ranking], limit: int) -> list[tuple[Ranking, Entry, float]]:
    """The best `limit`: each look in turn gives its best, those with room left give more.

    A passage that answers for two groups stands for the one that ranks it first.
    """
    kept: list[tuple[Ranking, Entry, float]] = []
    taken: set[int] = set()
    places = [0] * len(rankings)
    # Scores of different looks are comparable only roughly, so each gives the same number.
    while len(kept) < limit:
        before = len(kept)
        for index, ranking in enumerate(rankings):
            while places[index] < len(ranking.ranked) and len(kept) < limit:
                entry, score = ranking.ranked[places[index]]
                places[index] += 1
                if entry.passage.chunk_id not in taken:
                    taken.add(entry.passage.chunk_id)
                    kept.append((ranking, entry, score))
                    break
        if len(kept) == before:
            break
    return kept


def as_found(kept: Sequence[tuple[Ranking, Entry, float]], user: User) -> tuple[Found, ...]:
    """With the arrivals by which this user knows the documents; best first within each round."""
    known = standing_for({entry.passage.document_id for _, entry, _ in kept}, user)
    return tuple(
        Found(
            entry.passage,
            known[entry.passage.document_id],
            score,
            ranking.looked.look.group,
            entry.features,
            _why(entry, ranking.question),
        )
        for ranking, entry, score in kept
        if entry.passage.document_id in known
    )


def _why(entry: Entry, question: Question) -> str:
    """In a few words what speaks for this passage."""
    row = entry.features
    parts = []
    if row.get("item_rows", 0.0) > 0:
        parts.append("has the line item with a figure")
    elif row.get("item_coverage", 0.0) > 0:
        parts.append("names the line item")
    if row.get("statement_match", 0.0) > 0:
        parts.append(f"is the {entry.passage.statement_label.lower()}")
    if question.years and row.get("year_distance") == 0.0:
        parts.append("of the year asked for")
    if row.get("company_match", 0.0) > 0:
        parts.append("of the company asked for")
    if row.get("rank_meaning", 9.0) < 1.8:
        parts.append("close in meaning")
    if row.get("rank_words", 9.0) < 1.8 or row.get("rank_expanded", 9.0) < 1.8:
        parts.append("has the rare words of the question")
    return ", ".join(parts) or "among the best by words and meaning together"


def numbers(rankings: Sequence[Ranking], kept: Sequence[tuple[Ranking, Entry, float]]) -> Numbers:
    """Of the passages kept; the agreement is that of the best five."""
    if not kept:
        return Numbers()
    rows = [entry.features for _, entry, _ in kept]
    texts = [entry.passage.text for _, entry, _ in kept]
    question = rankings[0].question
    scores = [score for _, _, score in kept]
    best = rows[:5]
    return Numbers(
        dense=max((row["dense"] for row in rows if not math.isnan(row["dense"])), default=0.0),
        bm25=max(row["bm25"] for row in rows),
        rank=max(scores),
        margin=max(scores) - min(scores),
        company=_mean([row["company_match"] for row in best]),
        period=_mean([float(row["year_distance"] == 0.0) for row in best])
        if question.years
        else 1.0,
        metric_words=metric_coverage(question, texts),
        words=word_coverage(question, texts),
    )


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else 1.0
