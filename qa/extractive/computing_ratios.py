"""Ratios that nobody states, from the rows of their ingredients: drafts for the verifier.

Only for a company's fiscal years, and only where a question does not define the ratio otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import product

from qa.asked import Asked
from qa.checking import computing
from qa.checking.evidence import Evidence
from qa.checking.formulas import CHANGE, OVER_YEARS, Formula, formula, formulas
from qa.checking.statement_items import names
from qa.extractive.reading_formulas import formula_of
from qa.extractive.reading_statements import (
    Computation,
    annual_reports,
    asked_years,
    holding,
    primary,
)
from qa.extractive.unit_features import blank
from qa.offering import Offered
from qa.question.asked_items import items, read_statements
from qa.verifying import Drafted

_DEFINES = re.compile(r"\b(?:defined?|calculated?|computed?|assum\w+|formula)\b", re.I)
_AVERAGED = re.compile(
    r"(?<!weighted )(?<!weighted-)\b(?:average|mean)\s"
    r"(?:\w+['’]s\s|(?:annual|yearly|of|the|total)\s)*$",
    re.I,
)
_COMPOUND = "compound annual growth rate"
_SUMMED = re.compile(r"\b(?:altogether|combined|cumulative(?:ly)?|in (?:total|sum|all))\b", re.I)
_CHANGE = re.compile(
    r"\b(?:chang|grow|grew|increas|decreas|declin|improv|fell|fall|rise|rose|drop|worsen)\w*\b|"
    r"\byear[- ]over[- ]year\b|"
    r"\b(?:higher|lower|more|less|greater|larger|bigger|smaller|fewer|better|worse)\b.*"
    r"\b(?:than|compared|versus|year (?:before|earlier|ago)|(?:prior|previous|last) year)\b",
    re.I,
)
# A segment's figure is not the company's.
_WHICH_PART = re.compile(
    r"\b(?:which|what)\b[^?]{0,40}\b(?:segment|division|region|categor|product|unit|geograph|brand|"
    r"compan|countr|business)",
    re.I,
)
_NAME = re.compile(
    r"(?<=[a-z,] )(?!FY|USD|US\b|GAAP|Q\d|[A-Z]&|(?:January|February|March|April|May|June|July|"
    r"August|September|October|November|December)\b)[A-Z][\w&-]+"
)


def computed(
    question: str, understanding: Asked | None, offered: Sequence[Offered]
) -> list[Computation]:
    """A sentence for each ratio and year asked for that can be computed, in that order."""
    if understanding is None or len(understanding.companies) != 1:
        return []
    own = annual_reports(understanding, offered)
    if not own or _is_of_a_part(question, understanding, own[0]):
        return []
    found = []
    years = asked_years(understanding, own)
    for ratio in _asked_ratios(question, understanding, own[0], years):
        # "From 2016 to 2017" is the change of 2017.
        last = ratio.startswith(CHANGE) or OVER_YEARS.match(ratio) or " year before" in ratio
        for year in years[-1:] if last or "average " in ratio else years:
            drafted = next(_drafts(computing.Asked(ratio, year), own, len(offered)), None)
            if drafted is not None:
                found.append(drafted)
    return found


def _asked_ratios(
    question: str, understanding: Asked, own: Offered, years: Sequence[int]
) -> list[str]:
    """What the question defines or spells out, or else the ratios that it names."""
    spelled = formula_of(_without_company(question, understanding, own))
    if spelled is not None:
        return [spelled]
    return _means(question, understanding, years) + _ratios(question, understanding, years)


def _is_of_a_part(question: str, understanding: Asked, own: Offered) -> bool:
    """Whether it names a part of the company, or asks for one."""
    beside: list[object] = [*understanding.metrics, *read_statements(question)]
    rest = _without_company(reduce(blank, beside, question), understanding, own)
    return bool(_WHICH_PART.search(question) or _NAME.search(rest))


def _without_company(question: str, understanding: Asked, own: Offered) -> str:
    """Whether the question names it, or a filter does and the question besides."""
    rest, header = reduce(blank, understanding.companies, question), own.source.header
    for name in (header.company, *header.names, header.company.partition(" ")[0]):
        if len(name) > 2:
            rest = re.sub(rf"\b{re.escape(name)}(?!\w)", " ", rest, flags=re.I)
    return rest


def _means(question: str, understanding: Asked, years: Sequence[int]) -> list[str]:
    """Of what "average" stands before, over the two or three years that follow each other; or sums.

    Not where a ratio is defined: the averages of its formula are no answers.
    """
    if len(years) < 2 or years[-1] - years[0] != len(years) - 1 or _DEFINES.search(question):
        return []
    named = understanding.metrics
    averaged = [each for each in named if _AVERAGED.search(question[: each.start])]
    how = "average" if averaged else "sum"
    if not averaged and (len(named) != 1 or not _SUMMED.search(question)):
        return []
    made = [f"{len(years)}-year {how} of {each.name}" for each in averaged or named]
    return [each for each in made if formula(each) is not None][:1]


def _ratios(question: str, understanding: Asked, years: Sequence[int]) -> list[str]:
    named = [metric.name for metric in understanding.metrics]
    ratios = [name for name in named if formula(name) is not None]
    plain = [name for name in named if name in names()]
    if _COMPOUND in named:
        apart = years[-1] - years[0] if years else 0
        grown = [f"{apart}-year compound growth of {name}" for name in plain]
        return [each for each in grown[:1] if formula(each) is not None]
    if ratios and _DEFINES.search(question):
        # The question's own definition may name what ours does not know of.
        ratios = [ratio for ratio in ratios if set(named) - {ratio} <= _parts(ratio)]
    if not ratios and len(plain) == 1 and _CHANGE.search(question):
        return [CHANGE + plain[0]]
    if _CHANGE.search(question):
        # Of a ratio in percent; others have no formula of their change.
        changes = [CHANGE + ratio for ratio in ratios[:1] if formula(CHANGE + ratio) is not None]
        return changes + ratios[:1]
    return ratios[:2]


def _parts(ratio: str) -> set[str]:
    """Items of its formula, and ratios that it is written with."""
    known = formula(ratio)
    inner = items()[ratio].formula if ratio in items() else ""
    ratios = {name for name in items() if name in inner}
    return ratios | {operand.item for operand in known.operands} if known else set()


def _drafts(
    asked: computing.Asked, offered: Sequence[Offered], n_offered: int
) -> Iterator[Computation]:
    """From the year's own report first, then from the next year's."""
    reports: dict[int, Offered] = {}
    for year in (asked.year, asked.year + 1):
        for each in offered:
            if each.source.header.fiscal_year == year:
                reports.setdefault(each.source.document_id, each)
    for report, way in product(reports.values(), formulas(asked.ratio)):
        drafted = _draft(asked, way, report, offered, n_offered)
        if drafted is not None:
            yield drafted


def _draft(
    asked: computing.Asked, way: Formula, report: Offered, offered: Sequence[Offered], number: int
) -> Computation | None:
    text = report.source.text
    needed = sorted({operand.item for operand in way.operands})
    rows = [row for name in needed if (row := primary(report, name, asked.year)) is not None]
    if len(rows) < len(needed):
        return None
    try:
        sentence = computing.compute(
            asked, [Evidence(report.source, row.start, row.end) for row in rows]
        )
    except computing.CannotCompute:
        return None
    passages = [holding(report, row, offered, number + at) for at, row in enumerate(rows)]
    held = tuple(each for each in passages if each is not None)
    if len(held) < len(rows):
        return None
    quotes = tuple(
        (each.reference, text[row.start : row.end]) for each, row in zip(held, rows, strict=True)
    )
    return Computation(Drafted(sentence, quotes, asked), held)
