"""Exports as JSON lines, CSV and XLSX.

JSON lines are exact. In CSV a cell that a spreadsheet would calculate gets an apostrophe in front;
XLSX says of each cell that it is text, and cuts what is longer than a cell may be.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.worksheet.worksheet import Worksheet

from extraction.exporting import COLUMNS, RELATIONS, SPANS, Wanted, rows

JSON_LINES, CSV, XLSX = "jsonl", "csv", "xlsx"
FORMATS = (JSON_LINES, CSV, XLSX)
CONTENT_TYPES = {
    JSON_LINES: "application/x-ndjson; charset=utf-8",
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# What makes a spreadsheet take a cell for a formula.
CALCULATED = re.compile(r"[=+\-@\t\r\n]")
# What XML 1.0 has no place for.
FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udfff]")
LONGEST_CELL = 32_767
MOST_ROWS = 1_048_576


def json_lines(wanted: Wanted, whats: tuple[str, ...] = (SPANS, RELATIONS)) -> Iterator[bytes]:
    """A line each; `type` says whether it is a span or a relation."""
    for what in whats:
        for row in rows(wanted, what):
            line = json.dumps({"type": what.removesuffix("s"), **row}, ensure_ascii=False)
            yield line.encode(errors="replace") + b"\n"


def csv_lines(wanted: Wanted, what: str) -> Iterator[bytes]:
    """A head and a line each, in UTF-8 with a byte order mark, which spreadsheets look for."""
    columns = COLUMNS[what]
    yield b"\xef\xbb\xbf" + _csv_line(columns)
    for row in rows(wanted, what):
        yield _csv_line([_harmless(row[name]) for name in columns])


def write_xlsx(wanted: Wanted, path: Path) -> int:
    """A workbook of relations and spans; how many rows. Memory does not grow with them."""
    book = Workbook(write_only=True)
    count = sum(_write_sheets(book, wanted, what) for what in (RELATIONS, SPANS))
    book.save(path)
    return count


def write(wanted: Wanted, path: Path) -> int:
    """A file of the format that its name ends in; how many rows. Raises ValueError for others.

    A CSV has the spans, and the relations in a second file beside it.
    """
    kind = path.suffix.removeprefix(".").lower()
    if kind == XLSX:
        return write_xlsx(wanted, path)
    if kind == JSON_LINES:
        return _write_lines(path, json_lines(wanted), heads=0)
    if kind == CSV:
        beside = path.with_name(f"{path.stem}.{RELATIONS}{path.suffix}")
        related = _write_lines(beside, csv_lines(wanted, RELATIONS), heads=1)
        return related + _write_lines(path, csv_lines(wanted, SPANS), heads=1)
    raise ValueError(f"{path.name}: export to a file that ends in .{', .'.join(FORMATS)}")


def _write_lines(path: Path, lines: Iterator[bytes], heads: int) -> int:
    count = -heads
    with path.open("wb") as file:
        for line in lines:
            file.write(line)
            count += 1
    return count


def _csv_line(cells: Any) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode(errors="replace")


def _harmless(value: Any) -> Any:
    """Numbers as they are; a text that would be calculated behind an apostrophe."""
    if not isinstance(value, str):
        return value
    value = value.replace("\0", "")
    return f"'{value}" if CALCULATED.match(value.lstrip(" ")) else value


def _write_sheets(book: Workbook, wanted: Wanted, what: str) -> int:
    columns = COLUMNS[what]
    count = 0
    sheet: Worksheet | None = None
    for row in rows(wanted, what):
        if count % (MOST_ROWS - 1) == 0:
            sheet = _new_sheet(book, what, count // (MOST_ROWS - 1))
        assert sheet is not None
        sheet.append([_cell(sheet, row[name]) for name in columns])
        count += 1
    if sheet is None:
        _new_sheet(book, what, 0)
    return count


def _new_sheet(book: Workbook, what: str, number: int) -> Worksheet:
    title = what.capitalize() if not number else f"{what.capitalize()} {number + 1}"
    sheet: Worksheet = book.create_sheet(title)
    sheet.append(list(COLUMNS[what]))
    return sheet


def _cell(sheet: Worksheet, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, FORBIDDEN.sub("", value)[:LONGEST_CELL])
    # Or a text that begins with "=" would be a formula.
    cell.data_type = "s"
    return cell
