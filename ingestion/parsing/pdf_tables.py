"""Tables of numbers on a PDF page: their rows whole, their column heads, caption and scale.

A row is known by numbers at its end that begin after a gap, a table by rows whose numbers end
at the same places; what is printed without numbers (lists of names) stays text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ingestion.parsing.pdf_cells import ReadLine, read_line
from ingestion.parsing.pdf_layout import Line
from ingestion.parsing.pdf_table_heads import (
    NEAR,
    caption_of,
    heads_of,
    heads_of_columns,
    parted,
    scale_of,
)
from ingestion.parsing.pdf_words import Word

_CONTENTS = re.compile(r"^\W*(?:item|part|page)\b", re.IGNORECASE)
_HANGING = re.compile(r"(?:,|\b(?:and|or|of|to|for|the|in|on|by|from|with|net|at|as|that))$", re.I)
_MOST_LABELS = 5


@dataclass(slots=True)
class Row:
    """A line as it is frozen: spans of the raw text, with what is put between them."""

    pieces: list[tuple[int, int] | str]
    top: float
    apart: bool = False
    turn: int = 0
    kept: bool = False


@dataclass(slots=True)
class FoundTable:
    """A table by the numbers of the page's rows: [first, last], its body, its title's lines."""

    first: int
    last: int
    body: list[int]
    caption: list[int]
    heads: str
    scale: str


def arrange(lines: Sequence[Line], raw: str) -> tuple[list[Row], list[FoundTable]]:
    """The lines as rows, with the tables among them; rows of a table hold its cells apart."""
    read = [read_line(line, raw) for line in lines]
    rows: list[Row] = []
    tables: list[FoundTable] = []
    done = 0
    for start, stop, columns in _runs(read):
        if start < done or _is_contents(read[max(done, start - 3) : stop]):
            continue
        first, begin_body = heads_of(read, start, done)
        above = read[max(done, first - 12) : first]
        titles = [number + len(rows) for number in caption_of(read[done:first])]
        rows += [_plain(one.line) for one in read[done:first]]
        begin = len(rows)
        rows += [_cells_apart(one.line) for one in read[first:begin_body]]
        body = _body(read[begin_body:stop])
        tables.append(
            FoundTable(
                first=begin,
                last=len(rows) + len(body) - 1,
                body=list(range(len(rows), len(rows) + len(body))),
                caption=titles,
                heads=heads_of_columns(read[first:begin_body], parted(columns), raw),
                scale=scale_of(read[first : begin_body + 2], above, read),
            )
        )
        rows += body
        done = stop
    rows += [_plain(one.line) for one in read[done:]]
    for table in tables:
        for row in rows[table.first : table.last + 1]:
            row.kept = True
    return rows, tables


def _is_contents(read: Sequence[ReadLine]) -> bool:
    """Whether these are lines of a table of contents: its numbers only grow."""
    pages = [one.text.split()[-1] for one in read if len(one.cells) == 1]
    numbers = [int(page) for page in pages if page.isascii() and page.isdecimal()]
    return (
        len(numbers) == sum(bool(one.cells) for one in read)
        and numbers == sorted(numbers)
        and any(_CONTENTS.search(one.text) for one in read)
    )


def _runs(read: Sequence[ReadLine]) -> list[tuple[int, int, list[float]]]:
    """Where the bodies of tables begin and end, with the right edges of their columns."""
    runs: list[tuple[int, int, list[float]]] = []
    index = 0
    while index < len(read):
        if not read[index].cells or read[index].years:
            index += 1
            continue
        stop, columns, rows, most = _extend(read, index)
        if rows >= 3 or (rows == 2 and most > 1):
            runs.append((index, stop, columns))
            index = stop
        else:
            index += 1
    return runs


def _extend(read: Sequence[ReadLine], start: int) -> tuple[int, list[float], int, int]:
    """One past the last row, the columns, and how many rows and columns at most."""
    columns = list(read[start].ends)
    left = read[start].cells[0][0].left
    stop, rows, most, labels = start + 1, 1, len(columns), 0
    for index in range(start + 1, len(read)):
        one, before = read[index], read[index - 1].line
        if before.bottom - one.line.top > 6 * (before.top - before.bottom):
            break
        if one.years:
            break
        if one.cells:
            near = [any(abs(end - c) < NEAR for c in columns) for end in one.ends]
            if not any(near):
                break
            columns += [end for end, known in zip(one.ends, near, strict=True) if not known]
            left = min(left, one.cells[0][0].left)
            stop, rows, most, labels = index + 1, rows + 1, max(most, len(one.cells)), 0
            continue
        labels += 1
        if labels > _MOST_LABELS or one.line.right > max(columns) + NEAR:
            break
        # Words that run on below the numbers are prose, or the heads of the next table.
        if one.line.right > left + 0.5 * (max(columns) - left) + 2 * NEAR:
            break
    return stop, sorted(columns), rows, most


def _body(read: Sequence[ReadLine]) -> list[Row]:
    rows: list[Row] = []
    index = 0
    while index < len(read):
        one = read[index]
        labels = [*one.label] if one.cells else [s.words for s in one.line.segments]
        cells, tops = one.cells, one.line
        while index + 1 < len(read) and _continues(one, read[index + 1], bool(cells)):
            index += 1
            one = read[index]
            labels += one.label if one.cells else [s.words for s in one.line.segments]
            cells = cells or one.cells
        rows.append(_row(labels, cells, tops))
        index += 1
    return rows


def _continues(one: ReadLine, after: ReadLine, has_cells: bool) -> bool:
    """Whether the next line goes on with the label of this one, or brings its numbers."""
    height = max(one.line.top - one.line.bottom, 1.0)
    if one.line.bottom - after.line.top > 0.8 * height or (has_cells and after.cells):
        return False
    if not after.label and after.cells:
        return not has_cells and not one.text.endswith(":") and _overlaps(one.line, after.line)
    begins = after.text.lstrip("(“\"'")[:1]
    hangs = bool(_HANGING.search(one.text if not one.cells else _words(one)))
    return (begins.islower() or hangs) and not one.text.endswith((":", "."))


def _words(one: ReadLine) -> str:
    """The label's words, of which only the last letters are asked."""
    end = sum(word.end - word.start + 1 for part in one.label for word in part)
    return one.text[:end].rstrip()


def _overlaps(one: Line, other: Line) -> bool:
    return min(one.top, other.top) - max(one.bottom, other.bottom) > 0


def _row(labels: Sequence[Sequence[Word]], cells: Sequence[Sequence[Word]], line: Line) -> Row:
    pieces: list[tuple[int, int] | str] = []
    for number, part in enumerate(labels):
        if number:
            before = labels[number - 1][-1]
            wide = part[0].left - before.right > 1.5 * max(before.height, 1.0)
            pieces.append(" | " if wide and _on_line(before, part[0]) else " ")
        pieces.append((part[0].start, part[-1].end))
    for cell in cells:
        if pieces:
            pieces.append(" | ")
        # A sign alone belongs to its number: its words are put together.
        pieces += [(word.start, word.end) for word in cell]
    turn = line.segments[0].words[0].turn
    return Row(pieces, line.top, line.apart, turn)


def _on_line(one: Word, other: Word) -> bool:
    return min(one.top, other.top) - max(one.bottom, other.bottom) > 0.3 * one.height


def _plain(line: Line) -> Row:
    return _joined(line, " ")


def _cells_apart(line: Line) -> Row:
    return _joined(line, " | ")


def _joined(line: Line, between: str) -> Row:
    pieces: list[tuple[int, int] | str] = []
    for segment in line.segments:
        if pieces:
            pieces.append(between)
        pieces.append((segment.start, segment.end))
    return Row(pieces, line.top, line.apart, line.segments[0].words[0].turn)
