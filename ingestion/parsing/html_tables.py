"""Tables of a page as they are written: rows of cells on a grid, told from mere layout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ingestion.parsing import table_heads, table_rows
from ingestion.parsing.table_heads import GridRow, Heads

# As the HTML standard bounds them; rows that reach further down than these are not followed.
_WIDEST, _DEEPEST, _MOST_DOWN = 1_000, 65_534, 64
# A cell longer than this is a page of its own, whatever surrounds it.
_LONGEST_CELL = 3_000
_LONGEST_REPEATED = 80


@dataclass(slots=True)
class Cell:
    """A cell's pieces and what they add up to."""

    pieces: list[Any] = field(default_factory=list)
    span: int = 1
    down: int = 1
    head: bool = False
    characters: int = 0
    breaks: int = 0
    bold: bool = True
    holds_table: bool = False
    loose: bool = False
    broken: bool = False

    def add(self, characters: int, lines: int, *, bold: bool) -> None:
        """Counts words that were put into the cell."""
        self.breaks += lines + (self.broken and self.characters > 0)
        self.characters += characters
        self.bold = self.bold and bold
        self.broken = False

    def take(self, table: OpenTable, written: Written) -> None:
        """Counts a table that was put into the cell."""
        within = sum(cell.characters for row in table.rows for cell in row)
        self.add(within, len(written.lines), bold=False)
        self.broken = True
        self.holds_table = self.holds_table or bool(written.runs) or len(written.lines) > 1


@dataclass(slots=True)
class OpenTable:
    """A table while its tags are read."""

    rows: list[list[Cell]] = field(default_factory=list)
    in_head: list[bool] = field(default_factory=list)
    caption: Cell | None = None
    presentation: bool = False
    thead: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A row as it is written: as one line, or as blocks where its cells hold paragraphs."""

    words: str
    blocks: list[list[Any]]


@dataclass(frozen=True, slots=True)
class Run:
    """Lines [first, last) of a table that are rows and columns, and their heads."""

    first: int
    last: int
    heads: Heads


@dataclass(frozen=True, slots=True)
class Written:
    """A finished table: its lines in order; without `runs` it only places text."""

    lines: list[Line]
    runs: list[Run]
    caption: list[Any]


def span_of(element: Any, name: str, most: int) -> int:
    """A `colspan` or `rowspan`, at least 1 and bounded."""
    value = (element.get(name) or "").strip()
    return min(max(int(value[:6]), 1), most) if value.isascii() and value.isdigit() else 1


def open_cell(element: Any) -> Cell:
    """An empty cell for a td or th."""
    return Cell(
        span=span_of(element, "colspan", _WIDEST),
        down=span_of(element, "rowspan", _DEEPEST),
        head=element.tag == "th" and element.get("scope") != "row",
    )


def flat(pieces: list[Any]) -> str:
    """The words of pieces, each break a line end."""
    parts: list[str] = []
    stack: list[Iterator[Any]] = [iter(pieces)]
    while stack:
        for piece in stack[-1]:
            if isinstance(piece, tuple):
                parts.append(piece[0])
            elif isinstance(piece, list):
                stack.append(iter(piece))
                break
            elif isinstance(piece, Written):
                parts += [f"\n{line.words or flat(line.blocks)}\n" for line in piece.lines]
            else:
                parts.append("\n")
        else:
            stack.pop()
    return "".join(parts)


def close(table: OpenTable) -> Written:
    """The table as lines, with the runs of rows that say something by their columns."""
    lines: list[Line] = []
    runs: list[Run] = []
    grid: list[GridRow] = []
    for cells, in_head in zip(_placed(table), table.in_head, strict=True):
        filled = [cell for cell, _, _ in cells if cell.characters]
        if not filled:
            continue
        if table.presentation or any(map(_is_block, filled)):
            _end_run(runs, grid, len(lines))
            grid = []
            lines.append(Line("", [cell.pieces for cell in filled]))
            continue
        row = table_rows.values((flat(cell.pieces), first, last) for cell, first, last in cells)
        if row:
            marked = in_head or all(cell.head for cell in filled)
            grid.append(GridRow(row, marked, all(cell.bold for cell in filled)))
            alone = len(filled) == 1 and len(row) == 1
            # A cell by itself keeps its pieces: it may hold a heading.
            lines.append(Line(table_rows.join(row), [filled[0].pieces] if alone else []))
    _end_run(runs, grid, len(lines))
    return Written(lines, runs, table.caption.pieces if table.caption else [])


def _end_run(runs: list[Run], grid: list[GridRow], end: int) -> None:
    if is_data(grid):
        runs.append(Run(end - len(grid), end, table_heads.recognise(grid)))


def _is_block(cell: Cell) -> bool:
    long = cell.characters > 500 and cell.breaks
    return bool(cell.holds_table or long or cell.loose or cell.characters > _LONGEST_CELL)


def is_data(grid: list[GridRow]) -> bool:
    """Whether rows and columns say something: two rows of values, with amounts or marked heads."""
    rows = [row for row in grid if len(row.values) > 1]
    if len(rows) < 2:
        return False
    if _is_contents(rows):
        return False
    amounts = sum(any(table_heads.is_number(v.words) for v in row.values[1:]) for row in rows)
    if amounts >= max(1, len(rows) // 5):
        return True
    return rows[0].head or (len(rows) > 2 and rows[0].bold and len(rows[0].values) > 1)


def _is_contents(rows: list[GridRow]) -> bool:
    """Whether the rows only say on which page something stands."""
    pages = [row.values[-1].words for row in rows]
    numbers = [int(page) for page in pages if page.isascii() and page.isdigit() and len(page) < 4]
    return len(numbers) > 4 and len(numbers) > 0.8 * len(pages) and numbers == sorted(numbers)


def _placed(table: OpenTable) -> Iterator[list[tuple[Cell, int, int]]]:
    """Row by row the cells with the columns they stand over; a label beside several rows is
    repeated in each."""
    reaching: list[tuple[int, int, int, Cell]] = []
    for number, row in enumerate(table.rows):
        reaching = [item for item in reaching if item[2] > number]
        taken = sorted(reaching, key=lambda item: item[0])
        placed: list[tuple[Cell, int, int]] = []
        column = 0
        for cell in row:
            while taken and taken[0][0] <= column:
                first, last, _, label = taken.pop(0)
                if _repeats(label, first):
                    placed.append((label, first, last))
                column = max(column, last)
            placed.append((cell, column, column + cell.span))
            if cell.down > 1 and len(reaching) < _MOST_DOWN:
                reaching.append((column, column + cell.span, number + cell.down, cell))
            column += cell.span
        yield placed


def _repeats(label: Cell, first: int) -> bool:
    short = 0 < label.characters <= _LONGEST_REPEATED
    return first == 0 and short and not label.head and not table_heads.scale_in(flat(label.pieces))
