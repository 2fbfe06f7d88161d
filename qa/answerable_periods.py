"""Whether documents are here that report the periods a question names."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

from ingestion.models import Document
from ingestion.querysets import User
from qa.question.periods import Period
from qa.understood import Understanding

# The report of a year also holds the figures of the two years before it.
LATER_YEARS = 2


@dataclass(frozen=True, slots=True)
class Covered:
    """How far one period is covered: by its own documents, by later ones alone, or by none."""

    period: Period
    own: bool
    later: bool


def covered(understanding: Understanding, user: User) -> list[Covered]:
    """Each period named outright, against the visible documents of the companies asked about.

    Without a company, against all documents. A period that means "the newest" is not looked at.
    """
    periods = [p for p in understanding.periods if not (p.newest or p.implied)]
    if not periods:
        return []
    documents = Document.objects.visible_to(user).searchable()
    companies = [read.id for read in understanding.companies]
    if companies or understanding.confined_to.companies:
        documents = documents.filter(company__in=companies or understanding.confined_to.companies)
    rows = set(
        documents.order_by().values_list("fiscal_year", "fiscal_quarter", "published_on").distinct()
    )
    return [Covered(period, _own(period, rows), _later(period, rows)) for period in periods]


_Row = tuple[int | None, int | None, date | None]


def _own(period: Period, rows: Collection[_Row]) -> bool:
    quarters = set(period.quarters)
    for year, quarter, published in rows:
        if quarters:
            # The annual report covers each of its quarters, the last one best.
            if year is not None and any(year == y and quarter in (q, None) for y, q in quarters):
                return True
        elif year in period.years:
            return True
        if year is None and published is not None and _spans(period, published):
            return True
    return False


def _later(period: Period, rows: Collection[_Row]) -> bool:
    years = {year for year, _, _ in rows if year is not None}
    return any(0 < year - asked <= LATER_YEARS for asked in _years(period) for year in years)


def _years(period: Period) -> Iterator[int]:
    yield from period.years
    yield from (year for year, _ in period.quarters)


def _spans(period: Period, day: date) -> bool:
    first, last = period.first_day or date.min, period.last_day or date.max
    return first <= day <= last
