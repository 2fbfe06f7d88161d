"""Two cross-encoders on questions mined about companies that no training learns from.

Each reads the same windows of the same candidates as when a question is asked, in this process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from docintel import cross_encoding, promoted_weights
from docintel.cross_encoding import PairTooLong, RerankerUnavailable
from docintel.models import ModelVersion
from docintel.rerankers import RerankerWeights
from docintel.weights import WeightsUnavailable
from ingestion.models import Chunk
from qa.ranking.cross_scores import READ, as_asked, window_of
from training.comparing.comparison import CannotCompare, Comparison, seconds_in_turns
from training.comparing.orders import compare_orders
from training.gate import Floats
from training.learning.ranker_candidates import Group, collect

# Each is read twice, and again for the seconds; 32 windows take about a third of a second.
MOST = 200
TIMED = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the windows of its first candidates, and the grades of these."""

    group: Group
    query: str
    windows: list[str]
    grades: NDArray[np.int64]


def live(name: str) -> ModelVersion | None:  # noqa: ARG001  one name only
    """What a setting names counts. Raises CannotCompare where it is off."""
    try:
        return cross_encoding.live_reranker()
    except RerankerUnavailable as error:
        raise CannotCompare(str(error)) from error


def compare(
    candidate: ModelVersion, live: ModelVersion | None, folder: Path | None = None
) -> Comparison:
    """NDCG@10 of both among the candidates that would be read, by their scores alone.

    Raises CannotCompare.
    """
    if folder is not None:
        raise CannotCompare("a reranker is compared on the filings that are indexed, not on a file")
    try:
        versions = [promoted_weights.reranker_of(candidate), promoted_weights.live_reranker()]
        asked = [each for each in map(_asked, collect(MOST, held_out=True)) if each.grades.any()]
        found = [_scored(each, asked) for each in versions]
        seconds = seconds_in_turns([partial(_scored, each, asked[:TIMED]) for each in versions])
    except (WeightsUnavailable, PairTooLong) as error:
        raise CannotCompare(str(error)) from error
    read = [(each.group.mined, each.grades) for each in asked]
    return compare_orders("NDCG@10 of what is read", read, found, seconds, against=str(live))


def _asked(group: Group) -> Asked:
    first = group.chunks[:READ]
    chunks = Chunk.objects.in_bulk(first)
    asked = as_asked(group.asked)
    windows = [window_of(asked, chunks[pk]) for pk in first]
    return Asked(group, asked.query, windows, group.grades[: len(first)])


def _scored(found: RerankerWeights, asked: Sequence[Asked]) -> list[Floats]:
    return [
        np.asarray(cross_encoding.rerank_by(found, each.query, each.windows), dtype=np.float64)
        for each in asked
    ]
