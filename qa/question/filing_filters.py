"""Which filings hold what a period asks for, with the slack that filings need.

The annual report of fiscal 2022 appears in 2023 and also has columns of 2021 and 2020; a quarter
may be answered by its report, its call, its release, or the year's report; companies number fiscal
years differently. Years here are `Document.fiscal_year` values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from qa.question.periods import Period

ANNUAL, QUARTERLY = "annual_report", "quarterly_report"
CALL, RELEASE, CURRENT = "earnings_call", "announcement", "current_report"
# A document is published up to this long after what it reports; annual reports take 3 to 4 months.
PUBLISHED_WITHIN = timedelta(days=130)
# How much a filing of a kind that was not named still counts when others were.
OTHER_KIND = 0.3
MOST_WANTED = 80


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filing by fiscal year, quarter (None: the whole year) and kind; `weight` 0 to 1."""

    fiscal_year: int
    fiscal_quarter: int | None
    kind: str
    weight: float


def wanted_filings(periods: Iterable[Period], kinds: Sequence[str] = ()) -> tuple[Wanted, ...]:
    """Best first, each filing once by its best weight; future periods want nothing."""
    best: dict[tuple[int, int | None, str], float] = {}
    for period in periods:
        if period.future:
            continue
        found: list[Wanted] = []
        for year, quarter in period.quarters:
            found += _of_quarter(year, quarter, shifted=period.basis != "fiscal")
        if not period.quarters:
            for year in period.years:
                found += _of_year(year)
        for wanted in found:
            factor = 1.0 if not kinds or wanted.kind in kinds else OTHER_KIND
            # What is only implied ("year over year") comes after what is named.
            factor *= 0.8 if period.implied else 1.0
            place = (wanted.fiscal_year, wanted.fiscal_quarter, wanted.kind)
            best[place] = max(best.get(place, 0.0), round(wanted.weight * factor, 3))
    rows = [Wanted(*place, weight) for place, weight in best.items()]
    rows.sort(key=lambda row: (-row.weight, -row.fiscal_year, -(row.fiscal_quarter or 0), row.kind))
    return tuple(rows[:MOST_WANTED])


def fiscal_years(periods: Iterable[Period], *, strict: bool = False) -> tuple[int, ...]:
    """The years to filter by, latest first; empty where nothing, or only the future, is named.

    With slack: one year later for comparative columns, one earlier for years numbered otherwise.
    """
    named = {year for period in periods if not period.future for year in period.years}
    if not strict:
        named |= {year + step for year in named for step in (-1, 1)}
    return tuple(sorted(named, reverse=True))


def publication_dates(periods: Sequence[Period]) -> tuple[date | None, date | None]:
    """From the first day of what is named until its documents are all out."""
    named = [period for period in periods if not period.future and not period.newest]
    if not named:
        return None, None
    first = (
        None
        if any(p.first_day is None for p in named)
        else min(p.first_day for p in named if p.first_day)
    )
    last = max((p.last_day for p in named if p.last_day), default=None)
    return first, (last + PUBLISHED_WITHIN if last else None)


def _of_year(year: int) -> list[Wanted]:
    rows = [
        Wanted(year, None, ANNUAL, 1.0),
        Wanted(year + 1, None, ANNUAL, 0.6),
        Wanted(year + 2, None, ANNUAL, 0.35),
        Wanted(year - 1, None, ANNUAL, 0.15),
        Wanted(year, None, CURRENT, 0.3),
        Wanted(year + 1, None, CURRENT, 0.2),
    ]
    for quarter in (1, 2, 3, 4):
        last = quarter == 4
        rows.append(Wanted(year, quarter, CALL, 0.5 if last else 0.3))
        rows.append(Wanted(year, quarter, RELEASE, 0.5 if last else 0.3))
        rows.append(Wanted(year, quarter, QUARTERLY, 0.35))
    return rows


def _of_quarter(year: int, quarter: int, *, shifted: bool) -> list[Wanted]:
    rows = [
        Wanted(year, quarter, QUARTERLY, 1.0),
        Wanted(year, quarter, CALL, 0.9),
        Wanted(year, quarter, RELEASE, 0.9),
        # No quarterly report follows the fourth quarter; the year's report does.
        Wanted(year, None, ANNUAL, 1.0 if quarter == 4 else 0.45),
        Wanted(year + 1, quarter, QUARTERLY, 0.5),
        Wanted(year, None, CURRENT, 0.4),
    ]
    if shifted:
        for step in (-1, 1):
            index = year * 4 + quarter - 1 + step
            rows.append(Wanted(index // 4, index % 4 + 1, QUARTERLY, 0.25))
    return rows
