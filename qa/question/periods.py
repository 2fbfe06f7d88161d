"""The periods a question asks about, resolved against a day and what documents exist.

`years` and `quarters` are what was named, without slack; see `qa.question.filing_filters` for that.
A period that has not begun is kept and flagged as future.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from qa.question.period_atoms import Atom, atoms

Quarter = tuple[int, int]  # year, 1 to 4
LONGEST_RANGE = 15  # years; of a longer one the last are taken
OPEN_YEARS = 5  # how far "before 2020" reaches back

_JOINED = re.compile(
    r"\s{0,2}(?:to|through|thru|until|till|up to|and|-|–|—)\s{0,2}(?:the\s)?", re.I
)
_RANGE = re.compile(r"\s{0,2}(?:to|through|thru|until|till|up to|-|–|—)\s{0,2}(?:the\s)?", re.I)
_LIST = re.compile(
    r"\s{0,2}(?:,|and|or|vs\.?|versus|with|to|than|against|&|, and|-|–)\s{0,2}(?:the\s|in\s|of\s)?",
    re.I,
)
_BETWEEN = re.compile(r"\b(?:between|from)\s{1,2}(?:the\s)?$", re.I)
_SINCE = re.compile(
    r"\b(?:since|from|starting(?:\sin)?|beginning(?:\sin)?)\s{1,2}(?:the\s|early\s|late\s|mid-?)?(?:end\sof\s|start\sof\s)?$",
    re.I,
)
_ONLY_SINCE = re.compile(r"\bsince\b", re.I)
_ONWARD = re.compile(
    r"\s(?:onwards?|forward|to\sdate|till\snow|until\snow|to\s(?:the\s)?present|to\snow)\b", re.I
)
_AFTER = re.compile(r"\b(?:after|following|later\sthan|post)[\s-]{1,2}$", re.I)
_BEFORE = re.compile(r"\b(?:before|prior\sto|earlier\sthan|pre)[\s-]{1,2}$", re.I)
_UNTIL = re.compile(
    r"\b(?:until|till|up\sto|through|by\sthe\send\sof|no\slater\sthan)\s{1,2}$", re.I
)


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest that documents report: a fiscal year in whole, and a quarter."""

    year: int
    quarter: Quarter


@dataclass(frozen=True, slots=True)
class Period:
    """One period of a question. `basis` is fiscal, calendar, or either where it is not said.

    `quarters` is empty where whole years are meant. `first_day` and `last_day` bound it by the
    calendar; None is open. `newest` asks for whatever is latest; `implied` was not written but
    follows ("year over year"); `relative` depends on the day or on what documents exist.
    """

    start: int
    end: int
    key: str
    label: str
    years: tuple[int, ...]
    quarters: tuple[Quarter, ...] = ()
    first_day: date | None = None
    last_day: date | None = None
    basis: str = "either"
    future: bool = False
    newest: bool = False
    implied: bool = False
    relative: bool = False


def calendar_newest(as_of: date) -> Newest:
    """The last year and the last quarter that had ended on this day."""
    return Newest(as_of.year - 1, step_quarter((as_of.year, (as_of.month - 1) // 3 + 1), -1))


def step_quarter(quarter: Quarter, step: int) -> Quarter:
    index = quarter[0] * 4 + quarter[1] - 1 + step
    return index // 4, index % 4 + 1


def absolute_periods(text: str, as_of: date, newest: Callable[[], Newest]) -> list[Period]:
    """The periods with a date of their own, ranges joined: "FY22", "between Q1 and Q3 of 2022"."""
    found = _with_years(text, atoms(text), as_of, newest)
    periods: list[Period] = []
    index = 0
    while index < len(found):
        atom, before = found[index], text[max(0, found[index].start - 30) : found[index].start]
        after = found[index + 1] if index + 1 < len(found) else None
        gap = text[atom.end : after.start] if after else "?"
        between = bool(_BETWEEN.search(before))
        is_range = after and (_RANGE.fullmatch(gap) or (between and _JOINED.fullmatch(gap)))
        if after and is_range and not _is_change(text, atom, between):
            periods.append(_spanned(atom, after, as_of))
            index += 2
            continue
        periods.append(_bounded(text, atom, before, as_of))
        index += 1
    return [_flagged(period, as_of) for period in periods]


def of_years(start: int, end: int, years: Sequence[int], **fields: object) -> Period:
    """A period of these whole years, earliest first; fields as of Period."""
    kept = tuple(years)[-LONGEST_RANGE:]
    label = str(kept[0]) if len(kept) == 1 else f"{kept[0]} to {kept[-1]}"
    basis = str(fields.get("basis", "either"))
    if basis == "fiscal":
        label = "FY" + label.replace(" to ", " to FY")
    made = Period(
        start, end, "period:" + label.replace(" ", ""), label, kept,
        first_day=_day(kept[0], 1, 1), last_day=_day(kept[-1], 12, 31),
    )  # fmt: skip
    return replace(made, **fields)  # type: ignore[arg-type]


def of_quarters(start: int, end: int, quarters: Sequence[Quarter], **fields: object) -> Period:
    """A period of these quarters, earliest first; fields as of Period."""
    kept = tuple(quarters)[-4 * LONGEST_RANGE :]
    first, last = kept[0], kept[-1]
    fiscal = "FY" if fields.get("basis") == "fiscal" else ""
    label = f"Q{first[1]} {fiscal}{first[0]}"
    if last != first:
        label += f" to Q{last[1]} {fiscal}{last[0]}"
    made = Period(
        start, end, "period:" + label.replace(" to ", "-to-").replace(" ", "-"), label,
        tuple(sorted({year for year, _ in kept})), kept,
        _day(first[0], first[1] * 3 - 2, 1), _month_end(last[0], last[1] * 3),
    )  # fmt: skip
    return replace(made, **fields)  # type: ignore[arg-type]


def _with_years(
    text: str, found: list[Atom], as_of: date, newest: Callable[[], Newest]
) -> list[Atom]:
    """Give "Q1" of "Q1 and Q2 2023", "In 2023, what was Q2 …" and "in Q1" their years."""
    for index in range(len(found) - 2, -1, -1):
        left, right = found[index], found[index + 1]
        gap = text[left.end : right.start]
        if left.unit != right.unit or not _LIST.fullmatch(gap):
            continue
        if left.year is None and right.year:
            found[index] = replace(left, year=right.year, fiscal=right.fiscal)
        elif left.unit == "year" and left.fiscal is None and right.fiscal:
            found[index] = replace(left, fiscal=True)
    for index in range(1, len(found)):
        left, right = found[index - 1], found[index]
        if _LIST.fullmatch(text[left.end : right.start]):
            if right.year is None and left.year and left.unit == right.unit:
                found[index] = replace(right, year=left.year, fiscal=left.fiscal)
            elif left.unit == right.unit == "year" and left.fiscal and right.fiscal is None:
                found[index] = replace(right, fiscal=True)
    lacking = [atom for atom in found if atom.year is None]
    whole = [atom for atom in found if atom.unit == "year" and atom.year]
    if lacking and len(whole) == 1 and all(a.unit in ("quarter", "half") for a in lacking):
        year = whole[0]
        found = [atom for atom in found if atom is not year]
        return [
            replace(a, year=year.year, fiscal=year.fiscal) if a.year is None else a for a in found
        ]
    return [_dated(atom, lacking, as_of, newest) for atom in found]


def _dated(atom: Atom, lacking: list[Atom], as_of: date, newest: Callable[[], Newest]) -> Atom:
    """An atom without a year gets the last one in which it, and its like, had ended or begun."""
    if atom.year is not None:
        return atom
    if atom.unit in ("month", "day"):
        begun = (atom.n, atom.day or 1) <= (as_of.month, as_of.day)
        return replace(atom, year=as_of.year if begun else as_of.year - 1)
    quarters = [
        a.n if a.unit == "quarter" else a.n * 2 for a in lacking if a.unit in ("quarter", "half")
    ]
    last = newest().quarter
    return replace(atom, year=last[0] if max(quarters) <= last[1] else last[0] - 1)


def _is_change(text: str, atom: Atom, between: bool) -> bool:
    """ "change from FY21 to FY22" compares two years; years apart by a range word are a range."""
    if not between or atom.unit != "year":
        return False
    words = text[max(0, atom.start - 60) : atom.start].lower()
    return bool(re.search(r"\b(?:compare[ds]?|difference|versus)\b", words))


def _spanned(first: Atom, last: Atom, as_of: date) -> Period:
    """From one atom to another; the ends may be of different units."""
    left, right = _alone(first, as_of), _alone(last, as_of)
    start, end = first.start, last.end
    if (left.first_day or date.min) > (right.first_day or date.max):
        left, right = right, left
    basis = "fiscal" if "fiscal" in (left.basis, right.basis) else left.basis
    if left.quarters and right.quarters:
        return of_quarters(
            start, end, _quarters_between(left.quarters[0], right.quarters[-1]), basis=basis
        )
    years = range(left.years[0], right.years[-1] + 1)
    if first.unit == last.unit == "year":
        return of_years(start, end, years, basis=basis)
    return of_years(
        start, end, years, basis=basis, first_day=left.first_day, last_day=right.last_day,
        label=f"{left.label} to {right.label}", key=f"{left.key}-to-{right.key[7:]}",
    )  # fmt: skip


def _bounded(text: str, atom: Atom, before: str, as_of: date) -> Period:
    """One atom with what stands before it: since, after, before, until, or nothing."""
    alone = _alone(atom, as_of)
    since, onward = _SINCE.search(before), _ONWARD.match(text, atom.end)
    if (since and _ONLY_SINCE.search(since[0])) or onward:
        start = atom.start - (len(before) - since.start()) if since else atom.start
        return _open_end(alone, start, onward.end() if onward else atom.end, as_of)
    if (found := _AFTER.search(before)) and atom.unit in ("year", "quarter", "half"):
        start = atom.start - (len(before) - found.start())
        following = _following(alone)
        return _open_end(following, start, atom.end, as_of, word="after", written=alone.label)
    for word, pattern in (("before", _BEFORE), ("until", _UNTIL)):
        if (found := pattern.search(before)) and not atom.ended:
            last = alone.years[-1] if word == "until" or atom.unit != "year" else alone.years[0] - 1
            day = alone.last_day if word == "until" else _eve(alone.first_day)
            return of_years(
                atom.start - (len(before) - found.start()), atom.end,
                range(last - OPEN_YEARS + 1, last + 1), basis=alone.basis, first_day=None,
                last_day=day, label=f"{word} {alone.label}", key=f"period:{word}-{alone.key[7:]}",
            )  # fmt: skip
    return alone


def _open_end(  # noqa: PLR0917
    first: Period, start: int, end: int, as_of: date, word: str = "since", written: str = ""
) -> Period:
    """From the beginning of a period until today; the period alone if that is still to come."""
    label = f"{word} {written or first.label}"
    fields = {
        "label": label, "key": "period:" + label.replace(" ", "-"), "last_day": as_of,
        "first_day": first.first_day, "basis": first.basis, "relative": True,
    }  # fmt: skip
    if first.first_day and first.first_day > as_of:
        return replace(first, start=start, end=end, label=label)
    if first.quarters:
        now = (as_of.year, (as_of.month - 1) // 3 + 1)
        quarters = _quarters_between(first.quarters[0], max(now, first.quarters[0]))
        return of_quarters(start, end, quarters, **fields)
    return of_years(
        start, end, range(first.years[0], max(as_of.year, first.years[0]) + 1), **fields
    )


def _alone(atom: Atom, as_of: date) -> Period:
    year = atom.year or as_of.year
    basis = {True: "fiscal", False: "calendar", None: "either"}[atom.fiscal]
    if atom.unit == "year":
        return of_years(atom.start, atom.end, [year], basis=basis)
    if atom.unit == "quarter":
        return of_quarters(atom.start, atom.end, [(year, atom.n)], basis=basis)
    if atom.unit == "half":
        quarters = [(year, atom.n * 2 - 1), (year, atom.n * 2)]
        fiscal = "FY" if basis == "fiscal" else ""
        label = f"H{atom.n} {fiscal}{year}"
        key = "period:" + label.replace(" ", "-")
        return of_quarters(atom.start, atom.end, quarters, basis=basis, label=label, key=key)
    return _of_date(atom, year)


def _of_date(atom: Atom, year: int) -> Period:
    """A month, a day, or a period that ended on one."""
    last = _day(year, atom.n, atom.day) if atom.day else _month_end(year, atom.n)
    shown = f"{last:%B} {last.day}, {last.year}" if atom.day else f"{last:%B %Y}"
    iso = last.isoformat() if atom.day else f"{year}-{atom.n:02}"
    quarter = ((year, atom.n // 3),) if atom.n % 3 == 0 and atom.last_of_month else ()
    first = last if atom.day else last.replace(day=1)
    years: tuple[int, ...] = (year,)
    if atom.ended:
        first = _months_before(last, atom.ended)
        word = {12: "year", 3: "quarter"}.get(atom.ended, f"{atom.ended} months")
        shown, iso = f"{word} ended {shown}", f"ended-{iso}-{atom.ended}m"
        if atom.ended == 12:
            quarter = ()
            # Retailers call the year that ends in January by the year before.
            years = (year - 1, year) if atom.n <= 2 else (year,)
    return Period(
        atom.start, atom.end, f"period:{iso}", shown, years, quarter, first, last,
        basis="calendar" if quarter else "either",
    )  # fmt: skip


def _following(period: Period) -> Period:
    if period.quarters:
        return of_quarters(period.start, period.end, [step_quarter(period.quarters[-1], 1)])
    return of_years(period.start, period.end, [period.years[-1] + 1])


def _flagged(period: Period, as_of: date) -> Period:
    # A fiscal year may begin up to a year before the calendar year of its name.
    early = dt.timedelta(days=335) if period.basis == "fiscal" else dt.timedelta()
    begins = period.first_day
    return replace(period, future=begins is not None and begins - early > as_of)


def _quarters_between(first: Quarter, last: Quarter) -> list[Quarter]:
    count = (last[0] - first[0]) * 4 + last[1] - first[1]
    return [step_quarter(last, -back) for back in range(min(count, 4 * LONGEST_RANGE), -1, -1)]


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        return _month_end(year, month)


def _month_end(year: int, month: int) -> date:
    return (date(year, month, 28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)


def _months_before(last: date, months: int) -> date:
    """The first day of a period of so many months that ends on this day."""
    index = last.year * 12 + last.month - 1 - months + (1 if last.day >= 28 else 0)
    if last.day >= 28:
        return date(index // 12, index % 12 + 1, 1)
    return _day(index // 12, index % 12 + 1, last.day) + dt.timedelta(days=1)


def _eve(day: date | None) -> date | None:
    return day - dt.timedelta(days=1) if day else None
