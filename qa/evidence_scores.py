"""How well the passages that an answer was taken from agree with its question, as numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qa.asked import Asked
from qa.extractive.extracting_answers import Extract
from qa.offering import Offered


@dataclass(frozen=True, slots=True)
class Scores:
    """What a threshold for "not found" may look at; None where there is no such score."""

    dense: float | None = None
    bm25: float | None = None
    sentence: float | None = None
    sentence_dense: float | None = None
    sentence_lexical: float | None = None
    company_agrees: bool | None = None
    period_agrees: bool | None = None


def scores_of(
    offered: Sequence[Offered], understanding: Asked | None, extracts: Sequence[Extract]
) -> Scores:
    """Of the passages as they were found, and of the best sentence taken from them."""
    best = max((each.ranked for each in extracts), key=lambda r: r.score, default=None)
    dense = [o.passage.dense_score for o in offered if o.passage.dense_score is not None]
    bm25 = [o.passage.bm25_score for o in offered if o.passage.bm25_score is not None]
    return Scores(
        max(dense, default=None), max(bm25, default=None),
        best.score if best else None, best.dense if best else None,
        best.lexical if best else None, *_agreement(offered, understanding),
    )  # fmt: skip


def _agreement(offered: Sequence[Offered], understanding: Asked | None) -> Iterator[bool | None]:
    """Whether any passage is of an asked company, and of an asked year; None: none is asked."""
    if understanding is None:
        yield from (None, None)
        return
    companies = {company.id for company in understanding.companies}
    years = {year for period in understanding.periods for year in period.years}
    yield any(each.company_id in companies for each in offered) if companies else None
    held = {each.source.header.fiscal_year for each in offered}
    yield bool(years & held) if years else None
