"""Line items that a question asks for by name, as the year's own statement has them: drafts.

A row of a consolidated statement is quoted word for word, also where no passage with it was found
but others of its report were. Trap: only exact labels of `statement_labels.toml` are known.
"""

from __future__ import annotations

from collections.abc import Sequence

from qa.asked import Asked
from qa.checking.formulas import formula
from qa.checking.showing_rows import show_row
from qa.checking.statement_items import names
from qa.extractive.asked_kinds import asked_for
from qa.extractive.asked_operations import asked_operation
from qa.extractive.reading_statements import (
    Computation,
    annual_reports,
    asked_years,
    holding,
    primary,
)
from qa.offering import Offered
from qa.verifying import Drafted

MOST_ITEMS = 4
MOST_ROWS = 4


def stated(
    question: str, understanding: Asked | None, offered: Sequence[Offered]
) -> list[Computation]:
    """A row for each item and report, that of the last year asked for first."""
    if understanding is None or len(understanding.companies) != 1:
        return []
    wants = asked_for(question)
    if wants.cause or not wants.figure or asked_operation(question, 0) is not None:
        return []
    own = annual_reports(understanding, offered)
    found: list[Computation] = []
    for year in reversed(asked_years(understanding, own)):
        for name in _items(understanding):
            drafted = _drafted(name, year, own, len(offered) + len(found))
            shown = {each.drafted.text for each in found}
            if drafted is not None and drafted.drafted.text not in shown:
                found.append(drafted)
    return found[:MOST_ROWS]


def _items(understanding: Asked) -> list[str]:
    """The items that are named, and those that a named ratio is made of."""
    found: dict[str, None] = {}
    for metric in understanding.metrics:
        known = formula(metric.name)
        parts = [metric.name] if known is None else [each.item for each in known.operands]
        found.update(dict.fromkeys(part for part in parts if part in names()))
    return list(found) if len(found) <= MOST_ITEMS else []


def _drafted(name: str, year: int, own: Sequence[Offered], number: int) -> Computation | None:
    """From the year's own report first, then from the next year's."""
    for wanted in (year, year + 1):
        for report in own:
            if report.source.header.fiscal_year != wanted:
                continue
            row = primary(report, name, year)
            passage = holding(report, row, own, number) if row is not None else None
            if row is None or passage is None:
                continue
            quote = report.source.text[row.start : row.end]
            return Computation(Drafted(show_row(row), ((passage.reference, quote),)), (passage,))
    return None
