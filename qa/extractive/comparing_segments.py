"""Which segment, region or product is largest, or grew most, where a table has all of them: drafts.

Only from rows of an annual report that add up to the row behind them: such a table is complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ingestion.recognising.metrics import metrics
from qa.asked import Asked
from qa.checking.comparing_parts import MOST_APART, Comparison, compare
from qa.checking.deriving import MOST_CELLS, value_of
from qa.checking.showing_rows import label_of
from qa.extractive.deriving_figures import (
    TableRow,
    columns_of,
    context,
    draft_of,
    has_cells,
    own_reports,
    table_rows,
    telling_words,
    whole_years,
)
from qa.extractive.reading_statements import Computation
from qa.extractive.unit_features import read_question
from qa.offering import Offered

_PART = re.compile(
    r"\b(?:which|what)\b[^?]{0,40}?\b(?:segment|division|region|geograph\w+|market|categor\w+|"
    r"product|business|unit|brand|countr\w+|area|line)\w*\b",
    re.I,
)
_MOST = re.compile(
    r"\b(?:highest|largest|greatest|biggest|most|best|strongest|fastest|leading|top)\b", re.I
)
_LEAST = re.compile(r"\b(?:lowest|smallest|least|slowest)\b", re.I)
# Of a fall the worst is the largest.
_WORST = re.compile(r"\b(?:weakest|worst)\b", re.I)
_GREW = re.compile(
    r"\b(?:gr[eo]w\w*|increas\w+|rose|rise|risen|gain\w*|expand\w*|improv\w+)\b", re.I
)
_FELL = re.compile(
    r"\b(?:declin\w+|decreas\w+|fell|fall\w*|drop\w*|shr[aiu]nk\w*|dragg?\w*)\b", re.I
)
# Words of the comparison, which no table has.
_COMPARING = telling_words(
    "which what segment segments division region geographic area areas business unit units product "
    "category market country brand line highest largest greatest biggest most best strongest "
    "fastest leading top lowest smallest least weakest worst slowest grow grew growth increase "
    "increased rose gain expand improve decline declined decrease decreased fell drop percentage "
    "percent terms report reported contribute contributed had has made year fiscal company rate "
    "operating reportable had saw experienced"
) - telling_words("operating income")
# Of a total that does not say of what.
_TOTAL = telling_words(
    "total totals consolidated company segment segments brand reportable net all"
)


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows that stand one under the other, of which the last may be what they add up to."""

    parts: tuple[TableRow, ...]
    whole: TableRow


def compared(
    question: str, understanding: Asked | None, offered: Sequence[Offered]
) -> list[Computation]:
    """One sentence, or none."""
    years = whole_years(question, understanding) or []
    asked = asked_comparison(question)
    if asked is None or len(years) != 1:
        return []
    growth, largest = asked
    read = read_question(question, understanding)
    wanted = telling_words(_PART.sub(" ", read.bare)) - _COMPARING
    if not wanted:
        return []
    columns = [years[0] - 1, years[0]] if growth else years
    fits = _fitting(wanted, read.metrics, own_reports(understanding, offered))
    for _, table in sorted(fits, key=lambda each: -each[0]):
        heads = columns_of(table.whole, columns)
        rows = (*table.parts, table.whole)
        if not heads or not all(has_cells(each.row, heads) for each in rows):
            continue
        drafted = draft_of(Comparison(largest, heads), rows, compare)
        if drafted is not None:
            return [drafted]
    return []


def asked_comparison(question: str) -> tuple[bool, bool] | None:
    """Whether of growth, and whether the largest; None where no part is asked for."""
    if not _PART.search(question):
        return None
    fell = bool(_FELL.search(question))
    growth = fell or bool(_GREW.search(question))
    least, worst = bool(_LEAST.search(question)), bool(_WORST.search(question))
    if not (growth or least or worst or _MOST.search(question)):
        return None
    # What fell least is what grew most.
    return growth, least if fell else not (least or worst)


def _fitting(
    wanted: frozenset[str], asked: frozenset[str], offered: Sequence[Offered]
) -> Iterator[tuple[float, _Table]]:
    """Tables of what is asked for: their own words say it, or what stands above a bare total."""
    for table in _tables(list(table_rows(offered))):
        unit, source = table.whole.unit, table.whole.offered.source
        group = source.text[slice(*unit.group)] if unit.group else ""
        named = f"{label_of(table.whole.row)} {group}"
        own = telling_words(named)
        # Not by words of nearly that meaning: "selling expenses" are no sales.
        if wanted <= own or asked & {metric.name for metric in metrics(named)}:
            yield 2.0, table
            continue
        bare = own <= wanted | _TOTAL | telling_words(source.header.company)
        if bare and wanted <= own | context(table.parts[0]):
            yield 1.0, table


def _tables(rows: Sequence[TableRow]) -> Iterator[_Table]:
    """Every row that rows above it add up to, with those."""
    for _, run in groupby(rows, key=lambda each: (each.offered.reference, _heads(each))):
        parts: list[TableRow] = []
        for each in run:
            most = min(len(parts), MOST_CELLS - 1)
            found = next((n for n in range(most, 1, -1) if _add_up(parts[-n:], each)), 0)
            if found:
                yield _Table(tuple(parts[-found:]), each)
            parts = [] if found else [*parts, each]


def _add_up(parts: Sequence[TableRow], whole: TableRow) -> bool:
    """By the first column."""
    amounts = [value_of(each.row.cells[0].text) for each in (*parts, whole) if each.row.cells]
    read = [amount[0] for amount in amounts if amount is not None]
    if len(read) != len(parts) + 1 or not read[-1]:
        return False
    return abs(sum(read[:-1]) - read[-1]) <= MOST_APART * abs(read[-1])


def _heads(each: TableRow) -> tuple[str, ...]:
    return tuple(cell.column for cell in each.row.cells)
