"""The evidence for a question: candidates of every look, reranked, every company and period served.

A question in several steps is followed step by step; the companies between them are shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from django.db import OperationalError
from psycopg.errors import QueryCanceled

from docintel import measuring
from ingestion.querysets import User
from ingestion.sightings import standing_for
from qa.evidence import CompanyFound, Evidence, Found, HopFound, Numbers, Searched
from qa.ranking.candidates import Entry
from qa.ranking.following_hops import follow
from qa.ranking.ranking_features import Question, metric_coverage, word_coverage
from qa.ranking.ranking_looks import Cancelled, Ranking, Stopped, rank_all
from qa.retrieval import TOO_SLOW, BadQuery
from qa.understood import Understanding

__all__ = [
    "BadQuery",
    "CompanyFound",
    "Evidence",
    "Found",
    "HopFound",
    "Numbers",
    "Searched",
    "gather",
]


# Of 50, a tenth of the evidence was already lost before reranking; see docs/results.md.
DEPTH = 100


def gather(
    understanding: Understanding,
    user: User,
    *,
    tier: str,
    limit: int = 10,
    depth: int = DEPTH,
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
            if understanding.hops and tier != "lookup":
                rankings = follow(evidence, understanding, user, depth, stop)
            else:
                rankings = rank_all(evidence, understanding, user, tier, depth, stop)
            with evidence.timed("choose"):
                kept = share_out(rankings, limit)
                evidence.passages = as_found(kept, user)
                evidence.numbers = numbers(rankings, kept)
    except Stopped:
        evidence.cancelled = True
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise BadQuery(TOO_SLOW) from error
        raise
    measuring.record("gather_seconds", evidence.seconds["total"], found=len(evidence.passages))
    return evidence


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
