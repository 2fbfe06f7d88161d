"""What a recogniser finds: a span with a kind and a value; spans are offsets into the text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

COMPANY, PERSON, PLACE = "company", "person", "place"
MONEY, PERCENT, DATE, PERIOD, METRIC = "money", "percent", "date", "period", "metric"
KINDS = (COMPANY, PERSON, PLACE, MONEY, PERCENT, DATE, PERIOD, METRIC)

# Of two overlapping spans of one length, the earlier kind here wins.
_PRECEDENCE = (PERIOD, DATE, MONEY, PERCENT, COMPANY, PERSON, METRIC, PLACE)


@dataclass(frozen=True, slots=True)
class Found:
    """`text[start:end]` is exactly the surface; `name` its normalised form; `value` by kind.

    money: amount (decimal as text), currency, and `implied` where neither sign nor word stands
    beside the number; percent: amount, unit (percent or basis_points); date: iso; period: year,
    quarter or half; metric: unit; person: role; company: `reference` where it is no name.
    """

    start: int
    end: int
    kind: str
    name: str
    value: dict[str, Any] = field(default_factory=dict)


def disjoint(found: Iterable[Found]) -> list[Found]:
    """In reading order without overlaps: the longer of two wins, then the more certain kind."""
    ranked = sorted(
        found,
        # What only a tagger calls a place never hides what a rule has found.
        key=lambda m: (
            m.kind == PLACE,
            m.start - m.end,
            _PRECEDENCE.index(m.kind),
            m.start,
            m.name,
        ),
    )
    taken: set[int] = set()
    kept: list[Found] = []
    for mention in ranked:
        # Spans are short, so a set of characters is quick enough and needs no tree.
        characters = range(mention.start, mention.end)
        if taken.isdisjoint(characters):
            taken.update(characters)
            kept.append(mention)
    return sorted(kept, key=lambda m: m.start)


def flat(words: str) -> str:
    """On one line, single spaces."""
    return " ".join(words.split())
