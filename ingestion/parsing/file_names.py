"""What a file name says: "3M_2018_10K.pdf", "BESTBUY_2023Q4_EARNINGS.pdf", "AAT_q1_2020.txt"."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import PurePath
from typing import Any

from ingestion.parsing import periods

# First match wins: a call is about earnings, and a research note may be about a call.
_KINDS = [
    ("annual_report", "10-K", r"\b10[ -]?K(?:/?A|405|SB)?\b"),
    ("annual_report", "20-F", r"\b20[ -]?F(?:/?A)?\b"),
    ("annual_report", "40-F", r"\b40[ -]?F(?:/?A)?\b"),
    ("quarterly_report", "10-Q", r"\b10[ -]?Q(?:/?A)?\b"),
    ("current_report", "8-K", r"\b(?:form ?)?8[ -]?K(?:/?A)?\b"),
    ("current_report", "6-K", r"\b(?:form ?)?6[ -]?K(?:/?A)?\b"),
    ("research_note", "", r"\b(?:research|initiation|initiating|coverage|analyst note|note)\b"),
    ("earnings_call", "", r"\b(?:earnings ?call|conference ?call|call|transcript)\b"),
    ("annual_report", "", r"\bannual ?report\b"),
    ("quarterly_report", "", r"\bquarterly ?report\b"),
    ("current_report", "", r"\bcurrent ?report\b"),
    ("news", "", r"\b(?:news|newswire|article|story)\b"),
    (
        "announcement",
        "",
        (
            r"\b(?:earnings(?: ?release)?|press ?release|release|results|announcement|announces"
            r"|guidance)\b"
        ),
    ),
]
_PATTERNS = [(kind, form, re.compile(pattern, re.I)) for kind, form, pattern in _KINDS]
_DATES = re.compile(
    r"\b(?:dated |filed )?(?P<year>(?:19|20)\d\d)[ -]?(?P<month>0[1-9]|1[0-2])[ -]?"
    r"(?P<day>0[1-9]|[12]\d|3[01])\b"
)
_QUARTERS = [
    re.compile(r"\b(?:FY ?)?(?P<year>(?:19|20)\d\d) ?-?Q(?P<quarter>[1-4])\b", re.I),
    re.compile(r"\bQ(?P<quarter>[1-4]) ?-?(?:FY ?)?'?(?P<year>(?:20)?\d\d)\b", re.I),
    re.compile(r"\b(?P<quarter>[1-4])Q ?-?(?:FY ?)?'?(?P<year>(?:20)?\d\d)\b", re.I),
]
_QUARTER = re.compile(r"\b(?:Q(?P<after>[1-4])|(?P<before>[1-4])Q)\b", re.IGNORECASE)
_YEARS = [
    re.compile(r"\bFY ?'?(?P<year>(?:20)?\d\d)\b", re.I),
    re.compile(r"\b(?P<year>(?:19|20)\d\d)\b"),
]
_ACCESSION = re.compile(r"^\d{10}-?\d{2}-?\d{6}")
# Words that describe a file, not a company.
_GENERIC = frozenset(
    re.findall(
        r"\w+",
        """
    a an and the of for form file filing final draft copy document doc report full fiscal year
    quarter annual quarterly current exhibit ex ex99 index test sample scan scanned new untitled
    page pages download downloads pdf html htm txt version v1 v2 amended amendment earnings call
    release statement financial financials sec edgar update dated filed item q1 q2 q3 q4 html
    minutes notice proxy prospectus presentation slides deck webcast remarks prepared
    """,
    )
)


def facts(file_name: str) -> dict[str, Any]:
    """Kind, form, company, fiscal_year, fiscal_quarter and published_on, those that it says."""
    stem = PurePath(file_name.replace("\\", "/")).stem
    if _ACCESSION.match(stem):
        return {}
    rest = re.sub(r"[_\s.+,()\[\]]+|%20", " ", stem).strip()
    found: dict[str, Any] = {}
    rest = _take_date(rest, found)
    rest = _take_kind(rest, found)
    rest = _take_period(rest, found)
    # Without any other sign of a filing, the words of a name may be about anything.
    if found and (company := _company(rest)):
        found["company"] = company
    return found


def _take_date(rest: str, found: dict[str, Any]) -> str:
    match = _DATES.search(rest)
    if not match:
        return rest
    try:
        day = dt.date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        return rest
    # EDGAR names a filing by ticker and the end of its period: "ibm-20241231"; in front of a
    # name, "20240502 Northwind call", it is the day.
    compact = match.start() > 0 and re.search(r"\d{8}", match[0]) is not None
    found["period_end" if compact else "published_on"] = day
    return f"{rest[: match.start()]} | {rest[match.end() :]}"


def _take_kind(rest: str, found: dict[str, Any]) -> str:
    spaced = re.sub(r"(?<=[a-z])-|-(?=[a-z]{2})", " ", rest, flags=re.IGNORECASE)
    for kind, form, pattern in _PATTERNS:
        for text in (rest, spaced):
            match = pattern.search(text)
            if match:
                found["kind"] = kind
                if form:
                    amended = match[0][-1] in "Aa"
                    found["form"] = f"{form}/A" if amended else form
                return f"{text[: match.start()]} | {text[match.end() :]}"
    return rest


def _take_period(rest: str, found: dict[str, Any]) -> str:
    for pattern in (*_QUARTERS, *_YEARS):
        match = pattern.search(rest)
        if match:
            found["fiscal_year"] = periods.full_year(match["year"])
            if "quarter" in match.groupdict():
                found["fiscal_quarter"] = int(match["quarter"])
            rest = f"{rest[: match.start()]} | {rest[match.end() :]}"
            break
    match = _QUARTER.search(rest)
    if match and "fiscal_quarter" not in found:
        found["fiscal_quarter"] = int(match["after"] or match["before"])
        rest = f"{rest[: match.start()]} | {rest[match.end() :]}"
    return rest


def _company(rest: str) -> str:
    """The first run of words left between what was recognised, if it may be a name."""
    for run in rest.split("|"):
        words = [word for word in re.split(r"[\s-]+", run) if word]
        words = [word for word in words if word.casefold() not in _GENERIC]
        letters = sum(character.isalpha() for word in words for character in word)
        if 1 <= len(words) <= 5 and letters >= 1 and not any(w.isdigit() for w in words):
            return " ".join(words)
    return ""
