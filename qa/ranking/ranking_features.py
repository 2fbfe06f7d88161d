"""The numbers that a reranker sees of a passage for a question; pure, no database.

Trap: a learned ranker is bound to these names; a new feature needs a new training.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from qa.question.filing_filters import Wanted
from qa.question.wording import plain

FORMAT = 1
KINDS = (
    *("annual_report", "quarterly_report", "current_report", "earnings_call", "announcement"),
    *("research_note", "news", "other"),
)
PRIMARY = frozenset({"income_statement", "balance_sheet", "cash_flow", "equity_statement"})
_WORD = re.compile(r"[^\W\d_]+(?:[&'’-][^\W\d_]+)*|\d[\d,.]*")
# How far after a line item its first figure stands: dots, notes and currency signs between.
_TO_FIGURE = re.compile(r"[^A-Za-z]{0,40}\d")
_STOP = frozenset(
    word
    for line in (
        "a about above after all also among an and any are as at be been before between both but",
        "by can could did do does doing each for from had has have how i if in into is it its",
        "just list many me more most much my no nor not of on or our out over per please same",
        "show so some such tell than that the their them then there these they this those to",
        "under up us use using was we were what when where which while who whom whose why will",
        "with would you your answer based company question following respond calculate compute",
    )
    for word in line.split()
)


@dataclass(frozen=True)
class Question:
    """What is asked, as features see it; `left` is the question without companies and periods.

    `metrics` holds the line items of each metric asked for.
    """

    left: str
    metrics: tuple[tuple[str, ...], ...] = ()
    statements: tuple[str, ...] = ()
    expansions: tuple[tuple[str, float], ...] = ()
    companies: tuple[int, ...] = ()
    company_names: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    quarters: tuple[tuple[int, int], ...] = ()
    kinds: tuple[str, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    ratio: bool = False
    temporal: bool = False
    comparison: bool = False

    @cached_property
    def words(self) -> frozenset[str]:
        return content_words(self.left)

    @cached_property
    def items(self) -> tuple[tuple[tuple[str, ...], ...], ...]:
        """Per metric, the words of each of its line items."""
        return tuple(
            tuple(words for words in map(word_list, items) if words) for items in self.metrics
        )

    @cached_property
    def expanded(self) -> tuple[tuple[frozenset[str], float], ...]:
        pairs = [(content_words(term), weight) for term, weight in self.expansions]
        return tuple(pair for pair in pairs if pair[0])

    @cached_property
    def best_filing(self) -> dict[tuple[int, int | None, str], float]:
        return {(row.fiscal_year, row.fiscal_quarter, row.kind): row.weight for row in self.wanted}


@dataclass(frozen=True, slots=True)
class Filing:
    """The document that a passage stands in."""

    company: int | None
    kind: str
    fiscal_year: int | None
    fiscal_quarter: int | None
    published_on: date | None
    credibility: float
    mentions_company: bool = False


@dataclass(frozen=True, slots=True)
class Scores:
    """A candidate's scores and its rank by each (from 1; None: not ranked).

    `meaning` and `left` are cosines, with the question and with what is left without its names.
    """

    words: float
    expanded: float
    meaning: float
    left: float
    fused: float
    ranks: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One passage; `position` is its place in the document, 0 to 1."""

    text: str
    section: str
    statement: str
    n_tokens: int
    position: float
    filing: Filing
    scores: Scores
    inside: bool = True


@dataclass(frozen=True, slots=True)
class Pool:
    """What the candidates of one look share: bests to compare with, and the newest filing."""

    words: float
    expanded: float
    meaning: float
    left: float
    fused: float
    newest_year: int | None
    document_bests: Mapping[int, float] = field(default_factory=dict)


def features(
    question: Question, candidate: Candidate, pool: Pool, *, of_document: tuple[float, float]
) -> dict[str, float]:
    """Every feature by name; NaN where it cannot be known.

    `of_document` is the best fused score of the passage's document and the share of the candidates
    that are from it.
    """
    scores, filing = candidate.scores, candidate.filing
    made = {
        "bm25": scores.words,
        "bm25_share": _share(scores.words, pool.words),
        "expanded": scores.expanded,
        "expanded_share": _share(scores.expanded, pool.expanded),
        "dense": scores.meaning,
        "dense_gap": pool.meaning - scores.meaning,
        "dense_left": scores.left,
        "dense_left_gap": pool.left - scores.left,
        "fused_share": _share(scores.fused, pool.fused),
        "document_share": _share(of_document[0], pool.fused),
        "from_document": of_document[1],
        "inside": float(candidate.inside),
    }
    for name in ("words", "expanded", "meaning"):
        rank = scores.ranks.get(name)
        made[f"rank_{name}"] = math.nan if rank is None else math.log1p(rank)
    made |= _of_text(question, candidate)
    made |= _of_filing(question, filing, pool)
    made["question_words"] = float(len(question.words))
    made["metrics_asked"] = float(len(question.metrics))
    made["asks_ratio"] = float(question.ratio)
    made["asks_change"] = float(question.temporal)
    made["asks_comparison"] = float(question.comparison)
    return made


def add_best_coverage(rows: Iterable[dict[str, float]]) -> None:
    """To the features of all candidates of one look, the best word coverage among them.

    Where none has the question's words, the words say little about any of them.
    """
    rows = list(rows)
    best = max((row["word_coverage"] for row in rows), default=0.0)
    for row in rows:
        row["best_word_coverage"] = best


def _of_text(question: Question, candidate: Candidate) -> dict[str, float]:
    text = candidate.text
    found = word_list(text)
    words = frozenset(found)
    figures = sum(word[0].isdigit() for word in found)
    low = " ".join(found)
    items, rows = _items(question, low)
    years = {str(year) for year in question.years}
    section = content_words(candidate.section)
    weight = sum(share for _, share in question.expanded)
    covered = sum(share * len(part & words) / len(part) for part, share in question.expanded)
    names = [content_words(name) for name in question.company_names]
    return {
        "n_tokens": float(candidate.n_tokens),
        "figures": figures / max(1, len(found)),
        "position": candidate.position,
        "word_coverage": _share(len(question.words & words), len(question.words)),
        "section_coverage": _share(len(question.words & section), len(question.words)),
        "expansion_coverage": covered / weight if weight else math.nan,
        "item_coverage": items,
        "item_rows": rows,
        "years_named": _share(sum(year in text for year in years), len(years)),
        "company_named": max((_share(len(n & words), len(n)) for n in names), default=math.nan),
        "statement_match": (
            float(candidate.statement in question.statements) if question.statements else math.nan
        ),
        "is_primary": float(candidate.statement in PRIMARY),
        "is_other_statement": float(
            bool(candidate.statement) and candidate.statement not in PRIMARY
        ),
    }


def _of_filing(question: Question, filing: Filing, pool: Pool) -> dict[str, float]:
    year = filing.fiscal_year
    distances = [abs(year - asked) for asked in question.years] if year else []
    after = [year - asked for asked in question.years] if year else []
    older = pool.newest_year - year if year and pool.newest_year else math.nan
    mine = (year, filing.fiscal_quarter)
    return {
        "company_match": (
            float(filing.company in question.companies) if question.companies else math.nan
        ),
        "mentions_company": float(filing.mentions_company) if question.companies else math.nan,
        "prior": prior(question, filing),
        "year_distance": float(min(distances)) if distances else math.nan,
        "years_after": float(min(after, key=abs)) if after else math.nan,
        "quarter_match": float(mine in question.quarters) if question.quarters else math.nan,
        "kind_match": float(filing.kind in question.kinds) if question.kinds else math.nan,
        "kind": float(KINDS.index(filing.kind)) if filing.kind in KINDS else math.nan,
        "years_old": float(older),
        "credibility": filing.credibility,
    }


def prior(question: Question, filing: Filing) -> float:
    """How likely this filing holds the answer by its period and kind alone, 0 to 1.

    Where no period is asked for, 1 or 0.3 by the kinds named; NaN where none is either.
    """
    if question.wanted:
        if filing.fiscal_year is None:
            return 0.3
        return question.best_filing.get(
            (filing.fiscal_year, filing.fiscal_quarter, filing.kind),
            question.best_filing.get((filing.fiscal_year, None, filing.kind), 0.0) * 0.5,
        )
    if question.kinds:
        return 1.0 if filing.kind in question.kinds else 0.3
    return math.nan


def metric_coverage(question: Question, texts: Sequence[str]) -> float:
    """The share of the metrics asked for with a line item in one of the texts; 1 without any."""
    if not question.items:
        return 1.0
    lows = [" ".join(word_list(text)) for text in texts]
    found = [any(_has(low, item) for low in lows for item in items) for items in question.items]
    return sum(found) / len(found)


def word_coverage(question: Question, texts: Sequence[str]) -> float:
    """The share of the question's content words in the texts together; 1 without any."""
    if not question.words:
        return 1.0
    found = frozenset[str]().union(*(frozenset(word_list(text)) for text in texts))
    return len(question.words & found) / len(question.words)


def content_words(text: str) -> frozenset[str]:
    """Words without stop words and figures, singular and in small letters."""
    return frozenset(w for w in word_list(text) if w not in _STOP and not w[0].isdigit())


def word_list(text: str) -> tuple[str, ...]:
    return tuple(plain(match) for match in _WORD.findall(text))


def _items(question: Question, low: str) -> tuple[float, float]:
    """The shares of metrics whose line item the text names, and names beside a figure."""
    if not question.items:
        return math.nan, math.nan
    named = rows = 0
    for items in question.items:
        places = [at for item in items for at in _places(low, item)]
        named += bool(places)
        rows += any(_TO_FIGURE.match(low, end) for end in places)
    return named / len(question.items), rows / len(question.items)


def _has(low: str, item: tuple[str, ...]) -> bool:
    return any(True for _ in _places(low, item))


def _places(low: str, item: tuple[str, ...]) -> list[int]:
    """Where the item ends in the text, as whole words."""
    phrase = " ".join(item)
    ends, at = [], low.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        if (at == 0 or low[at - 1] == " ") and (end == len(low) or low[end] == " "):
            ends.append(end)
        at = low.find(phrase, at + 1)
    return ends


def _share(value: float, whole: float) -> float:
    return value / whole if whole else 0.0
