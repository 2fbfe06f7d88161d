"""Candidates reranked for a question, by what is there: a learned ranker, or a fixed formula.

A name says which it was; "stand-in" where the bi-encoder's cosine serves in place of a
cross-encoder.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

FORMULA = "fixed formula"
STAND_IN = "bi-encoder cosine (stand-in for a cross-encoder)"


class Reranker(Protocol):
    """Features of candidates to a score each; higher is better, comparable within a question."""

    name: str

    def score(self, rows: Sequence[Mapping[str, float]]) -> list[float]: ...


class Formula:
    """The fused score raised by period, kind and line items, with the cosine beside it.

    For lookups, and where no learned ranker can be read. Its weights are not learned.
    """

    name = f"{FORMULA}; {STAND_IN}"

    def score(self, rows: Sequence[Mapping[str, float]]) -> list[float]:
        return [_formula(row) for row in rows]


def _formula(row: Mapping[str, float]) -> float:
    def of(name: str, otherwise: float = 0.0) -> float:
        value = row.get(name, math.nan)
        return otherwise if math.isnan(value) else value

    return (
        of("fused_share")
        + 0.5 * of("dense")
        + 0.3 * of("item_rows")
        + 0.2 * of("statement_match")
        + 0.2 * of("word_coverage")
        + 0.2 * of("company_match")
    )


def live_reranker() -> Reranker:
    """The reranker of answers."""
    return Formula()
