"""How well each sentence or row of the offered passages answers the question, best first."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from docintel import encoders
from docintel.encoders import EncoderUnavailable, TextTooLong
from ingestion.recognising.metrics import metrics
from qa.asked import Asked
from qa.checking.evidence import Times, times
from qa.checking.quantities import quantities
from qa.checking.quoting import fold
from qa.checking.wording import content, directions, says_the_same
from qa.cutting_units import Unit, units
from qa.offering import Offered

# Embedding one takes a few ms on two quiet cores.
MOST_EMBEDDED = 32
LONGEST_EMBEDDED = 256
_FIGURE_ASKED = re.compile(
    r"\bhow (?:much|many|large|big|far|high|long)\b|\bwhat (?:was|were|is|are|share|"
    r"price|percent\w*|"
    r"amount|charge|level|number|did .* (?:report|spend|pay|record))\b|\bby how\b|\bguidance\b",
    re.I,
)
_CAUSE_ASKED = re.compile(
    r"\bwhy\b|\breasons?\b|\bcauses?\b|\bprompt\w*\b|\bblame\w*\b|\bled to\b|\bexplain", re.I
)
_CAUSE = re.compile(
    r"\bbecause\b|\bdue to\b|\battribut\w+\b|\breflect\w*\b|\bas a result\b|"
    r"\bdriven by\b|\bcaused\b|\bowing\b|\bafter\b|\bprimarily\b",
    re.I,
)
_PERSON_ASKED = re.compile(r"\bwho\b", re.I)
_DATE_ASKED = re.compile(r"\bwhen\b", re.I)


@dataclass(frozen=True, slots=True)
class Ranked:
    """One candidate; `score` from about 0 to 1, its parts for the receipt."""

    offered: Offered
    unit: Unit
    score: float
    dense: float | None
    lexical: float
    stems: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Question:
    text: str
    stems: list[str]
    metrics: frozenset[str]
    times: Times
    figure: bool
    cause: bool
    person: bool
    date: bool


def rank(question: str, understanding: Asked | None, offered: Sequence[Offered]) -> list[Ranked]:
    """Candidates of all passages; without an encoder by words alone."""
    asked = _read(question, understanding)
    candidates = _candidates(offered)
    held = [frozenset(content(_words(each, unit))) for each, unit in candidates]
    weights = _weights(asked.stems, held)
    rough = [
        _overlap(asked.stems, stems, weights) + _fit(asked, understanding, each, unit)
        for (each, unit), stems in zip(candidates, held, strict=True)
    ]
    order = sorted(range(len(candidates)), key=lambda i: -rough[i])[:MOST_EMBEDDED]
    dense = _similarities(question, [candidates[i] for i in order])
    ranked = []
    for place, i in enumerate(order):
        near = float(dense[place]) if dense is not None else None
        each, unit = candidates[i]
        position = 1 / (1 + 0.15 * (int(each.reference[1:]) - 1))
        lexical = _overlap(asked.stems, held[i], weights)
        score = 0.35 * rough[i] + 0.15 * position + 0.5 * (lexical if near is None else near)
        ranked.append(Ranked(each, unit, score, near, lexical, held[i]))
    return sorted(ranked, key=lambda each: -each.score)


def _read(question: str, understanding: Asked | None) -> _Question:
    text = fold(question)
    named = {m.name for m in (understanding.metrics if understanding else ())}
    return _Question(
        text, list(dict.fromkeys(content(text))),
        frozenset(named | {m.name for m in metrics(text)}),
        times(text), bool(_FIGURE_ASKED.search(text)), bool(_CAUSE_ASKED.search(text)),
        bool(_PERSON_ASKED.search(text)), bool(_DATE_ASKED.search(text)),
    )  # fmt: skip


def _candidates(offered: Sequence[Offered]) -> list[tuple[Offered, Unit]]:
    found, seen = [], set()
    for each in offered:
        for unit in units(each.source.text, each.source.start, each.source.end):
            key = (each.source.document_id, unit.start)
            if key not in seen:
                seen.add(key)
                found.append((each, unit))
    return found


def _words(each: Offered, unit: Unit) -> str:
    """What is compared with the question: the unit, and whose it is."""
    header = each.source.header
    return f"{unit.shown} {header.company} {each.passage.section}"


def _weights(asked: Sequence[str], held: Sequence[frozenset[str]]) -> dict[str, float]:
    counts = Counter(stem for stems in held for stem in stems)
    return {stem: math.log(1 + len(held) / (1 + counts[stem])) for stem in asked}


def _overlap(asked: Sequence[str], held: frozenset[str], weights: dict[str, float]) -> float:
    total = sum(weights.values()) or 1.0
    found = 0.0
    for stem in asked:
        if stem in held:
            found += weights[stem]
        elif any(says_the_same(stem, other) for other in held):
            found += 0.6 * weights[stem]
    return found / total


def _fit(asked: _Question, understanding: Asked | None, each: Offered, unit: Unit) -> float:
    """Metric, period and company agreement, and the kind of answer that is asked for."""
    folded = fold(unit.shown)
    fit = 0.0
    if asked.metrics:
        names = {m.name for m in metrics(unit.row.label if unit.row else folded)}
        fit += 0.5 if asked.metrics & names else -0.1
    figures = quantities(folded)
    if asked.figure:
        fit += 0.25 if any(not q.is_year for q in figures) else -0.25
    if asked.cause and _CAUSE.search(folded):
        fit += 0.35
    if asked.person and re.search(r"\b[A-Z][a-z]+ [A-Z][a-z]+\b", folded):
        fit += 0.2
    if asked.date and (times(folded).days or times(folded).months):
        fit += 0.2
    if "?" in folded:
        fit -= 0.5
    if unit.row is not None and not any(cell.column for cell in unit.row.cells):
        # Nobody can read figures without their heads.
        fit -= 0.3
    return fit + _period_fit(asked, each, folded) + _company_fit(asked, understanding, each)


def _period_fit(asked: _Question, each: Offered, folded: str) -> float:
    """By what the sentence itself says, else by its document's period.

    A document of the year after holds the asked year's figures too, as columns and comparisons.
    """
    header, own = each.source.header, times(folded)
    fit = 0.0
    if asked.times.years:
        if own.years:
            fit += 0.25 if asked.times.years & own.years else -0.35
        elif header.fiscal_year:
            after = header.fiscal_year - 1 in asked.times.years
            fit += 0.25 if header.fiscal_year in asked.times.years else (0.0 if after else -0.35)
    if asked.times.quarters:
        held = own.quarters or ({header.fiscal_quarter} if header.fiscal_quarter else set())
        fit += 0.3 if asked.times.quarters & set(held) else -0.3
    return fit


def _company_fit(asked: _Question, understanding: Asked | None, each: Offered) -> float:
    if understanding is not None and understanding.companies:
        ids = {company.id for company in understanding.companies}
        return 0.25 if each.company_id in ids else -0.25
    names = (each.source.header.company.split(" ")[0], *each.source.header.names)
    return 0.25 if any(len(name) > 2 and name in asked.text for name in names) else 0.0


def _similarities(question: str, candidates: Sequence[tuple[Offered, Unit]]) -> np.ndarray | None:
    if not candidates:
        return None
    texts = [
        f"{each.source.header.company}. {unit.shown}"[:LONGEST_EMBEDDED]
        for each, unit in candidates
    ]
    try:
        asked = encoders.embed([question[:2000]], kind="query")[0]
        return np.asarray(encoders.embed(texts) @ asked)
    except (EncoderUnavailable, TextTooLong):
        return None


def is_anaphoric(text: str) -> bool:
    """Whether a sentence needs the one before it: "The decrease was due to …"."""
    return bool(
        re.match(
            r"(?:The (?:decrease|increase|decline|improvement|change|reduction|charge|growth|rise|"
            r"effect|remainder|latter|difference)|This|These|It|They|That|Those|Such|He|She|"
            r"His|Her|Its|Their|Both)\b",
            text,
        )
    )


def has_direction(text: str) -> bool:
    return any(True for _ in directions(text))
