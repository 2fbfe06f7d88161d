"""A ratio computed from the cited rows of one annual report's primary statements; pure.

Writer and verifier call the same `compute`: it reads every operand from the quoted rows, so what
was changed, swapped or miscalculated is another text, and falls. Trap: it rather computes nothing.
Rows count by their exact labels only, and all must be of one document, scale and currency.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from qa.checking.evidence import Evidence, Header, times
from qa.checking.formulas import Formula, Operand, formulas, is_named
from qa.checking.quoting import fold
from qa.checking.statement_items import Item, heading_of, item_of, rows_of
from qa.checking.table_heads import Cell, Row

ANNUAL = "annual_report"
_PART_OF_A_YEAR = re.compile(
    r"\b(?:\d{1,2}|three|six|nine)\s*(?:mo\b|months?|weeks?)|\bQ[1-4]\b|\bquarter|\b[1-4]Q\b|%|"
    r"change|varian|pro forma|adjust",
    re.I,
)
# A table above whose rows this stands is not of the whole company and year.
_OTHER_TABLE = re.compile(
    r"^.{0,60}(?:(?:three|six|nine|13|26|39|thirteen|twenty-six) (?:months|weeks) ended|"
    r"quarters? ended|parent company|pro forma|guarantor|adjusted|by segment|segment (?:results|"
    r"information)).{0,60}$",
    re.I | re.M,
)
# A table under which this stands is of a company that is not.
_HYPOTHETICAL = re.compile(r"\bpro forma\b|\bconstant currency\b", re.I)
_TURN_OF_YEAR = re.compile(r"\b(?:Jan|Feb)", re.I)
_FIGURE = re.compile(r"[$€£¥]?\s?\(?\s?[$€£¥]?\s?(\d[\d,]*(?:\.\d+)?)\s?\)?")
_SCALES = {3: "in thousands", 6: "in millions", 9: "in billions"}
_REACH = 1_500
_PLACES = {"percent": 1, "ratio": 2, "days": 1, "times": 2}


@dataclass(frozen=True, slots=True)
class Asked:
    """A ratio of `qa/question/ratios.toml` by name, for a fiscal year."""

    ratio: str
    year: int


@dataclass(frozen=True, slots=True)
class _Value:
    shown: str
    amount: Decimal


class CannotCompute(Exception):
    """Why not, in words."""


def compute(asked: Asked, evidence: Sequence[Evidence]) -> str:
    """The sentence, of these quotes alone. Raises CannotCompute for anything that is not exact."""
    ways = formulas(asked.ratio)
    if not ways:
        raise CannotCompute(f"no formula is known for “{asked.ratio}”")
    _of_one_annual_report(evidence)
    rows: dict[str, tuple[Item, Row]] = {}
    for e in evidence:
        item, row = _item_row(e)
        if item.name in rows:
            raise CannotCompute(f"two rows are quoted as {item.name}")
        rows[item.name] = (item, row)
    known = next((way for way in ways if set(rows) == {o.item for o in way.operands}), None)
    if known is None:
        raise CannotCompute("the quotes are not the rows of its formula")
    year = asked.year + year_offset(_fiscal_year(evidence), [row for _, row in rows.values()])

    def value(operand: Operand, back: int) -> _Value:
        item, row = rows[operand.item]
        return _value(item, row, year - back)

    return _sentence(asked, known, value, _scale(rows.values()))


def largest(row: Row) -> Decimal:
    """The size of its largest figure, in its own scale."""
    found = (_FIGURE.fullmatch(fold(cell.text).strip()) for cell in row.cells)
    return max((Decimal(each[1].replace(",", "")) for each in found if each), default=Decimal(0))


def contradiction(asked: Asked, evidence: Sequence[Evidence]) -> str | None:
    """Why the quoted rows may be of a part of the company: its report has a larger figure.

    Statements of a parent alone, of guarantors or of a segment have the same headings and labels.
    """
    rows = dict(_item_row(e) for e in evidence)
    text = evidence[0].source.text
    year = asked.year + year_offset(_fiscal_year(evidence), list(rows.values()))
    whens = {operand.when for way in formulas(asked.ratio) for operand in way.operands}
    backs = (0,) if whens == {"now"} else (0, 1)
    for item, row in rows.items():
        for other in rows_of(text, item.name):
            if _HYPOTHETICAL.search(text, max(0, other.start - _REACH), other.start):
                continue
            if any(_is_larger(item, other, row, year - back) for back in backs):
                return f"the report has a larger figure for {item.name} too"
    return None


def _is_larger(item: Item, other: Row, row: Row, year: int) -> bool:
    own, its = _or_none(item, row, year), _or_none(item, other, year)
    if own is None or its is None:
        return False
    # A table without a scale is taken to have the same.
    power = (other.power if other.power is not None else row.power or 0) - (row.power or 0)
    return abs(its.amount).scaleb(power) > abs(own.amount)


def _or_none(item: Item, row: Row, year: int) -> _Value | None:
    try:
        return _value(item, row, year)
    except CannotCompute:
        return None


def _of_one_annual_report(evidence: Sequence[Evidence]) -> None:
    if not evidence:
        raise CannotCompute("it cites nothing")
    first = evidence[0].source
    if any(e.source.document_id != first.document_id for e in evidence):
        raise CannotCompute("its quotes are of several documents")
    if first.header.kind != ANNUAL or first.header.fiscal_year is None:
        raise CannotCompute("its quotes are not of an annual report")


def _item_row(e: Evidence) -> tuple[Item, Row]:
    """The one row that is quoted whole, and which item of which statement it is."""
    if len(e.rows) != 1 or not (e.start <= e.rows[0].start and e.rows[0].end <= e.end + 1):
        raise CannotCompute("a quote is not one whole row")
    row = e.rows[0]
    item = item_of(row.label)
    heading, statement = heading_of(e.source.text, row)
    if item is None or statement != item.statement:
        raise CannotCompute(f"“{row.label.strip()[:40]}” is no row of a primary statement")
    # What stands above the heading is of another table.
    if _OTHER_TABLE.search(e.source.text, max(heading, row.start - _REACH), row.start):
        raise CannotCompute("its table may be of a part of the company or of the year")
    return item, row


def year_offset(fiscal_year: int | None, rows: Sequence[Row]) -> int:
    """How far the years of the columns lie behind the fiscal year: 1 if it ends in January.

    Raises CannotCompute where the newest column is not of the report's own year.
    """
    own = fiscal_year or 0
    found = set()
    for row in rows:
        newest = max((year for cell in row.cells for year in _years(cell)), default=0)
        at_turn = all(_TURN_OF_YEAR.search(cell.column) for cell in row.cells if _years(cell))
        found.add(newest - own if newest - own != 1 or at_turn else -1)
    if len(found) != 1 or not found <= {0, 1}:
        raise CannotCompute("the columns are not of the report's fiscal year")
    return found.pop()


def _fiscal_year(evidence: Sequence[Evidence]) -> int | None:
    return evidence[0].source.header.fiscal_year


def _years(cell: Cell) -> frozenset[int]:
    return times(fold(cell.column)).years


def check_year(row: Row, header: Header, year: int) -> None:
    """Raises CannotCompute unless the row has one plain figure for this fiscal year."""
    item = item_of(row.label)
    if item is None:
        raise CannotCompute(f"“{row.label.strip()[:40]}” is no row of a primary statement")
    _value(item, row, year + year_offset(header.fiscal_year, [row]))


def _value(item: Item, row: Row, year: int) -> _Value:
    """The one figure of the row for this whole year."""
    cells = [cell for cell in row.cells if year in _years(cell)]
    if len(cells) != 1 or len(_years(cells[0])) != 1:
        raise CannotCompute(f"not one column of {item.name} is of {year}")
    cell = cells[0]
    if any(_PART_OF_A_YEAR.search(each.column) for each in row.cells):
        raise CannotCompute(f"a column of {item.name} is of a part of a year")
    plain = fold(cell.text).strip()
    found = _FIGURE.fullmatch(plain)
    if found is None:
        raise CannotCompute(f"{item.name} has no plain figure")
    amount = Decimal(found[1].replace(",", ""))
    if "(" in plain and not item.outflow:
        if not item.signed:
            raise CannotCompute(f"{item.name} is negative")
        return _Value(f"({found[1]})", -amount)
    return _Value(found[1], amount)


def _scale(rows: Iterable[tuple[Item, Row]]) -> str:
    """What all the rows are written in. Raises where it is not one and the same."""
    known = {(row.power, row.currency) for _, row in rows}
    powers = {power or 0 for power, _ in known}
    currencies = {currency for _, currency in known if currency}
    scale = _SCALES.get(powers.pop(), "") if len(powers) == 1 else ""
    if not scale:
        raise CannotCompute("the rows are not all of one known scale")
    if len(currencies) > 1:
        raise CannotCompute("the rows are not of one currency")
    return scale


def _sentence(
    asked: Asked, known: Formula, value: Callable[[Operand, int], _Value], scale: str
) -> str:
    values: dict[Operand, tuple[_Value, ...]] = {}
    for operand in known.operands:
        back = {"now": (0,), "before": (1,), "two before": (2,), "average": (0, 1)}[operand.when]
        values[operand] = tuple(value(operand, each) for each in back)
    amounts = {
        operand: sum((each.amount for each in found), Decimal(0)) / len(found)
        for operand, found in values.items()
    }
    shown = known.shown({operand: _shown(operand, found) for operand, found in values.items()})
    try:
        said = _result(known.evaluate(amounts), known.unit) + _ends(known, amounts)
    except ArithmeticError as error:
        raise CannotCompute("its formula divides by nothing") from error
    if is_named(asked.ratio):
        return f"Computed for fiscal {asked.year}: {asked.ratio} {said} = {shown} ({scale})."
    return f"Computed for fiscal {asked.year}: {shown} = {said} ({scale})."


def _ends(known: Formula, amounts: Mapping[Operand, Decimal]) -> str:
    """The ratio of both years whose change it is; of an item, how large its change is."""
    if known.unit == "change":
        before = amounts[known.operands[1]]
        share = f", or {(amounts[known.operands[0]] / before - 1) * 100:+.1f}%"
        return share if before > 0 else ""
    if known.of is None:
        return ""
    earlier = {o: amounts[Operand(o.item, "before")] for o in known.of.operands}
    ends = (_result(known.of.evaluate(each), "percent") for each in (earlier, amounts))
    return ", from {} to {}".format(*ends)


def _shown(operand: Operand, found: Sequence[_Value]) -> str:
    if operand.when == "average":
        return f"average {operand.item} of {found[0].shown} and {found[1].shown}"
    of = {"before": " of the year before", "two before": " of two years before"}
    return f"{operand.item}{of.get(operand.when, '')} {found[0].shown}"


def _result(result: Decimal, unit: str) -> str:
    if unit == "percent":
        return f"{result * 100:.1f}%"
    if unit == "share":
        return f"{result:.2f}, or {result * 100:.1f}%"
    if unit == "change":
        return f"{result:+,}"
    if unit == "points":
        return f"{result * 100:+.1f} percentage points"
    if unit == "money":
        # A mean may have no end of decimals.
        return f"{result:,}" if result == round(result, 2) else f"{result:,.2f}"
    return f"{result:.{_PLACES[unit]}f}" + (" days" if unit == "days" else "")
