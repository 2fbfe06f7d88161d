"""Rows of the consolidated statements of annual reports, and the passages that hold them.

Trap: a report is read whole, but only one of which a passage was offered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingestion.models import Chunk
from qa.asked import Asked
from qa.checking import computing
from qa.checking.statement_items import item_of, rows_of, statement_of
from qa.checking.table_heads import Row
from qa.offering import Offered
from qa.verifying import Drafted

MOST_YEARS = 3


@dataclass(frozen=True, slots=True)
class Computation:
    """A draft, and the passages that hold its operands: offered ones, or others of the document."""

    drafted: Drafted
    offered: tuple[Offered, ...]


def annual_reports(understanding: Asked, offered: Sequence[Offered]) -> list[Offered]:
    """Passages of annual reports of the one company that is asked about."""
    company = understanding.companies[0].id
    return [
        each
        for each in offered
        if each.company_id == company and each.source.header.kind == computing.ANNUAL
    ]


def asked_years(understanding: Asked, offered: Sequence[Offered]) -> list[int]:
    """Those asked for, or else the newest that an annual report at hand covers.

    "Three-year average" and the like say how many years, where others are named.
    """
    if any(period.quarters for period in understanding.periods):
        return []
    named = [each for each in understanding.periods if not (each.implied or each.relative)]
    asked = sorted({year for period in named or understanding.periods for year in period.years})
    if asked:
        return asked if len(asked) <= MOST_YEARS else []
    return sorted({each.source.header.fiscal_year or 0 for each in offered} - {0})[-1:]


def primary(report: Offered, name: str, year: int) -> Row | None:
    """The item's row in the consolidated statement, with a figure of this fiscal year.

    Of several ("net sales", "total revenue") the one with the largest figure.
    """
    text, rows = report.source.text, []
    for row in rows_of(text, name):
        item = item_of(row.label)
        if item is None or statement_of(text, row) != item.statement:
            continue
        try:
            computing.check_year(row, report.source.header, year)
        except computing.CannotCompute:
            continue
        rows.append(row)
    return max(rows, key=computing.largest, default=None)


def holding(report: Offered, row: Row, offered: Sequence[Offered], number: int) -> Offered | None:
    """An offered passage of the report that holds the row, or the chunk that does.

    Only documents that were offered are read, hence such as the asker may see.
    """
    source = report.source
    for each in offered:
        inside = each.source.start <= row.start and row.end <= each.source.end
        if each.source.document_id == source.document_id and inside:
            return each
    chunk = (
        Chunk.objects.filter(document=source.document_id, start__lte=row.start, end__gte=row.end)
        .order_by("ordinal")
        .first()
    )
    if chunk is None:
        return None
    passage = replace(
        report.passage, chunk_id=chunk.pk, start=chunk.start, end=chunk.end, page=chunk.page,
        section=chunk.section, text=chunk.text, statement=chunk.statement,
    )  # fmt: skip
    there = replace(source, start=chunk.start, end=chunk.end, chunk_id=chunk.pk)
    return replace(report, reference=f"p{number + 1}", passage=passage, source=there)
