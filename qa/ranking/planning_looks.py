"""The looks that a question needs: one per company it compares and per period it spans; pure.

Each has filters from the narrowest on, to widen by where a narrow one finds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from qa.question.filing_filters import Wanted, fiscal_years, publication_dates, wanted_filings
from qa.question.periods import Period, step_quarter
from qa.understood import Understanding

MOST_LOOKS = 8
# An annual report has columns of three years, so one look covers them where looks are many.
YEARS_OF_A_REPORT = 3


@dataclass(frozen=True, slots=True)
class Filter:
    """Documents to look in; an empty field confines nothing. `words` says it to the reader.

    A document without a fiscal year is let in by its day of publication.
    """

    companies: tuple[int, ...] = ()
    fiscal_years: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()
    published: tuple[date | None, date | None] = (None, None)
    words: str = "everything that you can search"

    @property
    def is_empty(self) -> bool:
        return not (self.companies or self.fiscal_years or self.kinds or any(self.published))


@dataclass(frozen=True, slots=True)
class Look:
    """One search of several: `group` is the company or period it answers for, empty for all.

    `filters`: narrowest first, each wider than the one before; the page's own scope is not among
    them, since it holds in all. `wanted` are the filings that likely answer.
    """

    group: str
    filters: tuple[Filter, ...]
    wanted: tuple[Wanted, ...] = ()
    companies: tuple[int, ...] = ()
    periods: tuple[Period, ...] = ()


def plan(understanding: Understanding, *, simple: bool = False) -> tuple[Look, ...]:
    """At most 8 looks, one where nothing is compared; `simple` asks for one whatever is."""
    companies = _companies(understanding)
    groups: Sequence[tuple[str, tuple[Period, ...]]] = [("", understanding.periods)]
    apart = understanding.comparison and len(companies) > 1 and not simple
    sides = [(company,) for company in companies] if apart else [companies]
    if understanding.temporal and not simple:
        groups = _period_groups(understanding.periods, max(1, MOST_LOOKS // len(sides)))
    names = {company.id: company.name for company in understanding.companies}
    looks = []
    for side in sides[:MOST_LOOKS]:
        for label, periods in groups:
            who = names.get(side[0], "") if apart else ""
            group = " · ".join(part for part in (who, label) if part)
            looks.append(_look(understanding, group, side, periods, names))
    return tuple(looks)


def _companies(understanding: Understanding) -> tuple[int, ...]:
    """Those of the question that the page allows; the page's where it allows none of them."""
    return understanding.scope().companies


def _look(
    understanding: Understanding,
    group: str,
    companies: tuple[int, ...],
    periods: tuple[Period, ...],
    names: dict[int, str],
) -> Look:
    kinds = understanding.kinds if understanding.undated() else ()
    who = " and ".join(names.get(company, "the page's company") for company in companies)
    filters = []
    if periods:
        years = () if understanding.undated() else fiscal_years(periods)
        named = [period for period in periods if not period.future]
        if named:
            first, last = publication_dates(periods)
            if understanding.undated() or years:
                labels = ", ".join(dict.fromkeys(_label(period) for period in named))
                filters.append(Filter(companies, years, kinds, (first, last), labels))
    if kinds:
        filters.append(Filter(companies, kinds=kinds))
    if companies:
        filters.append(Filter(companies))
    told = [replace(each, words=_words(each, who, understanding)) for each in filters]
    wanted = wanted_filings(periods, understanding.kinds)
    return Look(group, tuple(told), wanted, companies, periods)


def _words(found: Filter, who: str, understanding: Understanding) -> str:
    """The filter as people say it: "Apple, fiscal years 2021 to 2023"."""
    parts = [who] if who else []
    if found.kinds:
        labels = dict.fromkeys(read.label for read in understanding.kind_reads)
        parts.append(", ".join(labels))
    if found.fiscal_years:
        first, last = min(found.fiscal_years), max(found.fiscal_years)
        several = first != last
        parts.append(f"fiscal years {first} to {last}" if several else f"fiscal year {first}")
    elif any(found.published):
        since, until = found.published
        parts.append(
            "published"
            + (f" from {since:%d %B %Y}" if since else "")
            + (f" to {until:%d %B %Y}" if until else "")
        )
    return ", ".join(parts) or "everything that you can search"


def _period_groups(
    periods: Sequence[Period], most: int
) -> Sequence[tuple[str, tuple[Period, ...]]]:
    """(label, periods) of each single year or quarter, latest last; neighbours joined over `most`.

    Periods in the future stay out, as nothing reports them.
    """
    single = list(_single(period for period in periods if not period.future))
    if len(single) < 2:
        return [("", tuple(periods))]
    if len(single) > most:
        step = -(-len(single) // most)
        by_year = [period for period in single if not period.quarters]
        if len(by_year) == len(single):
            step = max(step, min(YEARS_OF_A_REPORT, len(single)))
        single_groups = [tuple(single[at : at + step]) for at in range(0, len(single), step)]
    else:
        single_groups = [(period,) for period in single]
    return [(_group_label(group), group) for group in single_groups]


def _group_label(group: Sequence[Period]) -> str:
    first, last = _label(group[0]), _label(group[-1])
    return first if first == last else f"{first} to {last}"


def _single(periods: Iterable[Period]) -> Iterator[Period]:
    """Each year and each quarter by itself, in time order, once."""
    quarters: dict[tuple[int, int], Period] = {}
    years: dict[int, Period] = {}
    for period in periods:
        for year, quarter in period.quarters:
            quarters.setdefault((year, quarter), _quarter(period, year, quarter))
        if not period.quarters:
            for year in period.years:
                years.setdefault(year, _year(period, year))
    # Who asks for quarters of a year and names the year as well means the quarters.
    covered = {year for year, _ in quarters}
    keyed = [((year, 0), one) for year, one in years.items() if year not in covered]
    keyed += list(quarters.items())
    yield from (one for _, one in sorted(keyed, key=lambda row: row[0]))


def _quarter(period: Period, year: int, quarter: int) -> Period:
    one = replace(period, years=(year,), quarters=((year, quarter),))
    if not 1 <= year <= 9998:
        return one
    following = step_quarter((year, quarter), 1)
    last = date(following[0], following[1] * 3 - 2, 1) - timedelta(days=1)
    return replace(one, first_day=date(year, quarter * 3 - 2, 1), last_day=last)


def _year(period: Period, year: int) -> Period:
    if not 1 <= year <= 9998:
        return replace(period, years=(year,))
    return replace(period, years=(year,), first_day=date(year, 1, 1), last_day=date(year, 12, 31))


def _label(period: Period) -> str:
    """ "FY2022", "Q2 FY2022", "2020 to 2022"; whole periods by their own label."""
    if len(period.quarters) == 1:
        year, quarter = period.quarters[0]
        return f"Q{quarter} FY{year}" if period.basis == "fiscal" else f"Q{quarter} {year}"
    if len(period.years) == 1 and not period.quarters:
        return f"FY{period.years[0]}" if period.basis == "fiscal" else f"{period.years[0]}"
    return period.label
