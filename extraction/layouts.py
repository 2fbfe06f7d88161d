"""Where sentences, rows, columns, sections and pages of a text are: what rules of relations go by.

Knows no Django: a document is anything with text, pages, sections and tables.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from docintel.spans import Span

_BETWEEN_CELLS = " | "
# A full stop after these does not end a sentence, nor one after a single letter, as in "U.S.".
_ABBREVIATED = frozenset(
    re.findall(r"\S+", "inc corp co ltd llc vs mr mrs ms dr st jr sr etc e.g i.e u.s u.k approx")
)
# The same, where a number follows.
_NUMBERED = frozenset(
    re.findall(r"\S+", "no nos fig sec art vol jan feb mar apr jun jul aug sep sept oct nov dec")
)
_STOP = re.compile(r"[.!?…][\"'”’)\]»]*(?=\s)")
_GOES_ON = tuple(",;:)]%")
_GAP = re.compile(r"\s*\n\s*\n\s*")
_LAST_WORD = re.compile(r"(\S+?)[.]$")
_NEXT = re.compile(r"\s+[\"'“‘(\[«]*(\S?)")


class Readable(Protocol):
    """What a layout is made of; `ingestion.models.Document` is one."""

    text: str
    pages: list[int]
    sections: list[Any]
    tables: list[Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A table's lines, heads first, as spans of their cells; `heads` of them are no body.

    `columns` has for each line the (first, last + 1) column of every cell; empty for a line that
    has neither as many cells as the table is wide nor parts of equal width: a guess would relate
    numbers to the wrong heads.
    """

    span: Span
    lines: tuple[tuple[Span, ...], ...]
    columns: tuple[tuple[tuple[int, int], ...], ...]
    heads: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where in its table something stands: numbers of the table, the line and the cell, from 0."""

    table: int
    line: int
    cell: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Stretches of a text, each list ascending and without overlaps."""

    sentences: tuple[Span, ...] = ()
    sections: tuple[Span, ...] = ()
    pages: tuple[Span, ...] = ()
    tables: tuple[Table, ...] = ()
    _starts: dict[str | int, list[int]] = field(default_factory=dict, repr=False, compare=False)

    def sentence_of(self, offset: int) -> int | None:
        """The number of the sentence that holds this character, None between two."""
        return self._number("sentences", offset)

    def section_of(self, offset: int) -> int | None:
        return self._number("sections", offset)

    def page_of(self, offset: int) -> int | None:
        return self._number("pages", offset)

    def place_of(self, offset: int) -> Place | None:
        """The cell that holds this character, None outside of tables."""
        number = bisect_right(self._starts_of("tables"), offset) - 1
        if number < 0 or offset >= self.tables[number].span.end:
            return None
        line = bisect_right(self._starts_of(number), offset) - 1
        if line < 0:
            return None
        cells = self.tables[number].lines[line]
        return Place(number, line, bisect_right([span.start for span in cells], offset) - 1)

    def columns_of(self, place: Place) -> tuple[int, int] | None:
        """The columns [first, last + 1) that a cell stands over, None where nobody can tell."""
        columns = self.tables[place.table].columns[place.line]
        return columns[place.cell] if columns else None

    def is_head(self, place: Place) -> bool:
        """Whether the cell is in one of the lines that head the table's columns."""
        return place.line < self.tables[place.table].heads

    def _number(self, name: str, offset: int) -> int | None:
        number = bisect_right(self._starts_of(name), offset) - 1
        spans: tuple[Span, ...] = getattr(self, name)
        return number if number >= 0 and offset < spans[number].end else None

    def _starts_of(self, name: str | int) -> list[int]:
        """Where the stretches of this name start, or the lines of this table; made once."""
        starts = self._starts.get(name)
        if starts is None:
            if isinstance(name, int):
                starts = [cells[0].start for cells in self.tables[name].lines]
            elif name == "tables":
                starts = [table.span.start for table in self.tables]
            else:
                starts = [span.start for span in getattr(self, name)]
            self._starts[name] = starts
        return starts


def layout_of(document: Readable) -> Layout:
    """The layout of a parsed document."""
    text = document.text
    tables = tuple(_tables(text, document.tables))
    return Layout(
        sentences=tuple(_sentences(text, tables)),
        sections=tuple(_stretches([row["start"] for row in document.sections], len(text))),
        pages=tuple(_stretches(document.pages, len(text))),
        tables=tables,
    )


def layout_of_text(text: str, *, one_sentence: bool = False) -> Layout:
    """The layout of a mere text: one page, one section, no tables; sentences as they end.

    `one_sentence` takes all of it for one sentence, as data sets of sentences mean it.
    """
    whole = (Span(0, len(text)),) if text else ()
    sentences = whole if one_sentence else tuple(_sentences(text, ()))
    return Layout(sentences=sentences, sections=whole, pages=whole)


def tables_over(document: Readable, span: Span) -> list[Table]:
    """The tables that hold a character of this span, without looking at the rest of the text."""
    near = [one for one in document.tables if one["start"] < span.end and span.start < one["end"]]
    return list(_tables(document.text, near))


def _stretches(starts: Iterable[int], length: int) -> Iterator[Span]:
    """From each start to the next, the first from 0; starts outside the text are left out."""
    ascending = sorted({0, *(start for start in starts if 0 < start < length)})
    for start, end in zip(ascending, [*ascending[1:], length], strict=True):
        if start < end:
            yield Span(start, end)


def _tables(text: str, tables: Iterable[Mapping[str, Any]]) -> Iterator[Table]:
    done = 0
    for table in sorted(tables, key=_start):
        start, end = int(table["start"]), min(int(table["end"]), len(text))
        rows = [(int(first), int(last)) for first, last in table["rows"]]
        if start < done or start >= end or not rows:
            continue
        done = end
        heads = [_cells(text, *line) for line in _lines(text, start, rows[0][0])]
        body = [_cells(text, *line) for line in rows if line[0] < line[1]]
        lines = [cells for cells in (*heads, *body) if cells]
        if not lines:
            continue
        width = max(map(len, lines))
        # Above the numbers the first column often has no head, so its line is one cell short.
        columns = tuple(
            _columns(len(cells), width, head=number < len(heads))
            for number, cells in enumerate(lines)
        )
        yield Table(Span(start, end), tuple(lines), columns, sum(map(bool, heads)))


def _start(table: Mapping[str, Any]) -> tuple[int, int]:
    return int(table["start"]), int(table["end"])


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        if text[start:stop].strip():
            yield start, stop
        start = stop + 1


def _cells(text: str, start: int, end: int) -> tuple[Span, ...]:
    """The cells of a line; an empty one has the character before its bar."""
    cells = []
    while True:
        stop = text.find(_BETWEEN_CELLS, start, end)
        if stop < 0:
            break
        cells.append(Span(start, max(stop, start + 1)))
        start = stop + len(_BETWEEN_CELLS)
    if start < end:
        cells.append(Span(start, end))
    return tuple(cells)


def _columns(count: int, width: int, *, head: bool) -> tuple[tuple[int, int], ...]:
    if count == width:
        return tuple((column, column + 1) for column in range(width))
    if head and count and (width - 1) % count == 0:
        each = (width - 1) // count
        return tuple((1 + cell * each, 1 + (cell + 1) * each) for cell in range(count))
    return ()


def _sentences(text: str, tables: Sequence[Table]) -> Iterator[Span]:
    """Sentences of the running text, and each line of a table as one."""
    done = 0
    for table in tables:
        yield from _running(text, done, table.span.start)
        for cells in table.lines:
            yield Span(cells[0].start, cells[-1].end)
        done = table.span.end
    yield from _running(text, done, len(text))


def _running(text: str, start: int, end: int) -> Iterator[Span]:
    ends = {match.end() for match in _STOP.finditer(text, start, end) if _ends_here(text, match)}
    ends |= {match.start() for match in _GAP.finditer(text, start, end)}
    for stop in sorted({*ends, end}):
        while start < stop and text[start].isspace():
            start += 1
        last = stop
        while last > start and text[last - 1].isspace():
            last -= 1
        if start < last:
            yield Span(start, last)
        start = max(start, stop)


def _ends_here(text: str, stop: re.Match[str]) -> bool:
    following = _NEXT.match(text, stop.end())
    if following and (following[1].islower() or following[1] in _GOES_ON):
        return False
    before = _LAST_WORD.search(text[max(0, stop.start() - 24) : stop.start() + 1])
    if before is None:
        return True
    word = before[1].lower().lstrip("(\"'“‘[")
    if word in _NUMBERED and following and following[1].isdigit():
        return False
    return word not in _ABBREVIATED and not (len(word) == 1 and word.isalpha())
