"""Which part of a whole is largest, smallest, or grew most or least, from quoted rows; pure.

The last quoted row is the whole, and the others must add up to it, so that none is missing. Writer
and verifier call the same `compare`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from qa.checking.computing import CannotCompute
from qa.checking.deriving import (
    MOST_CELLS,
    Value,
    cell_under,
    listed,
    named,
    plain,
    quoted_row,
    read_value,
    scale_of,
    signed,
)
from qa.checking.evidence import Evidence
from qa.checking.showing_rows import label_of

T = TypeVar("T")
# Parts are rounded, and the whole is too.
MOST_APART = Decimal("0.002")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of one column the largest or smallest part; of two what grew most or least between them.

    `columns` are heads as the table has them, earliest first.
    """

    largest: bool
    columns: tuple[str, ...]


def compare(asked: Comparison, evidence: Sequence[Evidence]) -> str:
    """The sentence, of these quotes alone. Raises CannotCompute for anything that is not exact."""
    rows = [quoted_row(each) for each in evidence]
    if len({each.source.document_id for each in evidence}) != 1:
        raise CannotCompute("its quotes are not of one document")
    if not 3 <= len(rows) <= MOST_CELLS or len({row.start for row in rows}) != len(rows):
        raise CannotCompute("they are no whole and its parts")
    if not 1 <= len(set(asked.columns)) == len(asked.columns) <= 2:
        raise CannotCompute("it is not about one column or two")
    scale = scale_of(rows)
    by_column = [
        [read_value(label_of(row), cell_under(row, column)) for row in rows]
        for column in asked.columns
    ]
    for values in by_column:
        _check_whole(values)
    said = _extreme if len(by_column) == 1 else _growth
    return f"Computed: {said(asked, by_column)}{scale}."


def _check_whole(values: Sequence[Value]) -> None:
    *parts, whole = values
    if any(value.percent for value in values):
        raise CannotCompute("percentages are no parts")
    apart = abs(sum((part.amount for part in parts), Decimal(0)) - whole.amount)
    if not whole.amount or apart > MOST_APART * abs(whole.amount):
        raise CannotCompute("the parts do not add up to the whole")


def _extreme(asked: Comparison, by_column: Sequence[Sequence[Value]]) -> str:
    *parts, whole = by_column[0]
    first, *others = _ordered([(part.amount, part) for part in parts], largest=asked.largest)
    word = "largest" if asked.largest else "smallest"
    return (
        f"{plain(asked.columns[0])}: of the parts of {named(whole)} the {word} is {named(first)}, "
        f"compared with {listed(others)}"
    )


def _growth(asked: Comparison, by_column: Sequence[Sequence[Value]]) -> str:
    before, after = by_column
    grown = []
    for one, other in zip(before[:-1], after[:-1], strict=True):
        if one.amount > 0:
            share = other.amount / one.amount - 1
            grown.append((share, (one, other, f"{signed(share * 100, 1)}%")))
        elif other.amount > one.amount:
            raise CannotCompute("a part grew from nothing, or from what is negative")
    if len(grown) < 2:
        raise CannotCompute("there is nothing to compare with")
    (one, other, by), *rest = _ordered(grown, largest=asked.largest)
    beside = ", ".join(f"{each.name} {share}" for each, _, share in rest)
    start, end = map(plain, asked.columns)
    word = "most" if asked.largest else "least"
    return (
        f"{start} to {end}: of the parts of {after[-1].name} that which grew {word} is {one.name}, "
        f"{one.shown} to {other.shown} = {by}, compared with {beside}"
    )


def _ordered(found: Sequence[tuple[Decimal, T]], *, largest: bool) -> list[T]:
    """The extreme first. Raises CannotCompute where two are equal."""
    ordered = sorted(found, key=lambda each: each[0], reverse=largest)
    if ordered[0][0] == ordered[1][0]:
        raise CannotCompute("several are equal")
    return [each for _, each in ordered]
