"""Changes, means, shares and extremes that a question asks for, from rows of the passages: drafts.

Only from whole years of an annual report's table, and only where one row is named clearly: a
figure derived from a wrong row is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from qa.asked import Asked
from qa.checking.comparing_parts import Comparison
from qa.checking.computing import CannotCompute, year_offset
from qa.checking.deriving import MOST_CELLS, Derivation, derive, value_of
from qa.checking.evidence import Evidence, times
from qa.checking.quoting import fold, locate
from qa.checking.showing_rows import label_of
from qa.checking.table_heads import Cell, Row, line_at
from qa.checking.wording import content, says_the_same
from qa.extractive.asked_operations import PERIODS, Operation, asked_operation
from qa.extractive.cutting_units import Unit, units
from qa.extractive.quoting_units import substantial_quote
from qa.extractive.reading_statements import Computation
from qa.extractive.unit_features import read_question
from qa.offering import Offered
from qa.verifying import Drafted, is_substantial

Asking = TypeVar("Asking", Derivation, Comparison)
# Of the words of a row's label, those that the question must have.
LEAST_OF_LABEL = 0.7
# Of the question's words, those that the label and what stands above it must have.
LEAST_OF_QUESTION = 0.5
# What stands above a row tells less of it than its own label.
CONTEXT_SHARE = 0.5
LONGEST_ABOVE = 300
_NOTE = re.compile(r"\([^)]*\bnotes?\b[^)]*\)|\(\s*[\da-z]{1,2}\s*\)", re.I)
_BARE = re.compile(r"\b(?:other|total|net|gross)\b")
_PART_OF_A_YEAR = re.compile(
    r"\b(?:\d{1,2}|three|six|nine)[- ](?:months?|weeks?)\b|\bquarter", re.I
)
# Not at the beginning, where all is written large.
_NAME = re.compile(r"(?<=[\w,] )[A-Z][\w&-]*")
# They ask for the operation, or frame the question.
_OPERATION_WORDS = frozenset(
    content(
        "change changes changed increase increased decrease decreased growth grow grew decline "
        "declined difference differ percentage percent proportion share portion ratio average mean "
        "sum combined value amount values amounts year years fiscal period company between "
        "highest largest lowest smallest greatest biggest most least higher larger lower smaller "
        "calculate compute compared million thousand billion improve improved drop dropped fell "
        "rise rose end ended ending december june september march"
    )
)


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row with the words of its label; `rows` are where the rows of its passage begin."""

    offered: Offered
    unit: Unit
    row: Row
    label: frozenset[str]
    rows: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """`words` of a row, `plain` those of them that are no words of the operation.

    `names` are written large: a segment's figure is not the company's.
    """

    words: frozenset[str]
    plain: frozenset[str]
    names: frozenset[str]


def derived(
    question: str, understanding: Asked | None, offered: Sequence[Offered]
) -> list[Computation]:
    """One sentence, or none."""
    years = whole_years(question, understanding)
    operation = asked_operation(question, len(years)) if years is not None else None
    if operation is None or years is None:
        return []
    bare = read_question(question, understanding).bare
    candidates = list(table_rows(own_reports(understanding, offered)))
    parts = [wanted_of(part) for part in operation.parts] or [wanted_of(bare)]
    drafted = (
        _over_periods(operation, parts[0], years, candidates)
        if operation.over == PERIODS
        else _over_rows(operation, parts, years, candidates)
    )
    return [drafted] if drafted is not None else []


def whole_years(question: str, understanding: Asked | None) -> list[int] | None:
    """The whole years that are asked for, earliest first; None where parts of years are."""
    own = times(fold(question))
    if own.quarters or own.halves or _PART_OF_A_YEAR.search(question):
        return None
    periods = understanding.periods if understanding is not None else ()
    named = [period for period in periods if not (period.implied or period.relative)]
    written = own.years | {year for period in named for year in period.years}
    return sorted(written or {year for period in periods for year in period.years})


def own_reports(understanding: Asked | None, offered: Sequence[Offered]) -> list[Offered]:
    """Annual reports of the one company that is asked about, or of the only one at hand."""
    companies = {each.id for each in understanding.companies} if understanding else set()
    own = [each for each in offered if not companies or each.company_id in companies]
    if len({each.company_id for each in own}) != 1:
        return []
    return [each for each in own if each.source.header.kind == "annual_report"]


def table_rows(offered: Sequence[Offered]) -> Iterator[TableRow]:
    seen: set[tuple[int, int]] = set()
    for each in offered:
        source = each.source
        rows = [u for u in units(source.text, source.start, source.end) if u.row is not None]
        starts = frozenset(unit.start for unit in rows)
        for unit in rows:
            place = (source.document_id, unit.start)
            if unit.row is None or place in seen:
                continue
            seen.add(place)
            label = telling_words(_NOTE.sub(" ", label_of(unit.row)))
            yield TableRow(each, unit, unit.row, label, starts)


def context(candidate: TableRow) -> frozenset[str]:
    """The words of what stands above it."""
    unit, offered = candidate.unit, candidate.offered
    group = offered.source.text[slice(*unit.group)] if unit.group else ""
    said = f"{unit.heading} {group} {candidate.row.caption} {offered.passage.section} "
    return telling_words(said + _above(offered, unit.start, candidate.rows))


def _above(offered: Offered, start: int, rows: frozenset[int]) -> str:
    """The lines above the table of a row, as far as a reader looks for what it is about."""
    source, low, found = offered.source, start, ""
    while low > source.start and len(found) < LONGEST_ABOVE:
        low, high = line_at(source.text, low - 1)
        if low not in rows:
            found = f"{source.text[max(low, high - LONGEST_ABOVE) : high]} {found}"
    return found


@lru_cache(maxsize=4096)
def telling_words(text: str) -> frozenset[str]:
    """Those that tell, and those that tell one total from another."""
    plain = fold(text)
    return frozenset(content(plain)) | frozenset(_BARE.findall(plain.lower()))


def wanted_of(text: str) -> _Wanted:
    plain = _without_years(text)
    words = telling_words(plain)
    names = telling_words(" ".join(_NAME.findall(plain))) - _OPERATION_WORDS
    return _Wanted(words, words - _OPERATION_WORDS or words, names)


def _without_years(text: str) -> str:
    for low, high in sorted(times(fold(text)).spans, reverse=True):
        text = fold(text)[:low] + " " + fold(text)[high:]
    return text


def _fit(wanted: _Wanted, candidate: TableRow) -> float:
    """0 for a row that is not meant; else the more, the more of label and question agree."""
    label = candidate.label
    agreed = {word for word in label if has_word(wanted.words, word)}
    told = {word for word in wanted.plain if has_word(label, word)}
    if not told or len(agreed) < LEAST_OF_LABEL * len(label):
        return 0.0
    above = context(candidate)
    if any(not has_word(label | above, name) for name in wanted.names):
        return 0.0
    beside = {word for word in wanted.plain - told if has_word(above, word)}
    of_question = (len(told) + CONTEXT_SHARE * len(beside)) / len(wanted.plain)
    return len(agreed) / len(label) + of_question if of_question >= LEAST_OF_QUESTION else 0.0


def has_word(words: frozenset[str], word: str) -> bool:
    return word in words or any(says_the_same(word, other) for other in words)


def _best(
    wanted: _Wanted,
    candidates: Sequence[TableRow],
    columns: Sequence[str] | None,
    years: list[int],
) -> tuple[TableRow, tuple[str, ...]] | None:
    """The one row that is meant, with its columns of these years; None where two differ."""
    fits = []
    for each in candidates:
        heads = columns_of(each, years) if columns is None else tuple(columns)
        fit = _fit(wanted, each) if heads and has_cells(each.row, heads) else 0.0
        if fit:
            fits.append((fit, each, heads))
    if not fits:
        return None
    best = max(fit for fit, *_ in fits)
    equal = [(each, heads) for fit, each, heads in fits if fit >= best - 1e-9]
    said = {tuple(_amount(each.row, head) for head in heads) for each, heads in equal}
    return equal[0] if len(said) == 1 else None


def has_cells(row: Row, heads: Sequence[str]) -> bool:
    return all(_amount(row, head) is not None for head in heads)


def _amount(row: Row, head: str) -> object:
    cells = [cell for cell in row.cells if cell.column == head]
    return value_of(cells[0].text) if len(cells) == 1 else None


def columns_of(candidate: TableRow, years: Sequence[int]) -> tuple[str, ...]:
    """The heads of these years, in their order; of all years of the row where none is asked for."""
    offset = _offset(candidate)
    if offset is None:
        return ()
    by_year: dict[int, list[str]] = {}
    for cell in candidate.row.cells:
        year = _year(cell)
        if year:
            by_year.setdefault(year - offset, []).append(cell.column)
    wanted = list(years) or sorted(by_year)
    heads = [by_year.get(year, []) for year in wanted]
    return tuple(each[0] for each in heads) if all(len(each) == 1 for each in heads) else ()


def _offset(candidate: TableRow) -> int | None:
    """How far the years of its columns lie behind fiscal years; None where that is unknown."""
    row, fiscal = candidate.row, candidate.offered.source.header.fiscal_year or 0
    newest = max((_year(cell) or 0 for cell in row.cells), default=0)
    if newest <= fiscal:
        # A note may be of earlier years alone.
        return 0
    try:
        return year_offset(fiscal, [row])
    except CannotCompute:
        return None


def _year(cell: Cell) -> int | None:
    """Of a column that is a whole year's."""
    found = times(fold(cell.column))
    whole = len(found.years) == 1 and not (found.quarters or found.halves)
    return next(iter(found.years)) if whole else None


def _over_periods(
    operation: Operation, wanted: _Wanted, years: list[int], candidates: Sequence[TableRow]
) -> Computation | None:
    asked = years if len(years) > 1 else []
    if operation.name == "change" and years:
        # "In 2019" is the change from the year before; of a range, from its first to its last.
        asked = [years[0] - 1, years[0]] if len(years) == 1 else [years[0], years[-1]]
    found = _best(wanted, candidates, None, asked)
    if found is None:
        return None
    row, heads = found
    if operation.name == "change":
        heads = heads[-2:]
    if not 2 <= len(heads) <= MOST_CELLS:
        return None
    return draft_of(Derivation(operation.name, heads), [row], derive)


def _over_rows(
    operation: Operation,
    parts: Sequence[_Wanted],
    years: list[int],
    candidates: Sequence[TableRow],
) -> Computation | None:
    if len(years) > 1:
        return None
    first = _best(parts[0], candidates, None, years or _newest(candidates))
    if first is None or len(first[1]) != 1:
        return None
    beside = [each for each in candidates if _same_table(each, first[0])]
    second = _best(parts[1], beside, first[1], years)
    if second is None:
        return None
    return draft_of(Derivation(operation.name, first[1]), [first[0], second[0]], derive)


def _newest(candidates: Sequence[TableRow]) -> list[int]:
    found = {_year(cell) for each in candidates for cell in each.row.cells} - {None}
    return [max(year for year in found if year)] if found else []


def _same_table(one: TableRow, other: TableRow) -> bool:
    apart = one.unit.start != other.unit.start
    return apart and one.offered is other.offered and one.row.caption == other.row.caption


def draft_of(
    asked: Asking, rows: Sequence[TableRow], say: Callable[[Asking, Sequence[Evidence]], str]
) -> Computation | None:
    """None where the verifier would not take it."""
    quotes = [substantial_quote(each.offered.source, each.unit) for each in rows]
    evidence = []
    for each, quote in zip(rows, quotes, strict=True):
        source = each.offered.source
        span = locate(quote, source.text, source.start, source.end)
        if span is None or not is_substantial(quote):
            return None
        evidence.append(Evidence(source, *span))
    try:
        sentence = say(asked, evidence)
    except CannotCompute:
        return None
    cited = tuple((e.offered.reference, q) for e, q in zip(rows, quotes, strict=True))
    offered = tuple({each.offered.reference: each.offered for each in rows}.values())
    return Computation(Drafted(sentence, cited, asked), offered)
