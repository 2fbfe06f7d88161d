"""Dates and fiscal periods as people write them: "December 31, 2018", "Q3 FY24"."""

from __future__ import annotations

import datetime as dt
import re

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
DATE = (
    rf"(?:{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s*,?\s+(?P<year>(?:19|20)\d\d)"
    rf"|(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:day\s+of\s+)?{_MONTH.replace('month', 'month2')},?"
    r"\s+(?P<year2>(?:19|20)\d\d)"
    r"|(?P<iso>(?:19|20)\d\d-\d\d-\d\d)"
    r"|(?P<us>\d{1,2}/\d{1,2}/(?:19|20)\d\d))"
)
_DATE = re.compile(DATE, re.IGNORECASE)
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3}
_ORDINALS["4th"] = 4
_ORDINAL = r"(?P<ordinal>first|second|third|fourth|1st|2nd|3rd|4th)[\s-]+(?:fiscal\s+)?quarter"
_YEAR = r"(?:fiscal\s+(?:year\s+)?|fy\s?)?(?P<year>(?:19|20)\d\d)\b"
_QUARTERS = [
    re.compile(r"\bQ(?P<quarter>[1-4])[\s_-]*(?:FY|F|CY)?[\s'’_-]*(?P<year>(?:20)?\d\d)\b", re.I),
    re.compile(r"\b(?P<quarter>[1-4])Q[\s_-]*(?:FY|F)?[\s'’_-]*(?P<year>(?:20)?\d\d)\b", re.I),
    re.compile(r"\b(?:FY)?(?P<year>(?:20)\d\d)[\s_-]*Q(?P<quarter>[1-4])\b", re.I),
    re.compile(rf"\b{_ORDINAL}[\s,]*(?:and\s+full[\s-]year\s+)?(?:of\s+)?(?:the\s+)?{_YEAR}", re.I),
    re.compile(rf"\b{_YEAR}[\s,]*{_ORDINAL}", re.I),
]
_QUARTER_TO_DATE = re.compile(
    rf"\b{_ORDINAL}\s+(?:\([^()]{{1,30}}\)\s+)?(?:which\s+)?ended:?\s+{DATE}", re.IGNORECASE
)
_OLDEST_REPORT = dt.timedelta(days=245)
# Companies whose year ends a month after the calendar's report some 55 days after its quarter.
_SURELY_CALENDAR = dt.timedelta(days=50)
_LOOSE_QUARTER = re.compile(rf"\b(?:Q(?P<quarter>[1-4])|{_ORDINAL})\b", re.IGNORECASE)
_FISCAL_YEAR = re.compile(
    r"\b(?:fiscal(?:\s+year)?|full[\s-]year|FY)[\s'’]*(?P<year>(?:19|20)?\d\d)\b", re.IGNORECASE
)


def find_date(text: str) -> dt.date | None:
    """The first full date in the text; None when there is none or it is impossible."""
    match = _DATE.search(text)
    return date_of(match) if match else None


def date_of(match: re.Match[str]) -> dt.date | None:
    """The date of a match of DATE; numbers between slashes are month/day/year."""
    try:
        if match["iso"]:
            return dt.date.fromisoformat(match["iso"])
        if match["us"]:
            month, day, year = map(int, match["us"].split("/"))
            return dt.date(year, month, day)
        name = (match["month"] or match["month2"]).lower()[:3]
        number = _MONTHS.index(name) + 1
        return dt.date(
            int(match["year"] or match["year2"]), number, int(match["day"] or match["day2"])
        )
    except ValueError:
        return None


def quarters_named(text: str) -> list[tuple[int | None, int | None]]:
    """Every fiscal quarter that is named together with its year, as (quarter, year), in order."""
    found: list[tuple[int, tuple[int, int]]] = [
        (match.start(), (_quarter(match), full_year(match["year"])))
        for pattern in _QUARTERS
        for match in pattern.finditer(text)
    ]
    found += [
        (match.start(), fiscal_period(end, _quarter(match)))
        for match in _QUARTER_TO_DATE.finditer(text)
        if (end := date_of(match))
    ]
    return [period for _, period in sorted(found)]


def periods_named(text: str) -> list[tuple[int | None, int | None]]:
    """Fiscal quarters with their years; without any, the first quarter and the first year alone."""
    if together := quarters_named(text):
        return together
    quarter, year = quarter_and_year(text)
    return [period for period in ((quarter, None), (None, year)) if any(period)]


def may_be_reported(year: int, quarter: int | None, day: dt.date) -> bool:
    """Whether what is published on this day may be about this fiscal period.

    It ended before and at most about eight months ago. Fiscal year 2024 may end at any time from
    January 2024 to the first days of February 2025.
    """
    back = 3 * (4 - (quarter or 4))
    earliest = _months_before(dt.date(year, 1, 25), back)
    latest = _months_before(dt.date(year + 1, 2, 7), back)
    return earliest <= day and latest >= day - _OLDEST_REPORT


def year_of_recent_quarter(quarter: int, day: dt.date) -> int | None:
    """The year of a quarter that a document of this day names without one.

    None unless the calendar's quarter ended so shortly before that the fiscal year is the
    calendar's; other fiscal years report at other times.
    """
    year = day.year - 1 if quarter == 4 else day.year
    end = dt.date(year + quarter // 4, (3 * quarter) % 12 + 1, 1) - dt.timedelta(days=1)
    return year if dt.timedelta(0) < day - end <= _SURELY_CALENDAR else None


def _months_before(day: dt.date, months: int) -> dt.date:
    count = day.year * 12 + day.month - 1 - months
    return day.replace(year=count // 12, month=count % 12 + 1)


def quarter_and_year(text: str) -> tuple[int | None, int | None]:
    """The first fiscal quarter named with its year; failing that, each of them alone."""
    matches = [match for pattern in _QUARTERS if (match := pattern.search(text))]
    if matches:
        first = min(matches, key=lambda match: match.start())
        return _quarter(first), full_year(first["year"])
    loose, year = _LOOSE_QUARTER.search(text), _FISCAL_YEAR.search(text)
    return (_quarter(loose) if loose else None), (full_year(year["year"]) if year else None)


def _quarter(match: re.Match[str]) -> int:
    groups = match.groupdict()
    if groups.get("quarter"):
        return int(groups["quarter"])
    return _ORDINALS[groups["ordinal"].lower()]


def full_year(digits: str) -> int:
    """Two digits are of this century."""
    return int(digits) if len(digits) == 4 else 2000 + int(digits)


def fiscal_year_of_end(end: dt.date) -> int:
    """The fiscal year that ends on this day: the year of the day.

    Years of 52 or 53 weeks may end in the first days of January and belong to the year before.
    """
    return end.year - 1 if end.month == 1 and end.day <= 7 else end.year


def fiscal_period(quarter_end: dt.date, quarter: int | None) -> tuple[int, int]:
    """Quarter and fiscal year of a quarter that ends on this day.

    With the quarter known (six months ended: the second), the year is the one in which the
    fiscal year ends; without it, fiscal and calendar year are taken for the same.
    """
    month_end = quarter_end - dt.timedelta(days=7) if quarter_end.day <= 7 else quarter_end
    if quarter is None:
        return (month_end.month + 2) // 3, month_end.year
    months = month_end.month + 3 * (4 - quarter)
    return quarter, month_end.year + (months - 1) // 12
