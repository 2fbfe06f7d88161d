"""Figures that follow from cells of quoted rows: changes, means, shares, extremes; pure.

Who writes such a sentence and who verifies it derive it by the same function, from the quotes
alone: of what was asked only the operation and the names of columns are taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from qa.checking.computing import CannotCompute
from qa.checking.evidence import Evidence
from qa.checking.quoting import fold
from qa.checking.showing_rows import label_of
from qa.checking.table_heads import Cell, Row

MOST_CELLS = 8
_FIGURE = re.compile(
    r"(?P<minus>-)?\s?(?:[$€£¥]\s?)?(?P<open>\(\s?)?[$€£¥]?\s?(?P<inner>-)?"
    r"(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)\s?\)?\s?(?P<percent>%)?\s?\)?"
)


@dataclass(frozen=True, slots=True)
class Derivation:
    """What is made of the quoted rows: one row at several columns, or several at one.

    `operation` is a key of OPERATIONS; `columns` are heads as the table has them, earliest first
    where they are periods.
    """

    operation: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """A cell: `name` is its row's label or its column's head, whichever differs; as written."""

    name: str
    shown: str
    amount: Decimal
    decimals: int
    percent: bool


def derive(asked: Derivation, evidence: Sequence[Evidence]) -> str:
    """The sentence, of these quotes alone. Raises CannotCompute for anything that is not exact."""
    operation = OPERATIONS.get(asked.operation)
    if operation is None:
        raise CannotCompute(f"no operation is called “{asked.operation}”")
    rows = [quoted_row(each) for each in evidence]
    if not rows or len({each.source.document_id for each in evidence}) != 1:
        raise CannotCompute("its quotes are not of one document")
    if len(set(asked.columns)) != len(asked.columns):
        raise CannotCompute("a column is named twice")
    if min(len(rows), len(asked.columns)) != 1 or max(len(rows), len(asked.columns)) > MOST_CELLS:
        raise CannotCompute("it is neither one row nor one column")
    scale = scale_of(rows)
    if len(rows) == 1:
        about = label_of(rows[0])
        values = [read_value(column, cell_under(rows[0], column)) for column in asked.columns]
    else:
        about = asked.columns[0]
        values = [read_value(label_of(row), cell_under(row, about)) for row in rows]
    if len({value.percent for value in values}) != 1:
        raise CannotCompute("not all of its figures are percentages")
    return f"Computed: {plain(about)}: {operation(values)}{scale}."


def last_row(evidence: Evidence) -> Row | None:
    """The row that a quote ends with, if it is quoted whole; rows before it only give it weight."""
    row = evidence.rows[-1] if evidence.rows else None
    whole = row is not None and evidence.start <= row.start and row.end <= evidence.end + 1
    return row if whole else None


def quoted_row(evidence: Evidence) -> Row:
    """The row that a quote ends with. Raises CannotCompute where it is not quoted whole."""
    row = last_row(evidence)
    if row is None:
        raise CannotCompute("a quote does not end with a whole row")
    return row


def cell_under(row: Row, column: str) -> Cell:
    """The one cell under this head."""
    cells = [cell for cell in row.cells if cell.column == column]
    if len(cells) != 1 or not column.strip():
        raise CannotCompute(f"not one column is called “{column}”")
    return cells[0]


def value_of(text: str) -> tuple[Decimal, int, bool] | None:
    """The amount of a cell as it is written, its decimals, and whether it is a percentage."""
    found = _FIGURE.fullmatch(fold(text).strip())
    if found is None:
        return None
    number = found["number"].replace(",", "")
    amount = Decimal(number)
    negative = bool(found["minus"] or found["open"] or found["inner"])
    decimals = len(number.partition(".")[2])
    return (-amount if negative else amount), decimals, bool(found["percent"])


def read_value(name: str, cell: Cell) -> Value:
    """A cell as a figure. Raises CannotCompute for one that is none."""
    read = value_of(cell.text)
    if read is None:
        raise CannotCompute(f"“{cell.text}” is no plain figure")
    return Value(plain(name), plain(cell.text), *read)


def plain(text: str) -> str:
    """A label or head without the marks around it."""
    return " ".join(fold(text).split()).strip(" |:.")


def scale_of(rows: Sequence[Row]) -> str:
    """What the rows are written in, of which there must be one."""
    if len({row.unit_power for row in rows}) != 1:
        raise CannotCompute("the rows are not of one scale")
    if len({row.currency for row in rows} - {""}) > 1:
        raise CannotCompute("the rows are not of one currency")
    first = rows[0]
    percent = all("%" in cell.text for cell in first.cells)
    return f" ({first.scale.lower()})" if first.unit_power and first.scale and not percent else ""


def _change(values: Sequence[Value]) -> str:
    """From the first to the last of two."""
    before, after = _two(values)
    change = after.amount - before.amount
    said = f"{named(before)} to {named(after)} = {signed(change, _decimals(values))}"
    if before.percent:
        return f"{said} percentage points"
    if before.amount > 0:
        said += f", or {signed(change / before.amount * 100, 2)}%"
    elif before.amount < 0 and after.amount < 0:
        said += f", or {signed(change / before.amount * 100, 2)}% in size"
    return said


def _average(values: Sequence[Value]) -> str:
    mean = sum((value.amount for value in values), Decimal(0)) / len(values)
    return f"average of {listed(values)} = {_number(mean, _decimals(values) + 2)}{_sign(values)}"


def _sum(values: Sequence[Value]) -> str:
    total = sum((value.amount for value in values), Decimal(0))
    return f"sum of {listed(values)} = {_number(total, _decimals(values))}{_sign(values)}"


def _difference(values: Sequence[Value]) -> str:
    first, second = _two(values)
    left = first.amount - second.amount
    points = " percentage points" if first.percent else ""
    return f"{named(first)} less {named(second)} = {_number(left, _decimals(values))}{points}"


def _share(values: Sequence[Value]) -> str:
    part, whole = _divisible(values)
    share = part.amount / whole.amount * 100
    return f"{named(part)} as a percentage of {named(whole)} = {_number(share, 2)}%"


def _ratio(values: Sequence[Value]) -> str:
    over, under = _divisible(values)
    ratio = over.amount / under.amount
    places = 2 if abs(ratio) >= Decimal("0.1") else 4
    return f"ratio of {named(over)} to {named(under)} = {_number(ratio, places)}"


def _highest(values: Sequence[Value]) -> str:
    return _extreme(values, max, "highest")


def _lowest(values: Sequence[Value]) -> str:
    return _extreme(values, min, "lowest")


def _extreme(
    values: Sequence[Value], choose: Callable[[Sequence[Decimal]], Decimal], word: str
) -> str:
    if len(values) < 2:
        raise CannotCompute("there is nothing to compare with")
    best = choose([value.amount for value in values])
    found = [value for value in values if value.amount == best]
    if len(found) != 1:
        raise CannotCompute("several are equal")
    others = listed([value for value in values if value is not found[0]])
    return f"{word} is {named(found[0])}, compared with {others}"


OPERATIONS: Mapping[str, Callable[[Sequence[Value]], str]] = {
    "change": _change,
    "average": _average,
    "sum": _sum,
    "difference": _difference,
    "share": _share,
    "ratio": _ratio,
    "highest": _highest,
    "lowest": _lowest,
}


def _two(values: Sequence[Value]) -> tuple[Value, Value]:
    if len(values) != 2:
        raise CannotCompute("it takes two figures")
    return values[0], values[1]


def _divisible(values: Sequence[Value]) -> tuple[Value, Value]:
    over, under = _two(values)
    if under.amount <= 0:
        raise CannotCompute("it divides by nothing, or by what is negative")
    return over, under


def named(value: Value) -> str:
    """ "3,545 (Optical Communications)"."""
    return f"{value.shown} ({value.name})"


def listed(values: Sequence[Value]) -> str:
    """Each `named`, with "and" before the last."""
    if len(values) < 2:
        return "".join(map(named, values))
    return ", ".join(map(named, values[:-1])) + f" and {named(values[-1])}"


def _decimals(values: Sequence[Value]) -> int:
    return max(value.decimals for value in values)


def _sign(values: Sequence[Value]) -> str:
    return "%" if values[0].percent else ""


def _number(amount: Decimal, places: int) -> str:
    """With at most so many decimals, as many as the exact figure has."""
    said = f"{amount:,.{places}f}"
    said = said.rstrip("0").rstrip(".") if "." in said else said
    return "0" if said == "-0" else said


def signed(amount: Decimal, places: int) -> str:
    """With its sign and at most so many decimals."""
    said = _number(amount, places)
    return said if said.startswith("-") or said == "0" else f"+{said}"
