"""Every look of a question, ranked: scope, both halves, candidates, features, reranking.

Only documents that the user may see are read, and the page's own filters always hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ingestion.models import Chunk, Document
from ingestion.querysets import User
from qa.evidence import Evidence, Searched
from qa.passages import without_overlap
from qa.ranking.blending import Scored, blended, first_order
from qa.ranking.candidates import (
    Entry,
    Loaded,
    as_question,
    compare_units,
    cut,
    entries,
    filings_of,
    load_chunks,
)
from qa.ranking.cross_scores import read_best
from qa.ranking.looking import Looked, Place, look_up
from qa.ranking.planning_looks import plan
from qa.ranking.ranking_features import Question
from qa.ranking.reranking import Formula, Reranker, live_reranker, named
from qa.ranking.scoring_chunks import Asked, prepare
from qa.retrieval import NOTHING_IN_SCOPE, holding, lacking_vectors, parse, permitted
from qa.understood import Understanding

Cancelled = Callable[[], bool]
FEWEST_CANDIDATES = 25
# Of two cosines; what others say in fewer words is often a little nearer. See docs/results.md.
ABOUT_AS_NEAR = 0.1


class Stopped(Exception):
    """The reader has gone."""


@dataclass(slots=True)
class Ranking:
    """One look after reranking: entries with their scores, best first, without overlap."""

    looked: Looked
    question: Question
    ranked: list[tuple[Entry, float]]


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
    if len(looks) > 1:
        # Each has few places among those kept, and the time grows with all candidates.
        depth = max(FEWEST_CANDIDATES, 2 * depth // len(looks))
    with evidence.timed("retrieve"):
        lookup = look_up(looks, place, asked, depth, understanding.statements)
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
        ids = sorted({pk for each in chosen for pk, _ in each})
        loaded = Loaded(load_chunks(ids), compare_units(ids, asked), documents, filings)
    _check(stop)
    rankings = _ranked(
        evidence,
        understanding,
        lookup.looked,
        questions,
        [
            entries(looked, pairs, question, lookup, loaded)
            for looked, question, pairs in zip(lookup.looked, questions, chosen, strict=True)
        ],
        loaded,
        tier,
        stop,
    )
    evidence.searched += tuple(
        Searched(each.looked.look.group, each.looked.scope, len(each.ranked)) for each in rankings
    )
    for each in rankings:
        if each.looked.note:
            evidence.note(each.looked.note)
    return rankings


def _ranked(  # noqa: PLR0917
    evidence: Evidence,
    understanding: Understanding,
    looked: Sequence[Looked],
    questions: Sequence[Question],
    candidates: Sequence[list[Entry]],
    loaded: Loaded,
    tier: str,
    stop: Cancelled,
) -> list[Ranking]:
    """Ranked, the best of them read by the cross-encoder, and put in the order of all opinions."""
    reranker = Formula() if tier == "lookup" else live_reranker()
    evidence.candidates = len(loaded.chunks)
    scores: dict[int, float] = {}
    with evidence.timed("rerank"):
        rows = [_sorted(reranker, each) for each in candidates]
    if tier != "lookup":
        _check(stop)
        with evidence.timed("cross_encode"):
            rows = [first_order(each) for each in rows]
            first = [[entry for entry, _ in each] for each in rows]
            scores = read_best(first, loaded, understanding, evidence)
    evidence.reranker = named(reranker, read=bool(scores))
    with evidence.timed("rerank"):
        if tier != "lookup":
            rows = [blended(each, scores, reranker.cross_weight) for each in rows]
        return [
            _distinct(each, question, order, loaded.documents)
            for each, question, order in zip(looked, questions, rows, strict=True)
        ]


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
        raise Stopped


def _sorted(reranker: Reranker, rows: Sequence[Entry]) -> list[Scored]:
    """The entries with their scores, best first."""
    scores = reranker.score([row.features for row in rows])
    return sorted(
        zip(rows, scores, strict=True), key=lambda pair: (-pair[1], pair[0].passage.chunk_id)
    )


def _distinct(
    looked: Looked, question: Question, order: Sequence[Scored], documents: dict[int, Document]
) -> Ranking:
    by_chunk = {row.passage.chunk_id: (row, score) for row, score in order}
    distinct = without_overlap((row.passage for row, _ in order), documents)
    ranked = []
    for passage in distinct:
        row, score = by_chunk[passage.chunk_id]
        ranked.append((Entry(passage, row.fused, row.features), score))
    doubtful = looked.poor and not holds_nearest(ranked)
    return Ranking(looked, question, _alternating(ranked) if doubtful else ranked)


def holds_nearest(ranked: list[tuple[Entry, float]]) -> bool:
    """Whether the filter's nearest unit is about as near to the question as any: its words may be
    poor there only because the question uses others."""
    known = [entry.features for entry, _ in ranked if "unit" in entry.features]
    inside = max((row["unit"] for row in known if row["inside"]), default=-math.inf)
    return bool(known) and inside >= max(row["unit"] for row in known) - ABOUT_AS_NEAR


def _alternating(ranked: list[tuple[Entry, float]]) -> list[tuple[Entry, float]]:
    """The filter's own and the others in turn: which of them answer is in doubt."""
    inside = [pair for pair in ranked if pair[0].features["inside"]]
    outside = [pair for pair in ranked if not pair[0].features["inside"]]
    paired = [pair for two in zip(inside, outside, strict=False) for pair in two]
    both = min(len(inside), len(outside))
    return paired + inside[both:] + outside[both:]
