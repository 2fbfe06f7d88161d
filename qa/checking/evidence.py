"""A located quote with what may back a claim: its sentence, its table's heads, its header; pure.

The header says only whose document it is and of which period. Numbers come from quotes alone.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from functools import cached_property

from ingestion.recognising.dates import dates, periods
from ingestion.recognising.mention import Found
from ingestion.recognising.metrics import metrics
from qa.checking.quantities import Quantity, quantities, scaled
from qa.checking.quoting import around, fold
from qa.checking.table_heads import Row, line_at, row_at

_ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "1st": 1,
    "2nd": 2,
    "3rd": 3,
    "4th": 4,
}
_QUARTER = re.compile(
    r"\b(first|second|third|fourth|1st|2nd|3rd|4th)[\s-]+(?:fiscal\s+)?quarters?\b", re.I
)
_LISTED_QUARTERS = re.compile(
    r"\b(first|second|third)(?:,|\s+and|\s+or|\s+to|\s+through)\s+(?:the\s+)?"
    r"(?=(?:first|second|third|fourth|and|,|\s)+[\s-]quarter)",
    re.I,
)
_SHORT_QUARTER = re.compile(r"\bQ([1-4])(?![\w])|\b([1-4])Q(?!\w)|\bQ([1-4])(?=\s?(?:FY|')?\d\d)")
_HALF = re.compile(r"\b(first|second|1st|2nd)[\s-]+half\b|\b(?:H([12])|([12])H)(?=\W|$|\d\d)", re.I)
_MONTHS = {
    name: number
    for number, name in enumerate(
        [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
        1,
    )
}
_MONTH = re.compile(
    rf"\b(?:{'|'.join(_MONTHS)})\b|\b(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?"
)
_TOKEN_WITH_DIGIT = re.compile(
    r"(?<![\w$€£])(?:[A-Za-z]+(?:-\d[\w-]*|\d[\w-]*)|\d{1,2}-[KQF](?:/A)?)(?!\w)"
)


@dataclass(frozen=True, slots=True)
class Header:
    """What the catalogue, not the text, says of a document; all may be empty."""

    company: str = ""
    names: tuple[str, ...] = ()
    kind: str = ""
    fiscal_year: int | None = None
    fiscal_quarter: int | None = None
    published_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A passage that may be cited: `text[start:end]`, where `text` is its whole document's."""

    document_id: int
    text: str
    start: int
    end: int
    header: Header = Header()
    chunk_id: int | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """Periods that a text names; months as numbers, days as ISO dates (a year may be missing)."""

    years: frozenset[int] = frozenset()
    quarters: frozenset[int] = frozenset()
    halves: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    days: frozenset[str] = frozenset()
    spans: tuple[tuple[int, int], ...] = ()
    year_spans: tuple[tuple[int, int, int], ...] = ()


def times(text: str) -> Times:
    """All periods and dates in a folded text."""
    named, dated = list(periods(text)), list(dates(text))
    years = {(f.start, f.end, int(f.value["year"])) for f in named if f.value.get("year")}
    years |= {
        (f.start, f.end, int(f.value["first_year"])) for f in named if "first_year" in f.value
    }
    days, months = set(), set()
    for found in dated:
        iso = str(found.value["iso"])
        if not iso.startswith("--"):
            years.add((found.start, found.end, int(iso[:4])))
        rest = iso[2:] if iso.startswith("--") else iso[5:]
        if rest:
            months.add(int(rest[:2]))
        if len(rest) == 5:
            days.add(iso)
    quarters = {int(f.value["quarter"]) for f in named if "quarter" in f.value}
    halves = {int(f.value["half"]) for f in named if "half" in f.value}
    spans = [(f.start, f.end) for f in (*named, *dated)]
    for pattern in (_QUARTER, _LISTED_QUARTERS, _SHORT_QUARTER):
        for match in pattern.finditer(text):
            word = next(group for group in match.groups() if group)
            quarters.add(_ORDINALS.get(word.lower()) or int(word))
            spans.append(match.span())
    for match in _HALF.finditer(text):
        word = next(group for group in match.groups() if group)
        halves.add(_ORDINALS.get(word.lower()) or int(word))
        spans.append(match.span())
    months |= {number for match in _MONTH.finditer(text) if (number := _month(match, text))}
    return Times(
        frozenset(year for *_, year in years), frozenset(quarters), frozenset(halves),
        frozenset(months), frozenset(days), tuple(spans), tuple(sorted(years)),
    )  # fmt: skip


def _month(match: re.Match[str], text: str) -> int:
    if (
        match[0] in ("May", "March", "Mar")
        and not re.search(
            r"(?:\b(?:in|of|since|by|until|through|from|on|to|and|during|early|late|mid)\s|"
            r"mo\. |[-,]\s?)$|\d\s$|^$",
            text[: match.start()],
        )
        and not re.match(r"\s+\d", text[match.end() :])
    ):
        return 0
    return next(n for name, n in _MONTHS.items() if name.startswith(match[0][:3]))


def tokens_with_digits(text: str) -> list[tuple[int, int, str]]:
    """ "COVID-19", "10-K", "H100": names that hold digits, not figures. Periods are left out."""
    spans = times(text).spans
    return [
        (*match.span(), match[0])
        for match in _TOKEN_WITH_DIGIT.finditer(text)
        if not any(low < match.end() and match.start() < high for low, high in spans)
    ]


def figures(text: str) -> list[Quantity]:
    """The figures of a folded text that are neither dates nor parts of names."""
    masked = list(text)
    for low, high in times(text).spans:
        masked[low:high] = " " * (high - low)
    for low, high, _ in tokens_with_digits(text):
        masked[low:high] = "_" * (high - low)
    return quantities("".join(masked))


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a quote, ready to back a claim; `years` empty where none is bound to it."""

    quantity: Quantity
    offset: int
    label: str = ""
    years: frozenset[int] = frozenset()
    in_row: bool = False
    currency: str = ""
    percent_label: bool = False


@dataclass
class Evidence:
    """One quote at `source.text[start:end]`."""

    source: Source
    start: int
    end: int
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        offset = self.start
        while offset < self.end:
            row = row_at(self.source.text, offset)
            if row is not None:
                self.rows.append(row)
            offset = line_at(self.source.text, offset)[1] + 1

    @cached_property
    def quote(self) -> str:
        return fold(self.source.text[self.start : self.end])

    @cached_property
    def context(self) -> str:
        """The whole sentences around the quote: a quote that leaves out "not" must not pass."""
        bounds = (self.source.start, self.source.end)
        low, high = around(self.source.text, self.start, self.end, *bounds)
        return fold(self.source.text[low:high])

    @cached_property
    def heads(self) -> str:
        """Captions and columns of the rows that are quoted."""
        said = [" ".join([row.caption, *(cell.column for cell in row.cells)]) for row in self.rows]
        return fold(" ".join(said))

    @cached_property
    def times(self) -> Times:
        return times(self.quote)

    @cached_property
    def head_times(self) -> Times:
        return times(self.heads)

    @cached_property
    def metrics(self) -> list[Found]:
        return list(metrics(self.quote))

    @cached_property
    def figures(self) -> list[Figure]:
        found = [Figure(quantity, quantity.start) for quantity in figures(self._prose)]
        found += [each for row in self.rows for each in self._row_figures(row)]
        # "3 mo. Mar 2024": how long a column's period is.
        return found + [
            Figure(quantity, -1, in_row=True)
            for quantity in figures(self.heads)
            if re.match(r"\s*(?:mo\b|months?|weeks?|days|quarters?)", self.heads[quantity.end :])
        ]

    @property
    def _prose(self) -> str:
        """The quote with its rows blanked: what they hold has a label and a column."""
        quote = self.quote
        for row in self.rows:
            low, high = max(row.start, self.start), min(row.end, self.end)
            said = fold(self.source.text[low:high])
            quote = quote.replace(said, " " * len(said)) if said else quote
        return quote

    def _row_figures(self, row: Row) -> list[Figure]:
        found = []
        for cell in row.cells:
            if cell.end <= self.start or cell.start >= self.end:
                continue
            for quantity in quantities(fold(cell.text)):
                power = (
                    row.unit_power
                    if not quantity.scaled and quantity.unit in ("count", "money")
                    else 0
                )
                found.append(
                    Figure(
                        scaled(quantity, power) if power else quantity,
                        cell.start,
                        fold(row.label),
                        times(fold(cell.column)).years,
                        in_row=True,
                        currency=row.currency,
                        percent_label=bool(
                            row.label
                            and re.search(
                                r"%|percent|margin|\brate\b", row.label + cell.column, re.I
                            )
                        ),
                    )
                )
        return found
