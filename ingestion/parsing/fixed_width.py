"""Tables in plain text: columns set by blanks, as in filings of the nineties, or by Markdown bars.

The text stays as it was written; the tables are offsets into it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingestion.parsing import table_heads, table_rows
from ingestion.parsing.parsed import Table
from ingestion.parsing.table_heads import GridRow
from ingestion.parsing.table_rows import Value

_LINE = re.compile(r"[^\n]+")
_CELL = re.compile(r"\S+(?: \S+)*")
_LEADERS = re.compile(r"\.{3,}|(?: \.){3,}")
_RULE = re.compile(r"^[\s=_.+|-]*$")
_TAGS = re.compile(r"^\s*(?:</?(?:CAPTION|TABLE|S|C|FN|PAGE)>\s*)+$", re.IGNORECASE)
_TAGGED = re.compile(r"<TABLE>(.*?)(?:</TABLE>|\Z)", re.IGNORECASE | re.DOTALL)
_BARS = re.compile(
    r"^[ ]{0,3}\|.+\|[ \t]*\n[ ]{0,3}\|(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*(?:\n[ ]{0,3}\|.*\|[ \t]*)+",
    re.MULTILINE,
)
_LONGEST_LINE, _MOST_GAP, _MOST_ABOVE, _FEWEST_ROWS = 400, 3, 6, 3


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    cells: list[Value]
    numbers: int


def tables(text: str) -> list[Table]:
    """Tables between <TABLE> tags, and rows of two or more aligned amounts without any."""
    found: list[Table] = []
    tagged = [match.span(1) for match in _TAGGED.finditer(text)] if "<" in text else []
    for start, end in tagged:
        lines = list(_lines(text, start, end))
        if sum(line.numbers > 0 for line in lines) >= 2:
            found += _table(text, lines)
    position = 0
    for start, end in [*tagged, (len(text), len(text))]:
        for lines in _runs(_lines(text, position, start)):
            found += _table(text, lines)
        position = end
    return sorted(found, key=lambda table: table["start"])


def bar_tables(text: str) -> list[Table]:
    """Markdown's tables: a head, a rule, rows; all between bars."""
    found: list[Table] = []
    for match in _BARS.finditer(text):
        spans = [
            (match.start() + line.start(), match.start() + line.end())
            for line in _LINE.finditer(match[0])
        ]
        head = [cell.strip() for cell in text[slice(*spans[0])].strip().strip("|").split("|")]
        above = _above(text, match.start())
        caption = above[0].strip("*_ ") if above else ""
        found.append(
            {
                "start": spans[0][0],
                "end": spans[-1][1],
                "caption": caption,
                "heads": " | ".join(" ".join(cell.split()) for cell in head if cell),
                "scale": _scale([caption, *head]),
                "rows": spans[2:],
            }
        )
    return found


def _lines(text: str, start: int, end: int) -> Iterator[_Line]:
    """The lines with words; rules and tags are none."""
    for match in _LINE.finditer(text, start, end):
        words = match[0]
        if len(words) > _LONGEST_LINE or " | " in words:
            yield _Line(match.start(), match.end(), [], 0)
            continue
        if _TAGS.match(words) or _RULE.match(words):
            continue
        flat = _LEADERS.sub(lambda dots: " " * len(dots[0]), words)
        cells = [(c[0], c.start(), c.end()) for c in _CELL.finditer(flat)]
        values = table_rows.values(cells)
        numbers = sum(table_heads.is_number(value.words) for value in values[1:])
        yield _Line(match.start(), match.start() + len(words.rstrip()), values, numbers)


def _runs(lines: Iterator[_Line]) -> Iterator[list[_Line]]:
    """Neighbouring lines of two or more amounts, with what stands between and right above."""
    before: list[_Line] = []
    run: list[_Line] = []
    gap = 0
    for line in lines:
        if line.numbers >= 2:
            run = run or before[-_MOST_ABOVE:]
            run.append(line)
            before, gap = [], 0
        elif run and gap < _MOST_GAP and _is_between(line):
            run.append(line)
            gap += 1
        else:
            yield from _whole(run, gap)
            before = [*before[-_MOST_ABOVE:], line] if _is_between(line) else []
            run, gap = [], 0
    yield from _whole(run, gap)


def _whole(run: list[_Line], gap: int) -> Iterator[list[_Line]]:
    kept = run[: len(run) - gap]
    if sum(line.numbers >= 2 for line in kept) >= _FEWEST_ROWS:
        yield kept


def _is_between(line: _Line) -> bool:
    """Whether the line may be a label, a head or a row of one amount, and no running text."""
    if not line.cells:
        return False
    return len(line.cells) > 1 or line.cells[0].last - line.cells[0].first < 70


def _table(text: str, lines: Sequence[_Line]) -> Iterator[Table]:
    lines = [line for line in lines if line.cells]
    if not lines:
        return
    left = min(line.cells[0].first for line in lines)
    width = max(line.cells[-1].last for line in lines) - left
    grid = [GridRow(_placed(line.cells, left, width)) for line in lines]
    first = next((n for n, line in enumerate(lines) if line.numbers), 0)
    # Only what stands right above the amounts is a head; a paragraph over it is not.
    skip = next((n for n in range(first, 0, -1) if _is_apart(text, lines[n - 1], lines[n])), 0)
    heads = table_heads.recognise(grid[skip:])
    kept = lines[skip:]
    above = _above(text, kept[0].start)
    caption = heads.caption or (above[0] if above and len(above[0]) < 120 else "")
    yield {
        "start": kept[0].start,
        "end": kept[-1].end,
        "caption": caption,
        "heads": heads.heads,
        "scale": heads.scale or _scale(above),
        "rows": [(line.start, line.end) for line in kept[heads.count :]],
    }


def _is_apart(text: str, one: _Line, other: _Line) -> bool:
    """Whether more blank lines lie between than between a head and its rows."""
    most = 3 if len(one.cells) > 1 else 2
    return len(re.findall(r"\n(?=[ \t]*\n)", text[one.end : other.start + 1])) >= most


def _placed(cells: list[Value], left: int, width: int) -> list[Value]:
    """The cells by their offset in the line; what begins in the first fifth is a label."""
    moved = [Value(cell.words, cell.first - left, cell.last - left) for cell in cells]
    if moved[0].first < 0.2 * width:
        moved[0] = Value(moved[0].words, 0, moved[0].last)
    return moved


def _above(text: str, start: int) -> list[str]:
    """The last two lines before an offset, the nearest first."""
    lines = text[max(0, start - 600) : start].split("\n")
    words = [" ".join(line.split()) for line in reversed(lines) if not _RULE.match(line)]
    return [line for line in words if not _TAGS.match(line)][:2]


def _scale(lines: Sequence[str]) -> str:
    return next((scale for line in lines if (scale := table_heads.scale_in(line))), "")
