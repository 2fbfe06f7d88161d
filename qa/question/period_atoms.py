"""The years, quarters, halves, months and days that a question writes, before they are combined.

Every pattern is bounded, so that no text makes it slow. Trap: many years are no periods: of a note
("2025 notes"), an index, a standard, a maturity; those are left out here.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace

_Y = r"(?:19[5-9]\d|20\d\d)"
_SHORT = r"['’]?\d\d"
_FISCAL = r"(?:FY|fiscal(?:[\s-]{1,2}years?)?|financial\s{1,2}years?)"
_CALENDAR = r"(?:CY|calendar(?:[\s-]{1,2}years?)?)"
_WHOLE = r"(?:full[\s-]{1,2}years?|years?)"
_PREFIX = rf"(?:(?P<fiscal>{_FISCAL})|(?P<calendar>{_CALENDAR})|{_WHOLE})"
_ORDINAL = r"(?P<ordinal>first|second|third|fourth|final|1st|2nd|3rd|4th)"
_Q = rf"(?:Q\s?(?P<q1>[1-4])|(?P<q2>[1-4])\s?Q|{_ORDINAL}[\s-]{{1,2}}(?:fiscal\s)?quarters?)"
_H = r"(?:H\s?(?P<h1>[12])|(?P<h2>[12])\s?H|(?P<half>first|second|1st|2nd)[\s-]{1,2}half)"
_OF = r"(?:\s{0,2}(?:,|of|in|for)(?![a-z]))?(?:\s{1,2}the)?[\s-]{0,2}"
_END = r"(?![\w%]|[.,]\d)"
_BEGIN = r"(?<![\w$€£#.&/])"
_MONTHS = (
    "jan(?:uary|\\.)?|feb(?:ruary|\\.)?|mar(?:ch|\\.)?|apr(?:il|\\.)?|may|june?\\.?|july?\\.?|"
    "aug(?:ust|\\.)?|sept?(?:ember|\\.)?|oct(?:ober|\\.)?|nov(?:ember|\\.)?|dec(?:ember|\\.)?"
)
_MONTH = rf"(?P<month>{_MONTHS})"
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_YEAR = rf"(?P<year>{_Y})"
_DATES = [
    rf"{_BEGIN}{_MONTH}\s{{0,2}}{_DAY}(?:\s?,\s?|\s{{1,2}}){_YEAR}{_END}",
    rf"{_BEGIN}{_DAY}\s{{1,2}}(?:of\s)?{_MONTH},?\s{{1,2}}{_YEAR}{_END}",
    rf"{_BEGIN}{_YEAR}-(?P<month>\d\d)-(?P<day>\d\d)(?![\w-])",
    r"(?<![\w/.-])(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>(?:19|20)\d\d)(?![\w/-])",
    rf"{_BEGIN}{_MONTH}(?:\sof|,)?[\s-]{{1,2}}{_YEAR}{_END}",
    rf"{_BEGIN}{_MONTH}\s{{1,2}}{_DAY}(?![\w%]|[.,]\d|\s(?:percent|basis|bps|million|billion))",
    # A month alone is an everyday word or verb too: it needs its preposition.
    rf"(?<=\b(?:in|by)\s){_MONTH}(?!\w)",
    rf"(?<=\bsince\s){_MONTH}(?!\w)",
    rf"(?<=\b(?:from|last)\s){_MONTH}(?!\w)",
    rf"(?<=\b(?:after|until)\s){_MONTH}(?!\w)",
    rf"(?<=\b(?:before)\s){_MONTH}(?!\w)",
]
_SPANS = (
    r"(?P<span>(?:fiscal\s)?year|(?:fiscal\s)?quarter|half[\s-]year|half|"
    r"(?:three|six|nine|twelve|3|6|9|12)[\s-]months?(?:\speriod)?|(?:13|26|39|52|53)[\s-]weeks?)"
)
_ENDED = re.compile(rf"\b{_SPANS}\s{{1,2}}(?:ended|ending|end|to)\s{{1,2}}(?:on\s)?$", re.I)
_COMPILED = [
    *(
        ("day", re.compile(pattern, re.I))
        for pattern in _DATES[:4]
    ),
    ("quarter", re.compile(rf"(?<!\w){_Q}{_OF}(?:{_PREFIX}\s?)?(?P<year>{_Y}|{_SHORT}){_END}", re.I)),  # noqa: E501
    ("quarter", re.compile(rf"{_BEGIN}(?:{_PREFIX}\s?)?(?P<year>{_Y}|(?<=Y)\d\d)(?:['’]s)?[\s,-]{{0,2}}{_Q}(?!\w)", re.I)),  # noqa: E501
    ("half", re.compile(rf"(?<!\w){_H}{_OF}(?:{_PREFIX}\s?)?(?P<year>{_Y}|{_SHORT}){_END}", re.I)),
    ("half", re.compile(rf"{_BEGIN}(?:{_PREFIX}\s?)?(?P<year>{_Y}|(?<=Y)\d\d)(?:['’]s)?[\s,-]{{0,2}}{_H}(?!\w)", re.I)),  # noqa: E501
    *(("day", re.compile(pattern, re.I)) for pattern in _DATES[4:]),
    ("year", re.compile(rf"{_BEGIN}(?:FY\s?)(?:{_Y}|\d\d)/(?P<year>\d\d){_END}", re.I)),
    ("year", re.compile(
        rf"{_BEGIN}(?:(?P<fiscal>{_FISCAL})|(?P<calendar>{_CALENDAR}))(?:\s(?:of|in))?[\s-]{{0,2}}"
        rf"(?P<year>{_Y}|{_SHORT})(?:[AE](?!\w))?(?![\w%]|[.,]\d)", re.I)),
    ("year", re.compile(rf"(?<![\w$€£#.&/:])(?<!\d,)(?<!\w-)(?P<year>{_Y})(?![\w%/]|[.,]\d|-\d(?!\d\d\d)|-[a-z])", re.I)),  # noqa: E501
    # The second of "2019-2021", and "21" of "2019-21" or "FY19-21".
    ("year", re.compile(rf"(?:(?<=(?:19|20)\d\d[-–/])|(?<=FY\d\d[-–/]))(?P<year>{_Y}|\d\d){_END}(?!-)", re.I)),  # noqa: E501
    ("year", re.compile(rf"(?<!\w)(?P<year>['’]\d\d){_END}")),
    ("quarter", re.compile(rf"(?<!\w){_Q}(?!\w)", re.I)),
    ("half", re.compile(rf"(?<!\w){_H}(?!\w)(?!\s(?:of\s)?the\s(?!year))", re.I)),
]  # fmt: skip
_RANGE_START = re.compile(
    rf"{_BEGIN}(?:FY\s?)?(?P<year>{_Y}|(?<=Y)\d\d)(?=\s?[-–]\s?\d\d{_END})", re.I
)
_NAMED = re.compile(
    r"\s{1,2}(?:(?:senior|convertible|exchangeable|unsecured|secured|subordinated|fixed|floating|"
    r"rate|green|junior|term|incentive|equity|stock|omnibus|long-term|performance|credit|revolving|"
    r"share|tax|employee|purchase|option|award|compensation|asset|restructuring|\d\.\d+%)\s){0,4}"
    r"(?:notes?|bonds?|debentures?|plan|act|indenture|facility|agreement|framework|directive|"
    r"warrants?|term\sloan|tax\scuts|street|avenue|edition|convertibles?)\b",
    re.I,
)
_COUNTED = re.compile(
    r"\s(?:shares|employees|people|stores|units|basis|million|billion|percent|square|hours|acres|"
    r"miles|mw|restaurants|locations|customers|countries|dollars|times|words|items|index|vehicles|"
    r"companies|patients|beds|rooms|points)\b",
    re.I,
)
_NUMBERED = re.compile(
    r"(?:\b(?:iso|iec|s&p|russell|nikkei|stoxx|ifrs|ias|asu|asc|topic|rule|section|sect\.|no\.?|"
    r"note|form|item|act\sof|windows|office|page|pages|room|suite|agenda|model|error|code|version|"
    r"due|due\sin|due\sby|matur(?:es?|ing|ity)|matur(?:es?|ing|ity)\sin|expir(?:es?|ing|y)|"
    r"expir(?:es?|ing|y)\sin|bs|din|msci|ftse)|[#$€£])\s{0,2}[-–]?\s{0,2}(?:\d{1,4}[-–:])?$",
    re.I,
)
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "final": 4}
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SPAN_MONTHS = {"year": 12, "half": 6, "quarter": 3}
_NUMBERS = {"three": 3, "six": 6, "nine": 9, "twelve": 12, "13": 3, "26": 6, "39": 9, "52": 12}
_NUMBERS |= {"53": 12, "3": 3, "6": 6, "9": 9, "12": 12}


@dataclass(frozen=True, slots=True)
class Atom:
    """One written time. `unit`: year, quarter, half, month or day; `n` numbers it in its year.

    `fiscal` is None where the question does not say. `ended` is the number of months of a period
    that ended on this day ("year ended June 30, 2022": 12), else 0.
    """

    start: int
    end: int
    unit: str
    year: int | None
    n: int = 0
    day: int = 0
    fiscal: bool | None = None
    ended: int = 0

    @property
    def last_of_month(self) -> bool:
        return self.unit == "day" and self.day >= 28


def atoms(text: str) -> list[Atom]:
    """All of them from left to right, without overlaps; `text` has its original length."""
    taken: list[Atom] = []

    def free(start: int, end: int) -> bool:
        return all(end <= other.start or other.end <= start for other in taken)

    taken += (
        Atom(*match.span(), "year", _year(match["year"]), fiscal="f" in match[0].lower() or None)
        for match in _RANGE_START.finditer(text)
        if not _is_no_period(text, match, "year")
    )
    for unit, pattern in _COMPILED:
        for match in pattern.finditer(text):
            if free(*match.span()) and (atom := _atom(text, unit, match)):
                taken.append(atom)
    return sorted((_with_end(text, atom) for atom in taken), key=lambda atom: atom.start)


def _atom(text: str, unit: str, match: re.Match[str]) -> Atom | None:
    parts = match.groupdict()
    written = parts.get("year")
    if unit == "year" and _is_no_period(text, match, unit):
        return None
    if (
        written
        and len(written) < 4
        and (parts.get("ordinal") or parts.get("half"))
        and not (parts.get("fiscal") or "'" in written or "’" in written)
    ):
        return None  # "second quarter 10 ..." names no year.
    year = _year(written) if written else None
    fiscal = True if parts.get("fiscal") else False if parts.get("calendar") else None
    if unit == "quarter":
        word = (parts.get("ordinal") or "").lower()
        n = int(parts.get("q1") or parts.get("q2") or 0) or _ORDINALS.get(word) or int(word[:1])
        return Atom(*match.span(), unit, year, n, fiscal=fiscal)
    if unit == "half":
        word = (parts.get("half") or "").lower()
        n = int(parts.get("h1") or parts.get("h2") or 0) or _ORDINALS.get(word) or int(word[:1])
        return Atom(*match.span(), unit, year, n, fiscal=fiscal)
    if unit == "day":
        return _date(match, year)
    return Atom(*match.span(), unit, year, fiscal=fiscal)


def _date(match: re.Match[str], year: int | None) -> Atom | None:
    parts = match.groupdict()
    word = parts["month"].lower()
    # "may" and "march" in small letters are verbs more often than months.
    if parts["month"] in ("may", "mar") and not parts.get("day") and year is None:
        return None
    month = int(word) if word.isdigit() else _MONTH_NAMES.index(word[:3]) + 1
    day = int(parts.get("day") or 0)
    if word.isdigit() and month > 12 >= day:
        month, day = day, month
    try:
        dt.date(year or 2000, month, day or 1)
    except ValueError:
        return None
    return Atom(*match.span(), "day" if day else "month", year, month, day)


def _with_end(text: str, atom: Atom) -> Atom:
    """The atom with "year ended" and the like before it taken in."""
    if atom.unit not in ("day", "month"):
        return atom
    before = _ENDED.search(text[max(0, atom.start - 40) : atom.start])
    if before is None:
        return atom
    word = before["span"].lower().removeprefix("fiscal").strip()
    first = word.replace("-", " ").split()[0]
    months = _SPAN_MONTHS.get(first) or _NUMBERS.get(first, 0)
    start = atom.start - (len(text[max(0, atom.start - 40) : atom.start]) - before.start())
    return replace(atom, start=start, ended=months)


def _is_no_period(text: str, match: re.Match[str], unit: str) -> bool:
    if match.groupdict().get("fiscal") or match.groupdict().get("calendar"):
        return False
    before, after = text[max(0, match.start() - 24) : match.start()], text[match.end() :][:80]
    return bool(
        unit == "year"
        and (_NAMED.match(after) or _COUNTED.match(after) or _NUMBERED.search(before))
    )


def _year(digits: str) -> int:
    number = int(digits.lstrip("'’"))
    if number >= 100:
        return number
    return 2000 + number if number < 70 else 1900 + number
