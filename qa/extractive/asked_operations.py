"""What a question wants made of the figures of a table: a change, a mean, a share; pure.

By the wording alone. Trap: a word of the operation may be part of a row's own name ("weighted
average shares"), so whoever chooses rows must see whether the label has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from qa.extractive.asked_kinds import asked_for

PERIODS, ROWS = "periods", "rows"
_NAMED = r"(?P<{}>\S.*?)"
_END = r"(?=\s*(?:[,?;]|$))"
# Figures one by one, or how something is made and why.
_DECLINED = re.compile(
    r"\brespective(?:ly)?\b|^(?:\W*\w+:)?\s*(?:how (?:is|was|are|were)|why)\b|\bdue to\W*$", re.I
)
_SHARES = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        (
            r"^(?P<a>.+?),?\s(?:expressed |stated )?as an? (?:percentage|percent|%|share|"
            rf"proportion) of (?:the )?(?P<b>.+?){_END}"
        ),
        (
            r"\b(?:percentage|percent|%|share|proportion|portion|fraction) of (?:the )?(?P<b>\S.*?)"
            r"(?:,)? (?:is|was|were|are|did|does|do|has|had|came|comes|consists?|consisted|"
            r"pertains?|relates?|related|represents?|represented|made up|accounted|attributable|"
            r"that)\b"
            rf"(?: for| to| by| from| of| is| are| was| were)*(?: the)? (?P<a>\S.*?){_END}"
        ),
        (
            r"\b(?:percentage|percent|%|share|proportion|portion) of (?:the )?(?P<a>\S.*?) "
            rf"(?:over|in|to|out of|against|within|relative to) (?:the )?(?P<b>total\b.*?){_END}"
        ),
    )
)
_RATIOS = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        (
            r"\bratio (?:of|between) (?:the )?(?P<a>\S.*?) (?:to|and|over|against) (?:the )?"
            rf"(?P<b>\S.*?){_END}"
        ),
        rf"^(?P<a>.+?) as a ratio (?:of|to) (?:the )?(?P<b>\S.*?){_END}",
    )
)
_DIFFERENCES = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        (
            r"\bdifferences?\b(?P<of>.*?) between (?:the )?(?P<a>\S.*?) and (?:the )?"
            rf"(?P<b>\S.*?){_END}"
        ),
        rf"\bby how much\b.*?\b(?P<a>\S.*?) (?:exceed|surpass|outweigh)\w* (?P<b>\S.*?){_END}",
    )
)
_SUMS = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        (
            rf"\b(?:sum|total|combined \w+|aggregate)\b(?P<of>[^?]*?) (?:of|from|for|in) (?:both )?"
            rf"(?:the )?(?P<a>\S.*?) and (?:the )?(?P<b>\S.*?){_END}"
        ),
    )
)
_CHANGE = re.compile(
    r"\b(?:chang|increas|decreas|grow|grew|declin|fell|fall|rose|rise|drop|differ|"
    r"year[- ](?:over|on)[- ]year|movement|variance)\w*|\bimprov(?:e|es|ed|ing)\b|"
    r"^\W*(?:is|are|was|were|did|does|do|has|have)\b.*\b(?:higher|lower|more|less|greater|larger|"
    r"smaller|fewer)\b.*\bthan\b",
    re.I,
)
# Without a year the newest two are meant.
_CHANGE_IN = re.compile(r"\b(?:chang|increas|decreas|differenc|growth|declin)\w* (?:in|of)\b", re.I)
_AVERAGE = re.compile(r"(?<!weighted )(?<!weighted-)\b(?:average|mean)\b", re.I)
_SUM = re.compile(r"\b(?:sum|total|combined|altogether|cumulative)\b", re.I)
_PERIOD_WORD = (
    r"\b(?:in|for|of|during)?\s*(?:which|what|when)\b[^?]{0,20}\b(?:year|period|fiscal|FY)\b"
)
_HIGHEST = re.compile(
    r"\b(?:highest|largest|greatest|biggest|most|best|maximum|peak\w*|higher|larger|greater)\b",
    re.I,
)
_LOWEST = re.compile(r"\b(?:lowest|smallest|least|fewest|minimum|worst|lower|smaller)\b", re.I)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|\bFY\s?\d\d")


@dataclass(frozen=True, slots=True)
class Operation:
    """`name` is one of `qa.checking.deriving`; `over` the periods of a row, or rows of a period.

    `parts` are the words for each of two rows; empty where the whole question speaks of one.
    """

    name: str
    over: str
    parts: tuple[str, ...] = ()


def asked_operation(question: str, n_periods: int) -> Operation | None:
    """None where a figure, or none, is asked for as it stands."""
    text = " ".join(question.split())
    if _DECLINED.search(text):
        return None
    for read in _READERS:
        found = read(text, n_periods)
        if found is not None:
            return found
    return None


def _share(text: str, _: int) -> Operation | None:
    return _of_two("share", _SHARES, text)


def _ratio(text: str, _: int) -> Operation | None:
    return _of_two("ratio", _RATIOS, text)


def _extreme(text: str, _: int) -> Operation | None:
    if not re.search(_PERIOD_WORD, text, re.I):
        return None
    if _HIGHEST.search(text):
        return Operation("highest", PERIODS)
    return Operation("lowest", PERIODS) if _LOWEST.search(text) else None


def _average(text: str, n_periods: int) -> Operation | None:
    if not _AVERAGE.search(text) or _CHANGE.search(text):
        return None
    return Operation("average", PERIODS) if n_periods != 1 else None


def _difference(text: str, n_periods: int) -> Operation | None:
    found = _of_two("difference", _DIFFERENCES, text)
    return found if found is not None and n_periods <= 1 else None


def _change(text: str, n_periods: int) -> Operation | None:
    if _AVERAGE.search(text) or not _CHANGE.search(text):
        return None
    if asked_for(text).cause or not (n_periods or _CHANGE_IN.search(text)):
        return None
    return Operation("change", PERIODS)


def _sum(text: str, n_periods: int) -> Operation | None:
    if _CHANGE.search(text) or _AVERAGE.search(text) or asked_for(text).cause:
        return None
    if n_periods > 1 and _SUM.search(text):
        return Operation("sum", PERIODS)
    return _of_two("sum", _SUMS, text)


_READERS: tuple[Callable[[str, int], Operation | None], ...] = (
    _share,
    _ratio,
    _extreme,
    _average,
    _difference,
    _change,
    _sum,
)


def _of_two(name: str, patterns: tuple[re.Pattern[str], ...], text: str) -> Operation | None:
    for pattern in patterns:
        found = pattern.search(text)
        if found is None:
            continue
        shared = found.groupdict().get("of") or ""
        parts = tuple(f"{shared} {found[side]}".strip() for side in ("a", "b"))
        # Two years are no two rows.
        if not all(_YEAR.fullmatch(part) for part in parts):
            return Operation(name, ROWS, parts)
    return None
