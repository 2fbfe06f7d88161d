"""One page of a PDF as lines of frozen text, with its tables, and each character's origin.

The layout of a page depends on that page alone, so that it can be made again to find where a
span stands; which of its lines were frozen is told by the frozen text itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ingestion.parsing import pdf_layout, pdf_tables, pdf_text, pdf_words
from ingestion.parsing.pdf_tables import FoundTable, Row

NOWHERE = -1
# Running lines may be left out at either end of a page, at most so many.
MOST_RUNNING = 6


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of a page, what is frozen of each, and the tables by the numbers of their rows."""

    rows: list[Row]
    lines: list[str]
    tables: list[FoundTable]

    def text(self, first: int = 0, last: int | None = None) -> str:
        """The frozen text of rows [first, last)."""
        return "".join(
            ("" if not number else "\n\n" if row.apart else "\n") + line
            for number, (row, line) in enumerate(
                zip(self.rows[first:last], self.lines[first:last], strict=True)
            )
        )

    def starts(self, first: int = 0, last: int | None = None) -> list[int]:
        """Where each of rows [first, last) starts in the text of these rows."""
        starts: list[int] = []
        position = 0
        for number, (row, line) in enumerate(
            zip(self.rows[first:last], self.lines[first:last], strict=True)
        ):
            position += 0 if not number else 2 if row.apart else 1
            starts.append(position)
            position += len(line)
        return starts


def read(textpage: Any) -> Page:
    """The page as it is frozen, before running lines are left out."""
    raw, indices = pdf_text.read(textpage)
    rows, tables = _arrange(textpage, raw, indices)
    edits = pdf_text.Edits(raw)
    return Page(rows, [_line(row, edits) for row in rows], tables)


def origins(textpage: Any, frozen: str) -> list[int]:
    """For every character of the page's frozen text, the index of its character in the PDF.

    NOWHERE for what no character is printed for, as between cells. Text that this layout does
    not give (frozen by another version) is placed by its words, as far as they are found.
    """
    raw, indices = pdf_text.read(textpage)
    rows, tables = _arrange(textpage, raw, indices)
    edits = pdf_text.Edits(raw)
    page = Page(rows, [_line(row, edits) for row in rows], tables)
    found = _kept_rows(page, frozen)
    if found:
        places = _origins(page, edits, *found)
    elif frozen == pdf_text.normalise(raw):
        return pdf_text.character_indices(raw, indices)
    else:
        places = _by_words(page.text(), _origins(page, edits, 0, len(rows)), frozen)
    if indices is None:
        return places
    return [indices[place] if place != NOWHERE else NOWHERE for place in places]


def _arrange(
    textpage: Any, raw: str, indices: list[int] | None
) -> tuple[list[Row], list[FoundTable]]:
    rows: list[Row] = []
    tables: list[FoundTable] = []
    for block in pdf_layout.read_lines(pdf_words.read_words(textpage, raw, indices), raw):
        more, found = pdf_tables.arrange(block, raw)
        for table in found:
            table.first += len(rows)
            table.last += len(rows)
            table.body = [number + len(rows) for number in table.body]
            table.caption = [number + len(rows) for number in table.caption]
        rows += more
        tables += found
    return _mend(rows, tables, raw)


def _mend(
    rows: list[Row], tables: list[FoundTable], raw: str
) -> tuple[list[Row], list[FoundTable]]:
    """Lines that end in the middle of a word go on with the rest of it, as PDFium has them."""
    kept: list[Row] = []
    numbers: list[int] = []
    for row in rows:
        before = kept[-1].pieces[-1] if kept else ""
        first = row.pieces[0]
        if (
            isinstance(before, tuple)
            and isinstance(first, tuple)
            and before[1] == first[0]
            and raw[before[1] - 1] == "\x02"
            and not (row.kept or kept[-1].kept)
        ):
            kept[-1].pieces += row.pieces
        else:
            kept.append(row)
        numbers.append(len(kept) - 1)
    for table in tables:
        table.first, table.last = numbers[table.first], numbers[table.last]
        table.body = [numbers[number] for number in table.body]
        table.caption = sorted({numbers[number] for number in table.caption})
    return kept, tables


def _line(row: Row, edits: pdf_text.Edits) -> str:
    return "".join(piece if isinstance(piece, str) else edits.text(*piece) for piece in row.pieces)


def _origins(page: Page, edits: pdf_text.Edits, first: int, last: int) -> list[int]:
    places: list[int] = []
    for number, row in enumerate(page.rows[first:last]):
        if number:
            places += [NOWHERE] * (2 if row.apart else 1)
        for piece in row.pieces:
            if isinstance(piece, str):
                places += [NOWHERE] * len(piece)
            else:
                places += edits.origins(*piece)
    return places


def _kept_rows(page: Page, frozen: str) -> tuple[int, int] | None:
    """Which rows were frozen: all but some at the top and at the bottom."""
    count = len(page.rows)
    whole = page.text()
    if whole == frozen:
        return 0, count
    starts = page.starts()
    for first in range(min(MOST_RUNNING, count) + 1):
        begin = starts[first] if first < count else len(whole)
        for last in range(count, max(first, count - MOST_RUNNING) - 1, -1):
            end = starts[last - 1] + len(page.lines[last - 1]) if last > first else begin
            if end - begin == len(frozen) and whole[begin:end] == frozen:
                return first, last
    return None


def _by_words(whole: str, places: Sequence[int], frozen: str) -> list[int]:
    """Places of the frozen text's words, each looked for after the one before it."""
    found = [NOWHERE] * len(frozen)
    position = 0
    for match in pdf_text.WORDS.finditer(frozen):
        start = whole.find(match[0], position)
        if start < 0 or start - position > 2_000:
            start = whole.find(match[0])
        if start < 0:
            continue
        found[match.start() : match.end()] = places[start : start + len(match[0])]
        position = start + len(match[0])
    return found
