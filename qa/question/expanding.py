"""Words to search for besides the question's own: line items, headings, thesaurus, learned.

Each weighs less than an original word, whose weight is 1; what the asker says in other questions
weighs more than what they never say.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from qa.question.asked_items import headings
from qa.question.wording import Phrases
from qa.understood import Expansion, MetricRead, StatementRead

DATA = Path(__file__).with_name("thesaurus.toml")
LINE_ITEM, INGREDIENT, THESAURUS, HEADING = 0.6, 0.5, 0.4, 0.35
LEARNED = 0.3  # times the similarity
# Times the weight of words that the asker uses; still below an original word.
OWN = 1.25
MOST = 24


def expansions(
    text: str,
    metrics: Iterable[MetricRead],
    statements: Iterable[StatementRead],
    learned: Mapping[str, Sequence[tuple[str, float]]] | None = None,
    asked_before: Sequence[str] = (),
) -> tuple[Expansion, ...]:
    """The heaviest 24, heaviest first; what the question says already is left out.

    `learned` maps a term of the question to its neighbours with their similarity, 0 to 1.
    `asked_before` is what the asker wrote lately.
    """
    low = " ".join(text.lower().split())
    found: dict[str, Expansion] = {}
    for row in _all(text, metrics, statements, learned or {}):
        key = row.term.lower()
        if key in low:
            continue
        if key not in found or found[key].weight < row.weight:
            found[key] = row
    weighed = _own_first(found.values(), asked_before)
    return tuple(sorted(weighed, key=lambda row: -row.weight)[:MOST])


def thesaurus_entries() -> int:
    return len(_read())


def thesaurus_words() -> frozenset[str]:
    """Every word of the thesaurus's questions, as `wording.plain` writes them."""
    return _phrases().words()


def _all(
    text: str,
    metrics: Iterable[MetricRead],
    statements: Iterable[StatementRead],
    learned: Mapping[str, Sequence[tuple[str, float]]],
) -> Iterator[Expansion]:
    for metric in metrics:
        weight = INGREDIENT if metric.formula else LINE_ITEM
        for term in metric.items:
            yield Expansion(term, weight, f"line item of {metric.name}")
    for statement in statements:
        for term in headings(statement.name):
            yield Expansion(term, HEADING, f"heading of {statement.name.replace('_', ' ')}")
    for start, end, terms in _phrases().find(text):
        for term in terms:
            yield Expansion(term, THESAURUS, f"thesaurus: {text[start:end].lower()}")
    for asked, neighbours in learned.items():
        for term, similarity in neighbours:
            yield Expansion(
                term, round(LEARNED * similarity, 3), f"learned from the corpus: {asked}"
            )


def _own_first(rows: Collection[Expansion], asked_before: Sequence[str]) -> list[Expansion]:
    """The rows in their order, heavier where the asker's own questions have their words."""
    phrases = Phrases.of((row.term, row.term) for row in rows)
    own = {term for text in asked_before for _, _, term in phrases.find(text)}
    return [
        replace(row, weight=round(row.weight * OWN, 3), why=f"{row.why}; in your own words")
        if row.term in own
        else row
        for row in rows
    ]


@cache
def _read() -> dict[str, list[str]]:
    return tomllib.loads(DATA.read_text(encoding="utf-8"))


@cache
def _phrases() -> Phrases[list[str]]:
    return Phrases.of(
        (ask.strip(), terms) for asks, terms in _read().items() for ask in asks.split("|")
    )
