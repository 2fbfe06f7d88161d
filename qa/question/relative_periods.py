"""Periods told by where they stand to today or to the newest documents: "last 4 quarters".

`read_periods` is the whole reading: these, the absolute ones, and those a change implies.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from qa.question.periods import (
    Newest,
    Period,
    absolute_periods,
    calendar_newest,
    of_quarters,
    of_years,
    step_quarter,
)

MOST_PERIODS = 12
_WORDS = {
    "a": 1, "one": 1, "two": 2, "couple": 2, "three": 3, "few": 3, "four": 4, "several": 4,
    "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
}  # fmt: skip
_N = rf"(?P<n>\d{{1,2}}|{'|'.join(word for word in _WORDS if word != 'a')}|a\scouple|a\sfew)(?:\sof)?"  # noqa: E501
_WHAT = r"(?:full\s|fiscal\s|reported\s|calendar\s|consecutive\s|complete\s){0,2}(?P<what>quarter|half|year|month|week|day)s?"  # noqa: E501
_LAST = r"(?:last|past|previous|prior|trailing|preceding|latest|most\srecent|recent)"
_COUNTED = re.compile(
    rf"\b(?P<next>next|coming|upcoming)\s{_N}\s{_WHAT}\b|\b{_LAST}[\s-]{_N}[\s-]{_WHAT}\b".replace(
        "(?P<n>", "(?P<m>", 1
    ).replace("(?P<what>", "(?P<kind>", 1),
    re.I,
)
_LONG = re.compile(
    rf"\b(?:{_N})[\s-](?P<what>quarter|year)s?[\s-](?:trend|history|period|average|cagr|growth|"
    r"track\srecord|trajectory|view|window|lookback|comparison)\b",
    re.I,
)
_TWELVE = re.compile(r"\b(?:TTM|LTM|(?:trailing|last|past)[\s-](?:twelve|12)[\s-]months?)\b", re.I)
_NAMED = re.compile(
    r"\b(?P<how>this|current|last|past|previous|prior|preceding|latest|newest|most\srecent|"
    r"most\srecently\s(?:reported|completed|ended)|last\s(?:reported|completed)|next|coming|"
    r"upcoming)\s(?:full\s|fiscal\s|reported\s|calendar\s|completed\s){0,2}"
    r"(?P<what>quarter|half|year|month|week)(?:'?s)?\b",
    re.I,
)
_TO_DATE = re.compile(r"\b(?:YTD|year[\s-]to[\s-]date|so\sfar\sthis\syear)\b", re.I)
_DAY = re.compile(r"\b(?P<day>today|yesterday)\b", re.I)
_NEWEST = re.compile(
    r"\b(?:most\srecent(?:ly)?|latest|newest|recent(?:ly)?|up[\s-]to[\s-]date|currently|"
    r"as\sof\s(?:now|today)|last\sreported)\b",
    re.I,
)
_OVER_YEAR = re.compile(
    r"\b(?:year[\s-]over[\s-]years?|year[\s-]on[\s-]years?|y[\s/-]?o[\s/-]?y|y/y|"
    r"(?:a|one|the)\syear\s(?:ago|earlier|before|prior)|(?:prior|previous|last|preceding)[\s-]years?(?:['’]s)?"
    r"(?:\s(?:period|quarter|comparable))?|same\s(?:quarter|period)\s(?:last|of\slast|of\sthe\sprior|"
    r"the\sprior|of\sthe\sprevious|a)\syear(?:\s(?:ago|earlier|before))?)\b",
    re.I,
)
_OVER_QUARTER = re.compile(
    r"\b(?:quarter[\s-]over[\s-]quarter|quarter[\s-]on[\s-]quarter|q[/-]?o[/-]?q|q/q|sequential(?:ly)?|"
    r"(?:prior|previous|preceding|last)[\s-]quarter)\b",
    re.I,
)
_PLAIN_YEAR = re.compile(r"(?:last|prior|previous|preceding)[\s-]year", re.I)
_COMPARED = re.compile(
    r"\b(?:compared\s(?:to|with)|vs\.?|versus|than|against|over|from|relative\sto)\s(?:the\s|its\s)?$",
    re.I,
)
_SINCE = re.compile(r"\bsince\s(?:the\s)?$", re.I)
_DAYS = {"day": 1, "week": 7, "month": 30, "half": 182}


def read_periods(
    text: str, as_of: date, newest: Callable[[], Newest] | None = None
) -> tuple[Period, ...]:
    """All periods of a question, from left to right, each once; at most twelve.

    `newest` tells what the documents of the companies asked about report at most; it is called
    only where the question needs it. Without it the calendar decides.
    """
    ask = newest or (lambda: calendar_newest(as_of))
    found = absolute_periods(text, as_of, ask)
    dated = bool(found)
    for period in _relative(text, as_of, ask, dated=dated):
        if all(period.end <= other.start or other.end <= period.start for other in found):
            found.append(period)
    found += _implied(text, found, ask)
    unique: dict[str, Period] = {}
    for period in sorted(found, key=lambda period: (period.implied, period.start)):
        unique.setdefault(period.key, period)
    return tuple(unique.values())[:MOST_PERIODS]


def _relative(
    text: str, as_of: date, newest: Callable[[], Newest], *, dated: bool
) -> Iterator[Period]:
    for match in _TWELVE.finditer(text):
        yield _last(match, 4, "quarter", as_of, newest)
    for match in _COUNTED.finditer(text):
        count, what = match["m"] or match["n"], match["kind"] or match["what"]
        number = _number(count)
        if match["next"]:
            yield _next(match, number, what.lower(), as_of)
        else:
            yield _last(match, number, what.lower(), as_of, newest)
    for match in _LONG.finditer(text):
        yield _last(match, _number(match["n"]), match["what"].lower(), as_of, newest)
    for match in _TO_DATE.finditer(text):
        yield of_years(
            *match.span(),
            [as_of.year],
            last_day=as_of,
            relative=True,
            label=f"{as_of.year} to date",
        )
    for match in _NAMED.finditer(text):
        # "versus last year" beside a date is that date's year before.
        if dated and _COMPARED.search(text[max(0, match.start() - 30) : match.start()]):
            continue
        period = _by_name(match, as_of, newest)
        if period and _SINCE.search(text[max(0, match.start() - 12) : match.start()]):
            period = replace(
                of_years(*match.span(), range(period.years[0], as_of.year + 1), relative=True),
                first_day=period.first_day, last_day=as_of,
            )  # fmt: skip
        if period:
            yield period
    for match in _DAY.finditer(text):
        day = as_of - dt.timedelta(days=match["day"].lower() == "yesterday")
        yield _of_days(match, day, day, match[0].lower())
    for match in _NEWEST.finditer(text):
        yield Period(*match.span(), "period:newest", "most recent", (), newest=True, relative=True)


def _last(
    match: re.Match[str], count: int, what: str, as_of: date, newest: Callable[[], Newest]
) -> Period:
    span, label = match.span(), f"last {count} {what}s" if count != 1 else f"last {what}"
    fields: dict[str, Any] = {
        "relative": True, "label": label, "key": "period:" + label.replace(" ", "-")
    }  # fmt: skip
    if what == "quarter" or (what == "month" and count % 3 == 0):
        quarters = count if what == "quarter" else count // 3
        last = newest().quarter
        rows = [step_quarter(last, -back) for back in range(quarters - 1, -1, -1)]
        if what == "month":
            # News of the running quarter belongs to the "last six months" too.
            fields["last_day"] = as_of
        return of_quarters(*span, rows, **fields)
    if what == "year":
        last_year = newest().year
        return of_years(*span, range(last_year - count + 1, last_year + 1), **fields)
    return _of_days(match, as_of - dt.timedelta(days=count * _DAYS[what]), as_of, label)


def _next(match: re.Match[str], count: int, what: str, as_of: date) -> Period:
    label = f"next {count} {what}s"
    fields: dict[str, Any] = {
        "relative": True, "label": label, "key": "period:" + label.replace(" ", "-"), "future": True
    }  # fmt: skip
    if what == "year":
        return of_years(*match.span(), range(as_of.year + 1, as_of.year + count + 1), **fields)
    now = (as_of.year, (as_of.month - 1) // 3 + 1)
    count = count if what == "quarter" else 1
    rows = [step_quarter(now, ahead) for ahead in range(1, count + 1)]
    return of_quarters(*match.span(), rows, **fields)


def _by_name(match: re.Match[str], as_of: date, newest: Callable[[], Newest]) -> Period | None:
    """ "this quarter", "last year", "latest fiscal year", "next month"."""
    how, what, span = match["how"].lower(), match["what"].lower(), match.span()
    reported = how.startswith(("latest", "newest", "most", "last reported", "last completed"))
    ahead = how in ("next", "coming", "upcoming")
    now = (as_of.year, (as_of.month - 1) // 3 + 1)
    here = how in ("this", "current")
    if what == "quarter":
        quarter = now if here else step_quarter(now, 1) if ahead else newest().quarter
        return of_quarters(*span, [quarter], relative=True, future=ahead)
    if what == "year":
        fiscal = "fiscal" in match[0].lower()
        if reported or (fiscal and not here and not ahead):
            year = newest().year
        else:
            year = as_of.year + (0 if here else 1 if ahead else -1)
        basis = "fiscal" if fiscal else "either"
        return of_years(*span, [year], relative=True, basis=basis, future=ahead)
    if what == "half":
        half = (as_of.month - 1) // 6 + (0 if here else 1 if ahead else -1)
        first = (as_of.year + half // 2, half % 2 * 2 + 1)
        rows = [first, step_quarter(first, 1)]
        return of_quarters(*span, rows, relative=True, future=ahead)
    if ahead:
        return None
    days = _DAYS[what]
    return _of_days(match, as_of - dt.timedelta(days=days), as_of, f"{how} {what}")


def _of_days(match: re.Match[str], first: date, last: date, label: str) -> Period:
    """News and filings of these days; what they report is the year's or the one before."""
    years = tuple(range(first.year, last.year + 1))
    key = "period:" + label.replace(" ", "-")
    return Period(*match.span(), key, label, years, first_day=first, last_day=last, relative=True)


def _implied(text: str, found: list[Period], newest: Callable[[], Newest]) -> Iterator[Period]:
    """The period before, which "year over year" and "sequentially" compare with."""
    named = [p for p in found if not p.future and not p.newest and (p.quarters or p.years)]
    year = next(_free(_OVER_YEAR, text, found), None)
    quarter = next(_free(_OVER_QUARTER, text, found), None)
    if year:
        if not named:
            last = newest().year
            yield of_years(*year.span(), [last - 1, last], relative=True)
        for period in named:
            # A range already holds its years before, except the first one's.
            if period.quarters:
                rows = [(period.quarters[0][0] - 1, period.quarters[0][1])]
                rows += [(y - 1, q) for y, q in period.quarters[1:]]
                yield of_quarters(*year.span(), sorted(rows), implied=True, basis=period.basis)
            else:
                yield of_years(
                    *year.span(), [period.years[0] - 1], implied=True, basis=period.basis
                )
    if quarter:
        quarters = [p for p in named if p.quarters]
        if not quarters:
            last_quarter = newest().quarter
            rows = [step_quarter(last_quarter, -1), last_quarter]
            yield of_quarters(*quarter.span(), rows, relative=True)
        for period in quarters:
            before = step_quarter(period.quarters[0], -1)
            yield of_quarters(*quarter.span(), [before], implied=True, basis=period.basis)


def _free(pattern: re.Pattern[str], text: str, found: list[Period]) -> Iterator[re.Match[str]]:
    for match in pattern.finditer(text):
        if all(match.end() <= p.start or p.end <= match.start() for p in found):
            yield match


def _number(word: str) -> int:
    last = word.lower().split()[-1]
    return max(1, int(last)) if last.isdigit() else _WORDS.get(last, 1)
