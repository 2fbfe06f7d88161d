"""Ratios that nobody states, from the rows of their ingredients: drafts for the verifier.

Only for a company's fiscal years, and only where a question does not define the ratio otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ingestion.models import Chunk
from qa.asked import Asked
from qa.checking import computing
from qa.checking.evidence import Evidence
from qa.checking.formulas import CHANGE, formula
from qa.checking.statement_items import item_of, names, rows_of, statement_of
from qa.checking.table_heads import Row
from qa.offering import Offered
from qa.verifying import Drafted

MOST_YEARS = 3
_DEFINES = re.compile(r"\b(?:defined?|calculated?|computed?|assum\w+|formula)\b", re.I)
_CHANGE = re.compile(
    r"\b(?:chang|grow|increas|decreas|declin|improv|fell|fall|rise|rose|drop)\w*\b|"
    r"\byear[- ]over[- ]year\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Computation:
    """A draft, and the passages that hold its operands: offered ones, or others of the document."""

    drafted: Drafted
    offered: tuple[Offered, ...]


def computed(
    question: str, understanding: Asked | None, offered: Sequence[Offered]
) -> list[Computation]:
    """A sentence for each ratio and year asked for that can be computed, in that order."""
    if understanding is None or len(understanding.companies) != 1:
        return []
    company = understanding.companies[0].id
    own = [
        each
        for each in offered
        if each.company_id == company and each.source.header.kind == computing.ANNUAL
    ]
    found = []
    for ratio in _ratios(question, understanding):
        years = _years(understanding, own)
        # "From 2016 to 2017" is the change of 2017.
        for year in years[-1:] if ratio.startswith(CHANGE) else years:
            drafted = next(_drafts(computing.Asked(ratio, year), own, len(offered)), None)
            if drafted is not None:
                found.append(drafted)
    return found


def _years(understanding: Asked, offered: Sequence[Offered]) -> list[int]:
    """Those asked for, or else the newest that an annual report at hand covers."""
    if any(period.quarters for period in understanding.periods):
        return []
    asked = sorted({year for period in understanding.periods for year in period.years})
    if asked:
        return asked if len(asked) <= MOST_YEARS else []
    return sorted({each.source.header.fiscal_year or 0 for each in offered} - {0})[-1:]


def _ratios(question: str, understanding: Asked) -> list[str]:
    named = [metric.name for metric in understanding.metrics]
    ratios = [name for name in named if formula(name) is not None]
    plain = [name for name in named if name in names()]
    if ratios and _DEFINES.search(question):
        # The question's own definition may name what ours does not know of.
        ratios = [ratio for ratio in ratios if set(named) - {ratio} <= _parts(ratio)]
    if not ratios and len(plain) == 1 and _CHANGE.search(question):
        return [CHANGE + plain[0]]
    return ratios[:2]


def _parts(ratio: str) -> set[str]:
    known = formula(ratio)
    return {operand.item for operand in known.operands} if known else set()


def _drafts(
    asked: computing.Asked, offered: Sequence[Offered], n_offered: int
) -> Iterator[Computation]:
    """From the year's own report first, then from the next year's."""
    known = formula(asked.ratio)
    if known is None:
        return
    needed = sorted({operand.item for operand in known.operands})
    reports: dict[int, Offered] = {}
    for year in (asked.year, asked.year + 1):
        for each in offered:
            if each.source.header.fiscal_year == year:
                reports.setdefault(each.source.document_id, each)
    for report in reports.values():
        text = report.source.text
        rows = [row for name in needed if (row := _primary(text, name)) is not None]
        try:
            sentence = computing.compute(
                asked, [Evidence(report.source, row.start, row.end) for row in rows]
            )
        except computing.CannotCompute:
            continue
        passages = [_passage(report, row, offered, n_offered + at) for at, row in enumerate(rows)]
        held = [each for each in passages if each is not None]
        if len(held) == len(rows):
            quotes = tuple(
                (each.reference, text[row.start : row.end])
                for each, row in zip(held, rows, strict=True)
            )
            yield Computation(Drafted(sentence, quotes, asked), tuple(held))


def _primary(text: str, name: str) -> Row | None:
    """The item's row in the consolidated statement; of several ("net sales", "total revenue") the
    one with the largest figure."""
    rows = []
    for row in rows_of(text, name):
        item = item_of(row.label)
        if item is not None and statement_of(text, row) == item.statement:
            rows.append(row)
    return max(rows, key=computing.largest, default=None)


def _passage(report: Offered, row: Row, offered: Sequence[Offered], number: int) -> Offered | None:
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
