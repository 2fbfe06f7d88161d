"""Passages that say again what a better one says, put behind all others; pure.

Reports repeat themselves from year to year and a release repeats its filing, so that a fifth of the
first ten said nothing new. Trap: a table of another period has the same words and other figures; it
is no repeat.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ingestion.shingling import jaccard
from qa.ranking.candidates import Entry
from qa.ranking.ranking_features import word_list

Scored = tuple[Entry, float]

# Shared words by all words, and the share of its figures that a better passage lacks; measured, see
# docs/results.md.
ALIKE = 0.5
NEW_FIGURES = 0.5
# Passages compared; nobody is shown those behind.
COMPARED = 60
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, slots=True)
class _Said:
    """What a passage says, and how well its document suits the question, by filter and period."""

    words: frozenset[str]
    figures: frozenset[str]
    suits: tuple[float, float]


def repeats_last(order: Sequence[Scored]) -> list[Scored]:
    """The passages in their order, then those that repeat one before them, in theirs.

    A passage of the period asked for is no repeat of one of another.
    """
    kept: list[Scored] = []
    repeats: list[Scored] = []
    better: list[_Said] = []
    for pair in order[:COMPARED]:
        said = _said(pair[0])
        if any(_repeats(said, other) for other in better):
            repeats.append(pair)
        else:
            kept.append(pair)
            better.append(said)
    return [*kept, *order[COMPARED:], *repeats]


def _said(entry: Entry) -> _Said:
    words = frozenset(word_list(entry.passage.text))
    # Years are shared by all passages of a time.
    figures = (word for word in words if word[0].isdigit() and not _YEAR.fullmatch(word))
    row = entry.features
    prior = row.get("prior", math.nan)
    return _Said(words, frozenset(figures), (row["inside"], 0.0 if math.isnan(prior) else prior))


def _repeats(said: _Said, other: _Said) -> bool:
    if not said.words or any(own > its for own, its in zip(said.suits, other.suits, strict=True)):
        return False
    if len(said.figures - other.figures) > NEW_FIGURES * len(said.figures):
        return False
    return jaccard(said.words, other.words) >= ALIKE
