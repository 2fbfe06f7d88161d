"""Which part of a report a passage is: a financial statement, notes, risk factors, a call's Q&A.

Told from headings, captions and line items by the rules in statements.toml. Trap: a heading that
was missed lets the one before reach on, so statements end a few pages after their title.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).with_name("statements.toml")
# A printed statement is two pages; beyond, a heading was missed.
STATEMENT_REACH = 9_000
FIGURES = re.compile(r"[\d,.]*\d[\d,.]*\)?\s*%?[)\s]*$|[—–-]\s*$")
PRIMARY = frozenset(
    {
        *("income_statement", "balance_sheet", "cash_flow", "equity_statement"),
        "comprehensive_income",
    }
)
# Where tables resemble the statements without being them; other sections yield to line items.
WITH_TABLES = frozenset({"notes", "segment_note"})
MUCH_MORE = 1.5


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: str
    name: str
    titles: re.Pattern[str]
    items: re.Pattern[str] | None  # One group per item.
    enough: int


@dataclass(frozen=True, slots=True)
class Heading:
    """An enclosing heading and how many characters before the passage it stands."""

    title: str
    distance: int


@cache
def _rules() -> tuple[_Rule, ...]:
    found = tomllib.loads(DATA.read_text(encoding="utf-8"))
    return tuple(
        _Rule(
            kind,
            rule["name"],
            re.compile("|".join(f"(?:{title})" for title in rule["titles"]), re.IGNORECASE),
            _either(rule["items"]) if "items" in rule else None,
            rule.get("enough", 0),
        )
        for kind, rule in found.items()
    )


def _either(items: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"({item})" for item in items), re.IGNORECASE)


@cache
def names() -> dict[str, str]:
    """The plain name of each kind, in the order of the rules."""
    return {rule.kind: rule.name for rule in _rules()}


@cache
def of_title(title: str) -> str:
    """The kind of which a heading or caption speaks, or empty."""
    flat = " ".join(title.split())
    return next((rule.kind for rule in _rules() if rule.titles.search(flat)), "")


def of_headings(headings: Sequence[Heading]) -> str:
    """The kind by the innermost heading that speaks of one; outermost first in `headings`."""
    for heading in reversed(headings):
        kind = of_title(heading.title)
        if kind in PRIMARY and heading.distance > STATEMENT_REACH:
            continue
        if kind:
            return kind
    return ""


def of_lines(text: str) -> tuple[str, float]:
    """The statement whose line items stand here, and how many there are over what is enough."""
    labels = [line.lstrip(" |\t$") for line in text.split("\n") if FIGURES.search(line[-24:])]
    best, most = "", 0.0
    for rule in _rules():
        if rule.items is None or len(labels) < rule.enough:
            continue
        seen = len({found.lastindex for label in labels if (found := rule.items.match(label))})
        if seen / rule.enough >= 1 and seen / rule.enough > most:
            best, most = rule.kind, seen / rule.enough
    return best, most


def statement_of(headings: Sequence[Heading], caption: str, text: str) -> str:
    """The kind of a passage by its headings, its table's caption (if any) and its lines."""
    by_headings = of_headings(headings)
    by_caption = of_title(caption) if caption else ""
    if by_caption in PRIMARY and by_headings not in WITH_TABLES:
        return by_caption
    if by_headings in WITH_TABLES:
        return by_headings
    by_lines, strength = of_lines(text)
    if by_headings in PRIMARY:
        # The next statement's title may have been missed; its lines then speak clearly.
        return by_lines if strength >= MUCH_MORE else by_headings
    if by_lines and (not by_headings or strength >= MUCH_MORE):
        return by_lines
    return by_headings
