"""Tables of a Word document as lines, one for each row, with their heads and scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from docx.oxml.ns import qn

from ingestion.parsing import table_heads, table_rows
from ingestion.parsing.html_page import describe
from ingestion.parsing.html_tables import Run, is_data
from ingestion.parsing.parsed import Table
from ingestion.parsing.table_heads import GridRow

_TABLE, _ROW, _CELL, _PARAGRAPH = qn("w:tbl"), qn("w:tr"), qn("w:tc"), qn("w:p")
_VALUE = qn("w:val")


@dataclass(frozen=True, slots=True)
class Line:
    """A row's line; `row` is None where its cells hold paragraphs and stay blocks."""

    words: str
    row: GridRow | None


def table_of(table: Any, words_of: Callable[[Any], str]) -> list[Line]:
    """The rows of a w:tbl; those of tables within a cell are part of that cell's own line."""
    lines: list[Line] = []
    for row in table.iter(_ROW):
        if next(row.iterancestors(_TABLE)) is not table:
            continue
        cells = [cell for cell in row.iter(_CELL) if next(cell.iterancestors(_ROW)) is row]
        texts = ["\n".join(map(words_of, cell.iter(_PARAGRAPH))) for cell in cells]
        if any(map(table_rows.is_layout, texts)):
            lines.append(Line("\n".join(text for text in texts if text.strip()), None))
            continue
        placed: list[tuple[str, int, int]] = []
        column = _number(row.find(f"{qn('w:trPr')}/{qn('w:gridBefore')}"), 0)
        for cell, text in zip(cells, texts, strict=True):
            span = _number(cell.find(f"{qn('w:tcPr')}/{qn('w:gridSpan')}"), 1)
            placed.append((text, column, column + span))
            column += span
        values = table_rows.values(placed)
        if values:
            head = row.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None
            lines.append(Line(table_rows.join(values), GridRow(values, head)))
    return lines


def written(lines: Sequence[Line], start: int, above: list[str]) -> tuple[list[Table], list[str]]:
    """The tables among these lines, written from offset `start`, and their words."""
    tables: list[Table] = []
    run: list[tuple[GridRow, tuple[int, int]]] = []
    for line in [*lines, Line("", None)]:
        if line.row is not None:
            run.append((line.row, (start, start + len(line.words))))
        else:
            grid = [row for row, _ in run]
            if is_data(grid):
                heads = Run(0, len(grid), table_heads.recognise(grid))
                tables.append(describe(heads, [span for _, span in run], above, captioned=False))
            run = []
        start += len(line.words) + 1
    return tables, [line.words for line in lines]


def _number(element: Any, otherwise: int) -> int:
    value = element.get(_VALUE) if element is not None else ""
    return min(int(value), 1_000) if value and value.isascii() and value.isdigit() else otherwise
