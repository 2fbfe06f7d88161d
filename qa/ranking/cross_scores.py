"""The cross-encoder's scores of the best candidates, as features of a second ranking.

Only the first candidates of a first ranking are read, since reading takes most of the time. Where
no cross-encoder answers, ranking goes on without these features and the reader is told.
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
FEWEST_PER_LOOK = 6
UNAVAILABLE = "The cross-encoder is unavailable; passages are ranked without it."
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


def with_scores(rows: Sequence[Entry], scores: Mapping[int, float]) -> list[Entry]:
    """The entries with `cross`, its gap to the best of the look and its rank among those read."""
    known = [scores[e.passage.chunk_id] for e in rows if e.passage.chunk_id in scores]
    best = max(known, default=math.nan)
    places = {score: place for place, score in enumerate(sorted(known, reverse=True), start=1)}
    made = []
    for entry in rows:
        score = scores.get(entry.passage.chunk_id, math.nan)
        read = {
            "cross": score,
            "cross_gap": best - score,
            "cross_rank": math.log1p(places[score]) if score in places else math.nan,
        }
        made.append(replace(entry, features=entry.features | read))
    return made


def _window(asked: Asked, chunk: Chunk) -> str:
    header = chunk.body[: chunk.header_length]
    return window(asked, header, chunk.body[chunk.header_length :])
