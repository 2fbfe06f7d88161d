"""The best candidates read by the cross-encoder.

Only the first candidates of the ranker are read, since reading takes most of the time. Where no
cross-encoder answers, the ranker's order stays and the reader is told.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from docintel import cross_encoding, rerankers
from docintel.cross_encoding import RerankerUnavailable
from ingestion.models import Chunk
from qa.evidence import Evidence
from qa.ranking.candidates import Entry, Loaded
from qa.ranking.windows import Asked, window
from qa.understood import Understanding

# Windows read for a question, of all looks together; measured, see docs/results.md.
READ = 24
FEWEST_PER_LOOK = 6
UNAVAILABLE = "The cross-encoder is unavailable; passages are ranked without it."
log = logging.getLogger(__name__)


def read_best(
    looks: Sequence[Sequence[Entry]],
    loaded: Loaded,
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
    windows = [window_of(asked, loaded.chunks[pk]) for pk in ids]
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


def window_of(asked: Asked, chunk: Chunk) -> str:
    """What the cross-encoder reads of this chunk."""
    header = chunk.body[: chunk.header_length]
    return window(asked, header, chunk.body[chunk.header_length :])
