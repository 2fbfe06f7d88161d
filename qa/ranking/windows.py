"""The part of a passage that a cross-encoder reads for a question: its header and best lines; pure.

A passage has up to 512 tokens, of which a question is answered by a few lines; reading only those
takes a third of the time. Trap: a window is for ranking, never for showing or citing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from qa.ranking.ranking_features import content_words, word_list

# What a window and a question may take of what the model reads, in estimated tokens.
WINDOW_TOKENS = 104
QUESTION_TOKENS = 44
HEADER_TOKENS = 36
# A line item of a metric says more than a word of the question.
ITEM_WEIGHT, ITEM_WORD_WEIGHT, YEAR_WEIGHT = 3.0, 0.4, 0.5
MOST_ITEMS = 5
_LONG_LINE = 240
_PIECE = re.compile(r"\w+|[^\w\s]")
_SENTENCE = re.compile(r"(?<=[.;!?])\s+(?=[A-Z(“\"])")
_FIGURE = re.compile(r"(?<![\w.])[(\-–—]?[$€£¥]? ?\d[\d,]*(?:\.\d+)?(?!\w)\)?")
_YEAR = re.compile(r"(?:19|20)\d\d")
# Cells of a row after its label; how many there are says little.
_CELLS = re.compile(r"(?:\| ?[($€£¥]* ?#[ )%]*){2,}")


@dataclass(frozen=True)
class Asked:
    """A question as windows see it; `items` are line items of the metrics that it asks for."""

    text: str
    items: tuple[str, ...] = ()

    @cached_property
    def weights(self) -> Mapping[str, float]:
        """What each word counts; the question's own words count 1."""
        found = {word: ITEM_WORD_WEIGHT for item in self.items for word in content_words(item)}
        found |= dict.fromkeys(_YEAR.findall(self.text), YEAR_WEIGHT)
        return found | dict.fromkeys(content_words(self.text), 1.0)

    @cached_property
    def phrases(self) -> tuple[str, ...]:
        return tuple(" ".join(word_list(item)) for item in self.items)

    @cached_property
    def figures(self) -> frozenset[str]:
        return frozenset(_bare(figure) for figure in _FIGURE.findall(self.text))

    @cached_property
    def query(self) -> str:
        """The question, cut, and what statements call its metrics."""
        low = self.text.lower()
        new = [item for item in self.items if item.lower() not in low][:MOST_ITEMS]
        text = _cut(" ".join(self.text.split()), QUESTION_TOKENS)
        return f"{text} ({'; '.join(new)})" if new else text


def window(asked: Asked, header: str, text: str, most: int = WINDOW_TOKENS) -> str:
    """The header and those lines and sentences of `text` that have most of the question's words.

    They stand in their order; what room is left goes to the beginning of the text. Figures that the
    question does not name are written "#", since they cost much and say little.
    """
    head = _cut(_plain_figures(asked, " ".join(header.split())), HEADER_TOKENS)
    units = [_plain_figures(asked, unit) for unit in _units(text)]
    costs = [tokens(unit) for unit in units]
    left = most - tokens(head)
    if sum(costs) > left:
        units = [units[at] for at in _chosen(asked, units, costs, left)]
    return "\n".join([head, *units]) if head else "\n".join(units)


def tokens(text: str) -> int:
    """About how many tokens a WordPiece model makes of it."""
    return sum(1 + len(piece) // 8 for piece in _PIECE.findall(text))


def _chosen(asked: Asked, units: Sequence[str], costs: Sequence[int], left: int) -> list[int]:
    scores = [_score(asked, unit) for unit in units]
    order = sorted(range(len(units)), key=lambda at: (-scores[at], at))
    kept: list[int] = []
    for at in order:
        if costs[at] <= left:
            kept.append(at)
            left -= costs[at]
        elif not kept:
            kept.append(at)
            break
        if left < 4:
            break
    return sorted(kept)


def _score(asked: Asked, unit: str) -> float:
    words = word_list(unit)
    score = sum(asked.weights.get(word, 0.0) for word in set(words))
    named = {_bare(figure) for figure in _FIGURE.findall(unit)} & asked.figures
    score += sum(not _YEAR.fullmatch(figure) for figure in named)
    low = f" {' '.join(words)} "
    if "#" in unit or any(word[0].isdigit() for word in words):
        score += ITEM_WEIGHT * any(f" {phrase} " in low for phrase in asked.phrases)
    return score


def _units(text: str) -> list[str]:
    made = []
    for line in text.splitlines():
        bare = " ".join(line.split())
        if len(bare) > _LONG_LINE and " | " not in bare:
            made += _SENTENCE.split(bare)
        elif bare:
            made.append(bare)
    return made


def _plain_figures(asked: Asked, text: str) -> str:
    def written(match: re.Match[str]) -> str:
        known = _YEAR.fullmatch(match[0].strip(" ()")) or _bare(match[0]) in asked.figures
        return match[0] if known else "#"

    return _CELLS.sub("| # ", _FIGURE.sub(written, text)).strip()


def _bare(figure: str) -> str:
    return "".join(character for character in figure if character.isdigit() or character == ".")


def _cut(text: str, most: int) -> str:
    """The beginning that takes at most so many tokens, to the last whole word."""
    if tokens(text) <= most:
        return text
    words, left = [], most
    for word in text.split(" "):
        left -= tokens(word)
        if left < 0:
            break
        words.append(word)
    return " ".join(words)
