"""Calendar dates and fiscal periods, by rule.

A date may be a day, a month or a year; durations ("three months") and relative ones ("last year")
are not dates. Trap: a year inside the name of a law, plan or standard is no date.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from ingestion.recognising.mention import DATE, PERIOD, Found

_NAMES = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
]  # fmt: skip
_MONTH = (
    r"(?P<month>January|February|March|April|May|June|July|August|September|October|November|"
    r"December|Jan\.?|Feb\.?|Mar\.?|Apr\.?|Jun\.?|Jul\.?|Aug\.?|Sept?\.?|Oct\.?|Nov\.?|Dec\.?|"
    r"JANUARY|FEBRUARY|MARCH|APRIL|MAY|JUNE|JULY|AUGUST|SEPTEMBER|OCTOBER|NOVEMBER|DECEMBER)"
)
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_DATES = [
    re.compile(rf"(?<!\w){_MONTH},?\s*{_DAY}(?:\s*,\s*|\s+){_YEAR}(?!\w|,\d)"),
    re.compile(rf"(?<![\w.,]){_DAY}\s+(?:of\s+)?{_MONTH},?\s+{_YEAR}(?!\w|,\d)"),
    re.compile(rf"(?<!\w){_MONTH}(?:\s+of|,)?\s+{_YEAR}(?!\w|,\d)"),
    re.compile(rf"(?<!\w){_MONTH}[^\S\n]+{_DAY}(?![\w%]|[.,]\d)"),
    re.compile(rf"(?<![\w/-]){_YEAR}-(?P<month>\d\d)-(?P<day>\d\d)(?![\w/-])"),
    re.compile(
        r"(?<![\w/.-])(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>(?:19|20)?\d\d)(?![\w/-])"
    ),
]
_BARE = re.compile(
    r"(?<![\w$€£#'’&./-])(?<![,(]\d)(?P<year>(?:19[5-9]\d|20[0-4]\d))(?![\w%/]|[.,]\d)"
)
_DUE = re.compile(
    r"\b(?:due|maturing|matures?|expiring)\s+(?:in\s+)?(?P<year>20[5-9]\d)(?![\w%/]|[.,]\d)"
)
# Without a day or a year a month is one only where the words before say when.
_MONTH_ALONE = re.compile(
    r"\b(?:[Ii]n|[Ss]ince|[Uu]ntil|[Dd]uring|[Tt]hrough|[Ee]arly|[Ll]ate|[Mm]onth\s+of)\s+(?:early\s+|"
    rf"late\s+|mid-)?(?=[A-Z]){_MONTH}(?![^\S\n]*,?\s*\d|\s+of\s+\d|\w|[^\S\n]+[A-Z])"
)
_NAMED = re.compile(
    r"(?:\s+and\s+(?:19|20)\d\d)?(?:\s+(?:[A-Z][\w’'&-]*|and|of|for|\(?[A-Z]+\)?)){0,7}?\s+"
    r"(?:Plans?|Act|Framework|framework|Indenture|Notes|Agreement|Program|Directive|Standards?|"
    r"Street|St|Avenue|Ave|Road|Rd|Blvd|Boulevard|Drive|Way|Lane|Parkway|Plaza|Facility|Convention)"
    r"\b"
)
_COUNTED = re.compile(
    r"\s+(?:shares|employees|stores|units|basis|million|billion|percent|square|people|hours|acres|"
    r"miles|MW|restaurants|locations|customers|countries|dollars|times)\b|\s?[-–]\s?\d{1,3}(?!\d)"
)
_NUMBERED = re.compile(
    r"(?:\b(?:Act|ACT)\s+(?:of|OF)|\bASU(?:\s+No\.?)?|\b(?:Section|Rule|No\.|Item|Note|Suite|Room|Form|Topic|Box|"
    r"Exhibit|Release|Statement|Code|Bulletin|page|Page)|Framework\s*\(?|[\d,]\d[^\S\n]+[x×])\s*$"
)
_ORDINAL = r"(?P<ordinal>first|second|third|fourth|1st|2nd|3rd|4th)"
_SHORT = r"(?P<short>(?:19|20)\d\d|['’]?\d\d)"
_SHORT2 = r"(?P<short>\d\d)"
_PERIODS = [
    re.compile(rf"(?i)\b{_ORDINAL}[\s-]+(?:fiscal\s+)?quarter(?:\s+(?:of|in|for))?(?:\s+the)?,?\s+"
               rf"(?:(?:fiscal|calendar)(?:[\s-]+year)?\s+|full[\s-]year\s+|FY\s?)?(?:{_YEAR}|['’]{_SHORT2})(?!\w)"),
    re.compile(rf"\b(?P<letter>[QH])(?P<n>[1-4])(?:\s+of)?[\s-]*(?:(?:FY|CY|(?i:fiscal))(?:\s+(?i:year))?\s*)?"
               rf"{_SHORT}(?!\w|[.,]\d|%)"),
    re.compile(rf"\b(?P<n>[1-4])(?P<letter>[QH])\s*(?:FY|CY)?\s*{_SHORT}(?!\w|[.,]\d|%)"),
    re.compile(rf"\b(?P<letter>YTD)[\s-]*{_SHORT}(?!\w|[.,]\d|%)"),
    re.compile(rf"\bFY\s?{_SHORT}(?:E|A)?(?!\w|[.,]\d|%)"),
    re.compile(r"(?i)\b(?:fiscal|calendar)\s+years\s+(?P<first>(?:19|20)\d\d)\s*(?:through|to|[-–])\s*"
               rf"{_YEAR}(?!\w)"),
    re.compile(r"(?i)\b(?:full[\s-]+(?:fiscal[\s-]+)?year(?:\s+of)?(?:\s+fiscal)?(?:\s+year)?|"
               rf"(?:fiscal|calendar)(?:[\s-]+years?)?(?:\s+of)?)\s+{_YEAR}(?!\w|,\d)"),
]  # fmt: skip
_QUARTERS = {"first": 1, "second": 2, "third": 3, "fourth": 4}


def dates(text: str) -> Iterator[Found]:
    """Days, months and years; may overlap one another, the longest is meant."""
    for pattern in _DATES:
        for match in pattern.finditer(text):
            iso = _iso(match.groupdict())
            if iso:
                yield Found(*match.span(), DATE, iso, {"iso": iso})
    for match in _MONTH_ALONE.finditer(text):
        iso = _iso(match.groupdict())
        yield Found(*match.span("month"), DATE, iso, {"iso": iso})
    for match in _DUE.finditer(text):
        yield Found(*match.span("year"), DATE, match["year"], {"iso": match["year"]})
    for match in _BARE.finditer(text):
        before = text[max(0, match.start() - 30) : match.start()]
        after = text[match.end() : match.end() + 120]
        if _NAMED.match(after) or _COUNTED.match(after) or _NUMBERED.search(before):
            continue
        # The second year of "2008 and 2003 Stock Plans" is judged with the first.
        yield Found(*match.span(), DATE, match["year"], {"iso": match["year"]})


def periods(text: str) -> Iterator[Found]:
    """ "Q1 FY2024", "second quarter of fiscal 2024", "2H23", "fiscal years 2017 to 2019"."""
    for pattern in _PERIODS:
        for match in pattern.finditer(text):
            parts = match.groupdict()
            value: dict[str, object] = {
                "year": _year(parts.get("year") or parts.get("short") or "")
            }
            if parts.get("ordinal"):
                word = parts["ordinal"].lower()
                value["quarter"] = _QUARTERS.get(word) or int(word[0])
            letter = parts.get("letter") or ""
            if letter == "YTD":
                value["year_to_date"] = True
            elif letter:
                if letter == "H" and int(parts["n"]) > 2:
                    continue
                value["quarter" if letter == "Q" else "half"] = int(parts["n"])
            if parts.get("first"):
                value["first_year"] = int(parts["first"])
            yield Found(*match.span(), PERIOD, _shown(value), value)


def _shown(value: dict[str, object]) -> str:
    year = f"FY{value['year']}"
    if "first_year" in value:
        return f"FY{value['first_year']}-{year}"
    if "quarter" in value:
        return f"Q{value['quarter']} {year}"
    if "half" in value:
        return f"H{value['half']} {year}"
    return f"YTD {year}" if value.get("year_to_date") else year


def _year(digits: str) -> int:
    number = int(digits.lstrip("'’"))
    if number >= 100:
        return number
    return 2000 + number if number < 70 else 1900 + number


def _iso(parts: dict[str, str | None]) -> str:
    """ISO 8601 as far as known: "2019-12-31", "2019-12", "--12-31"; empty for no real day."""
    month = parts.get("month") or ""
    number = int(month) if month.isdigit() else _month(month)
    day = int(parts.get("day") or 0)
    year = _year(parts.get("year") or "0") if parts.get("year") else 0
    if month.isdigit() and number > 12 >= day:
        # Written day first, as outside the United States.
        number, day = day, number
    try:
        dt.date(year or 2000, number, day or 1)
    except ValueError:
        return ""
    head = f"{year}-{number:02}" if year else f"--{number:02}"
    return f"{head}-{day:02}" if day else head


def _month(name: str) -> int:
    short = name.lower()[:3]
    return next(n for n, month in enumerate(_NAMES, 1) if month.startswith(short))
