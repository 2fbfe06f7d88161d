"""Reciprocal Rank Fusion of ranked lists; pure."""

from __future__ import annotations

from collections.abc import Sequence

# Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet …", SIGIR 2009.
K = 60


def reciprocal_rank_fusion(
    *rankings: Sequence[int], k: int = K, weights: Sequence[float] | None = None
) -> list[tuple[int, float]]:
    """(id, score) by the sum of weight / (k + rank) over the rankings that hold it, best first.

    Every weight is 1 unless given, one per ranking. Ranks count from 1; equal scores are ordered by
    id, so the result never depends on chance.
    """
    scores: dict[int, float] = {}
    for ranking, weight in zip(rankings, weights or [1.0] * len(rankings), strict=True):
        for rank, identifier in enumerate(ranking, start=1):
            scores[identifier] = scores.get(identifier, 0.0) + weight / (k + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
