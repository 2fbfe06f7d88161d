"""Tables of numbers on a PDF page: their rows whole, their column heads, caption and scale.

A row is known by numbers at its end that begin after a gap, a table by rows whose numbers end
at the same places; what is printed without numbers (lists of names) stays text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingestion.parsing.pdf_layout import Line, Segment
from ingestion.parsing.pdf_words import Word

_VALUE = re.compile(
    r"[$€£¥(+\-–—]*\d[\d,.]*(?<=\d)[)%]*(?:\(\w\))?|[$€£¥]?[-–—]{1,2}[)%]*|(?:n/?a|n\.?m\.?)",
    re.IGNORECASE,
)
_OPENING = re.compile(r"[$€£¥(]{1,3}")
_CLOSING = re.compile(r"[)%]{1,2}")
_YEAR = re.compile(r"(?:19|20)\d\d")
_SCALE = re.compile(
    r"(?:^|\()\s*((?:(?:u\.?s\.?|dollars?|amounts?|figures|shares|all|are|and|tabular|presented"
    r"|expressed|stated|usd|[$€£¥])\s+){0,5}(?:in\s+|[$€£¥]\s*)?(?:thousands|millions|billions)\b"
    r"[^()\n|]{0,90})",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.;]$")
_HANGING = re.compile(r"(?:,|\b(?:and|or|of|to|for|the|in|on|by|from|with|net|at|as|that))$", re.I)
# How far the ends of a column's numbers may lie apart: a bracket or a per cent sign.
_NEAR = 9.0
_MOST_HEADS = 7
_MOST_LABELS = 5
_LONGEST_CAPTION = 4
_LONGEST_TITLE = 130


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


@dataclass(slots=True)
class _Read:
    """A line and how it reads as a row: its label's segments and its cells of words."""

    line: Line
    text: str
    label: list[list[Word]] = field(default_factory=list)
    cells: list[list[Word]] = field(default_factory=list)
    years: bool = False

    @property
    def ends(self) -> list[float]:
        return [cell[-1].right for cell in self.cells]


def arrange(lines: Sequence[Line], raw: str) -> tuple[list[Row], list[FoundTable]]:
    """The lines as rows, with the tables among them; rows of a table hold its cells apart."""
    read = [_read(line, raw) for line in lines]
    rows: list[Row] = []
    tables: list[FoundTable] = []
    done = 0
    for start, stop, columns in _runs(read):
        if start < done:
            continue
        first, begin_body = _heads_of(read, start, done, columns)
        above = read[max(done, first - 12) : first]
        titles = [number + len(rows) for number in _caption(read[done:first])]
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
                heads=_heads(read[first:begin_body], _parted(columns), raw),
                scale=_scale(read[first : begin_body + 2], above, read),
            )
        )
        rows += body
        done = stop
    rows += [_plain(one.line) for one in read[done:]]
    for table in tables:
        for row in rows[table.first : table.last + 1]:
            row.kept = True
    return rows, tables


def _read(line: Line, raw: str) -> _Read:
    read = _Read(line, " ".join(raw[s.start : s.end] for s in line.segments))
    words = line.words
    first = len(words)
    while first and _is_cell(raw, words[first - 1]):
        first -= 1
    begins = {id(segment.words[0]) for segment in line.segments}
    while first < len(words) and id(words[first]) not in begins:
        first += 1
    cells: list[list[Word]] = []
    glue = False
    for word in words[first:]:
        closing = _CLOSING.fullmatch(raw, word.start, word.end)
        if cells and (glue or closing):
            cells[-1].append(word)
        else:
            cells.append([word])
        glue = bool(_OPENING.fullmatch(raw, word.start, word.end))
    if not any(any(char.isdigit() for char in raw[c[0].start : c[-1].end]) for c in cells):
        # Dashes alone are a rule, unless more than one cell of a table is empty.
        cells = cells if len(cells) > 1 and first else []
    if not cells:
        return read
    ends = {id(word) for word in words[first:]}
    label = [[w for w in s.words if id(w) not in ends] for s in line.segments]
    read.label, read.cells = [part for part in label if part], cells
    read.years = all(_YEAR.fullmatch(raw, c[0].start, c[-1].end) for c in cells)
    return read


def _is_cell(raw: str, word: Word) -> bool:
    return bool(
        _VALUE.fullmatch(raw, word.start, word.end)
        or _OPENING.fullmatch(raw, word.start, word.end)
        or _CLOSING.fullmatch(raw, word.start, word.end)
    )


def _runs(read: Sequence[_Read]) -> list[tuple[int, int, list[float]]]:
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


def _extend(read: Sequence[_Read], start: int) -> tuple[int, list[float], int, int]:
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
            near = [any(abs(end - c) < _NEAR for c in columns) for end in one.ends]
            if not any(near):
                break
            columns += [end for end, known in zip(one.ends, near, strict=True) if not known]
            left = min(left, one.cells[0][0].left)
            stop, rows, most, labels = index + 1, rows + 1, max(most, len(one.cells)), 0
            continue
        labels += 1
        if labels > _MOST_LABELS or one.line.right > max(columns) + _NEAR:
            break
        # Words that run on below the numbers are prose, or the heads of the next table.
        if one.line.right > left + 0.5 * (max(columns) - left) + 2 * _NEAR:
            break
    return stop, sorted(columns), rows, most


def _heads_of(
    read: Sequence[_Read], start: int, least: int, columns: list[float]
) -> tuple[int, int]:
    """First line of the heads above the first numbers at `start`, and first line of the body."""
    cells = [cell for one in read[start : start + 12] for cell in one.cells]
    left = min(cell[0].left for cell in cells) - 30
    first = after = start
    index = start - 1
    while index >= max(least, start - _MOST_HEADS):
        one = read[index]
        gap = one.line.bottom - read[index + 1].line.top
        height = max(one.line.top - one.line.bottom, 1.0)
        if gap > 3.5 * height or gap < -60 * height:
            break
        if _is_head(one, left):
            after = index + 1 if first == start else after
            first = index
        elif not _is_label(one, left):
            break
        index -= 1
    return first, after


def _is_head(one: _Read, left: float) -> bool:
    if one.years or (len(one.text) < 150 and _SCALE.search(one.text)):
        return True
    if one.cells:
        return False
    over = [s for s in one.line.segments if (s.left + s.right) / 2 > left]
    crossing = [s for s in one.line.segments if s.left < left - 30 and s.right > left + 60]
    if not over or (crossing and max(len(s.words) for s in crossing) > 6):
        return False
    label = [s for s in one.line.segments if s not in over]
    return sum(len(s.words) for s in label) < 10 and not _SENTENCE.search(one.text)


def _is_label(one: _Read, left: float) -> bool:
    """A short heading within the table, as "ASSETS" between the years and the first number."""
    return not one.cells and one.line.right < left + 60 and len(one.text) < 80


def _body(read: Sequence[_Read]) -> list[Row]:
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


def _continues(one: _Read, after: _Read, has_cells: bool) -> bool:
    """Whether the next line goes on with the label of this one, or brings its numbers."""
    height = max(one.line.top - one.line.bottom, 1.0)
    if one.line.bottom - after.line.top > 0.8 * height or (has_cells and after.cells):
        return False
    if not after.label and after.cells:
        return not has_cells and not one.text.endswith(":") and _overlaps(one.line, after.line)
    begins = after.text.lstrip("(“\"'")[:1]
    hangs = bool(_HANGING.search(one.text if not one.cells else _words(one)))
    return (begins.islower() or hangs) and not one.text.endswith((":", "."))


def _words(one: _Read) -> str:
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


def _heads(lines: Sequence[_Read], columns: list[float], raw: str) -> str:
    """Heads over all columns first, then each column's own words from top to bottom."""
    spanning: list[str] = []
    own: dict[int, list[str]] = {}
    parts = [_head_segments(one) for one in lines]
    several = any(len(segments) > 1 for segments in parts)
    for segments in parts:
        for segment in segments:
            words = " ".join(raw[segment.start : segment.end].split())
            if _SCALE.search(words):
                continue
            under = _column_of(segment, columns)
            # A head alone on its line, in the middle of three columns, is that of all.
            alone = several and len(segments) == 1 and len(columns) > 1
            if under is None or alone:
                spanning.append(words)
            else:
                own.setdefault(under, []).append(words)
    return " | ".join(
        [*([" ".join(spanning)] if spanning else []), *(" ".join(own[key]) for key in sorted(own))]
    )


def _head_segments(one: _Read) -> list[Segment]:
    """Segments, those of several years parted: each year heads a column of its own."""
    if not one.years:
        return one.line.segments
    parts = [*one.label, *one.cells]
    return [
        Segment(p, p[0].left, p[-1].right, min(w.bottom for w in p), max(w.top for w in p))
        for p in parts
    ]


def _column_of(segment: Segment, columns: list[float]) -> int | None:
    """The one column whose numbers end under or near the segment; none where it spans several."""
    near = [i for i, end in enumerate(columns) if segment.left - 4 < end < segment.right + 30]
    within = [i for i in near if columns[i] <= segment.right + _NEAR] or near
    return within[0] if len(within) == 1 else None


def _parted(ends: Sequence[float]) -> list[float]:
    """Right edges of columns, those of one column taken together."""
    kept: list[float] = []
    for end in sorted(ends):
        if kept and end - kept[-1] < 2 * _NEAR:
            kept[-1] = end
        else:
            kept.append(end)
    return kept


def _caption(above: Sequence[_Read]) -> list[int]:
    """Up to three lines of a title just above, or the sentence that introduces the table."""
    lines: list[int] = []
    for number in range(len(above) - 1, -1, -1):
        text = above[number].text
        if above[number].cells or len(lines) == _LONGEST_CAPTION:
            break
        if text.endswith(":"):
            return [number, *lines] if not lines else lines
        if _SENTENCE.search(text) or len(text) > _LONGEST_TITLE:
            break
        if not _SCALE.match(text) and any(char.isalpha() for char in text):
            lines.insert(0, number)
    return lines


def _scale(heads: Sequence[_Read], above: Sequence[_Read], page: Sequence[_Read]) -> str:
    """Of the heads, else of the nearest line above, else of the page."""
    for one in [*heads, *reversed(above), *page]:
        found = _SCALE.search(one.text) if len(one.text) < 200 else None
        if found:
            return " ".join(found[1].split()).rstrip(" .,:;")
    return ""
