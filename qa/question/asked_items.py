"""Document kinds, statements, metrics and ratios that a question names, from the word lists.

Names of metrics are those of `ingestion.recognising.metrics`; ratios come with their formula and
the metrics they are made of.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ingestion.recognising import metrics as recognised
from qa.question.wording import Phrases
from qa.understood import KindRead, MetricRead, StatementRead

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Item:
    """One metric or ratio: where it stands, what it is called there, what it is made of."""

    name: str
    unit: str
    statements: tuple[str, ...]
    items: tuple[str, ...]
    formula: str = ""
    ingredients: tuple[str, ...] = ()
    averaged: tuple[str, ...] = ()


def read_kinds(text: str) -> tuple[KindRead, ...]:
    """Kinds of documents, each once, in the order of the question."""
    found: dict[str, KindRead] = {}
    for start, end, row in _tables().kinds.find(text):
        read = KindRead(start, end, row["name"], tuple(row["kinds"]), row["label"])
        found.setdefault(read.name, read)
    return tuple(found.values())


def read_statements(text: str) -> tuple[StatementRead, ...]:
    """Statements and sections named outright, each once."""
    found: dict[str, StatementRead] = {}
    for start, end, row in _tables().statements.find(text):
        found.setdefault(row["name"], StatementRead(start, end, row["name"]))
    return tuple(found.values())


def read_metrics(text: str) -> tuple[MetricRead, ...]:
    """Metrics and ratios, each once by its first mention."""
    found: dict[str, MetricRead] = {}
    for start, end, name in mentions(text):
        item = items().get(name)
        if item is None:
            item = Item(name, recognised.known().get(name, "any"), (), (name,))
        read = MetricRead(
            start, end, name, item.unit, item.statements, item.items, item.formula,
            item.ingredients, item.averaged,
        )  # fmt: skip
        found.setdefault(name, read)
    return tuple(found.values())


def mentions(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, name) of every mention of a metric or ratio, from left to right."""
    yield from _tables().metrics.find(text)


def headings(statement: str) -> tuple[str, ...]:
    """What filings write above a statement or section."""
    return next(
        (
            tuple(row["headings"])
            for row in _load("kinds.toml")["statement"]
            if row["name"] == statement
        ),
        (),
    )


def vocabulary() -> frozenset[str]:
    """Every word of these lists: finance language, hence no misspelt name."""
    tables = _tables()
    return tables.kinds.words() | tables.statements.words() | tables.metrics.words()


@cache
def items() -> dict[str, Item]:
    """All metrics and ratios that the lists know by name."""
    units = recognised.known()
    plain = {
        row["name"]: Item(
            row["name"],
            row.get("unit") or units.get(row["name"], "any"),
            tuple(row["statements"]),
            tuple(row["items"]),
        )
        for row in _load("line_items.toml")["item"]
    }
    made = dict(plain)
    for row in _load("ratios.toml")["ratio"]:
        parts = [plain[name] for name in row["ingredients"] if name in plain]
        own = plain.get(row["name"])
        made[row["name"]] = Item(
            row["name"],
            row["unit"],
            _unique((own.statements if own else ()), *(part.statements for part in parts)),
            _unique((own.items if own else ()), *(part.items[:2] for part in parts)),
            row["formula"],
            tuple(row["ingredients"]),
            tuple(row.get("averaged", ())),
        )
    return made


@dataclass(frozen=True, slots=True)
class _Tables:
    kinds: Phrases[dict[str, Any]]
    statements: Phrases[dict[str, Any]]
    metrics: Phrases[str]


@cache
def _tables() -> _Tables:
    rows = _load("kinds.toml")
    return _Tables(
        Phrases.of((word, row) for row in rows["kind"] for word in row["words"]),
        Phrases.of((word, row) for row in rows["statement"] for word in row["words"]),
        Phrases.of(_metric_words()),
    )


def _metric_words() -> Iterator[tuple[str, str]]:
    for row in _load("ratios.toml")["ratio"]:
        yield row["name"], row["name"]
        yield from ((word, row["name"]) for word in row["words"])
    for row in tomllib.loads(recognised.DATA.read_text(encoding="utf-8"))["metric"]:
        yield from ((word, row["name"]) for word in row["synonyms"])
    for row in _load("line_items.toml")["item"]:
        yield row["name"], row["name"]
        yield from ((word, row["name"]) for word in row.get("words", ()))


@cache
def _load(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / name).read_text(encoding="utf-8"))


def _unique(*rows: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for row in rows for value in row))
