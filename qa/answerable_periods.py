"""Whether documents are here that report the periods a question names."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from ingestion.models import Document
from ingestion.querysets import User
from qa.answerable_words import without_remarks
from qa.extractive.asked_kinds import asked_for
from qa.question.periods import Period, step_quarter
from qa.understood import Understanding

# The report of a year also holds the figures of the two years before it.
LATER_YEARS = 2
# What is expected of a period is told within the year before it.
FORETOLD = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Covered:
    """How far one period is covered: by its own documents, by later ones alone, or by none."""

    period: Period
    own: bool
    later: bool


def covered(understanding: Understanding, user: User) -> list[Covered]:
    """Each period named outright, against the visible documents of the companies asked about.

    Without a company, against all documents. A period that means "the newest" is not looked at. Of
    what is expected of a period its own documents are those of the year before too.
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
    outlook = asked_for(without_remarks(understanding)).outlook
    return [
        Covered(period, _own(_foretold(period) if outlook else period, rows), _later(period, rows))
        for period in periods
    ]


_Row = tuple[int | None, int | None, date | None]


def _foretold(period: Period) -> Period:
    """The period with the year in which others say what they expect of it."""
    return replace(
        period,
        years=(*(year - 1 for year in period.years), *period.years),
        quarters=tuple(step_quarter(each, -n) for each in period.quarters for n in range(5)),
        first_day=period.first_day - FORETOLD if period.first_day else None,
    )


def _own(period: Period, rows: Collection[_Row]) -> bool:
    quarters = set(period.quarters)
    for year, quarter, published in rows:
        if quarters:
            # The annual report covers each of its quarters, the last one best.
            if year is not None and any(year == y and quarter in (q, None) for y, q in quarters):
                return True
        elif year in period.years:
            return True
        by_day = year is None or _names_days(period)
        if by_day and published is not None and _spans(period, published):
            return True
    return False


def _names_days(period: Period) -> bool:
    """A day or a month: whatever was published then counts, of whichever fiscal year it is."""
    if period.quarters or not (period.first_day and period.last_day):
        return False
    return period.last_day - period.first_day < timedelta(days=60)


def _later(period: Period, rows: Collection[_Row]) -> bool:
    years = {year for year, _, _ in rows if year is not None}
    return any(0 < year - asked <= LATER_YEARS for asked in _years(period) for year in years)


def _years(period: Period) -> Iterator[int]:
    yield from period.years
    yield from (year for year, _ in period.quarters)


def _spans(period: Period, day: date) -> bool:
    first, last = period.first_day or date.min, period.last_day or date.max
    return first <= day <= last
