"""Passages that say again what a better one says, put behind all others; pure.

Reports repeat themselves from year to year and a release repeats its filing, so that a fifth of the
first ten said nothing new. Trap: a table of another period has the same words and other figures; it
is no repeat.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingestion.shingling import jaccard
from qa.ranking.candidates import Entry
from qa.ranking.ranking_features import word_list

Scored = tuple[Entry, float]
Said = tuple[frozenset[str], frozenset[str]]

# Shared words by all words, and the share of its figures that a better passage lacks; measured, see
# docs/results.md.
ALIKE = 0.5
NEW_FIGURES = 0.5
# Passages compared; nobody is shown those behind.
COMPARED = 60
_YEAR = re.compile(r"(?:19|20)\d\d")


def repeats_last(order: Sequence[Scored]) -> list[Scored]:
    """The passages in their order, then those that repeat one before them, in theirs."""
    kept: list[Scored] = []
    repeats: list[Scored] = []
    better: list[Said] = []
    for pair in order[:COMPARED]:
        said = _said(pair[0].passage.text)
        if any(_repeats(said, other) for other in better):
            repeats.append(pair)
        else:
            kept.append(pair)
            better.append(said)
    return [*kept, *order[COMPARED:], *repeats]


def _said(text: str) -> Said:
    """Its words and, of these, its figures without years, which all passages of a time share."""
    words = frozenset(word_list(text))
    figures = (word for word in words if word[0].isdigit() and not _YEAR.fullmatch(word))
    return words, frozenset(figures)


def _repeats(said: Said, other: Said) -> bool:
    words, figures = said
    if not words or len(figures - other[1]) > NEW_FIGURES * len(figures):
        return False
    return jaccard(words, other[0]) >= ALIKE
