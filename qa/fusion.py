"""Reciprocal Rank Fusion of ranked lists; pure."""

from __future__ import annotations

from collections.abc import Sequence

# Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet …", SIGIR 2009.
K = 60


def reciprocal_rank_fusion(*rankings: Sequence[int], k: int = K) -> list[tuple[int, float]]:
    """(id, score) by the sum of 1 / (k + rank) over the rankings that hold the id, best first.

    Ranks count from 1; equal scores are ordered by id, so the result never depends on chance.
    """
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, identifier in enumerate(ranking, start=1):
            scores[identifier] = scores.get(identifier, 0.0) + 1 / (k + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
