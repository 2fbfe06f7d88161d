"""The best candidates read by the cross-encoder, and the order in which ranker and reader agree.

Only the first candidates of the ranker are read, since reading takes most of the time. Where no
cross-encoder answers, the ranker's order stays and the reader is told.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from docintel import cross_encoding, rerankers
from docintel.cross_encoding import RerankerUnavailable
from ingestion.models import Chunk
from qa.evidence import Evidence
from qa.ranking.candidates import Entry
from qa.ranking.windows import Asked, window
from qa.understood import Understanding

# Windows read for a question, of all looks together; measured, see docs/results.md.
READ = 32
# Reciprocal rank fusion of few places: with 60, as for long lists, the first counts hardly more
# than the tenth.
K = 10
FEWEST_PER_LOOK = 6
UNAVAILABLE = "The cross-encoder is unavailable; passages are ranked without it."
Scored = tuple[Entry, float]
log = logging.getLogger(__name__)


def read_best(
    looks: Sequence[Sequence[Entry]],
    chunks: Mapping[int, Chunk],
    understanding: Understanding,
    evidence: Evidence,
) -> dict[int, float]:
    """The score of the first candidates of every look by chunk id; empty where none is to be had.

    `looks` are in their order so far.
    """
    if rerankers.is_off() or not looks:
        return {}
    each = max(FEWEST_PER_LOOK, READ // len(looks))
    ids = list(dict.fromkeys(e.passage.chunk_id for rows in looks for e in rows[:each]))
    asked = as_asked(understanding)
    windows = [_window(asked, chunks[pk]) for pk in ids]
    try:
        scores = cross_encoding.rerank(asked.query, windows)
    except RerankerUnavailable as error:
        log.warning("ranked without the cross-encoder: %s", error)
        evidence.note(UNAVAILABLE)
        return {}
    return {pk: float(score) for pk, score in zip(ids, scores, strict=True)}


def as_asked(understanding: Understanding) -> Asked:
    items = tuple(item for metric in understanding.metrics for item in metric.items)
    return Asked(understanding.question, items)


def reordered(order: Sequence[Scored], scores: Mapping[int, float]) -> list[Scored]:
    """The look's candidates by the ranker's places and the cross-encoder's together.

    Reciprocal ranks added, both of the same weight; one that was not read has its place by the
    ranker alone. Each place keeps the score that the ranker gave to it, so that scores mean what
    they did. Entries gain `cross`, its gap to the best read and its rank as features.
    """
    known = [scores[e.passage.chunk_id] for e, _ in order if e.passage.chunk_id in scores]
    places = {score: place for place, score in enumerate(sorted(known, reverse=True), start=1)}
    made = []
    for place, (entry, _) in enumerate(order, start=1):
        score = scores.get(entry.passage.chunk_id, math.nan)
        second = places.get(score)
        read = {
            "cross": score,
            "cross_gap": max(known, default=math.nan) - score,
            "cross_rank": math.log1p(second) if second else math.nan,
        }
        value = 1 / (K + place) + (1 / (K + second) if second else 0.0)
        made.append((value, -place, replace(entry, features=entry.features | read)))
    made.sort(key=lambda row: row[:2], reverse=True)
    return [(entry, score) for (_, _, entry), (_, score) in zip(made, order, strict=True)]


def _window(asked: Asked, chunk: Chunk) -> str:
    header = chunk.body[: chunk.header_length]
    return window(asked, header, chunk.body[chunk.header_length :])
