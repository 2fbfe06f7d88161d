"""How good found relations are: strict and adjusted F1 as the KPI-EDGAR benchmark scores them.

What the benchmark's code does (Deußer et al., ICMLA 2022; its README has the numbers only):

- A relation is a pair of labelled spans without direction; the name of the relation is not scored.
- strict: both spans to the word, and both labels, as in the gold pair.
- adjusted: every gold pair is given the found pair with its two labels that covers most of it. It
  counts as found by the share of its words that are covered, averaged over its two spans; what
  the found pair has too many, as a share of its words, counts as wrongly found. A found pair that
  no gold pair was given counts as wrong whole. One found pair may serve several gold pairs.

Differences: words are what white space parts, which on the benchmark's texts, tokens joined by a
space, are its own tokens. Its code has a variant of the adjusted score that ignores labels; here
labels count.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import TypeAlias

_WORD = re.compile(r"\S+")

# (start, end, label) of a span by characters, and the two spans of a relation in any order.
Labelled: TypeAlias = tuple[int, int, str]
Related: TypeAlias = tuple[Labelled, Labelled]


@dataclass(frozen=True, slots=True)
class Counts:
    """What adds up over texts; the adjusted ones are fractions of pairs."""

    gold: int = 0
    found: int = 0
    right: int = 0
    adjusted_right: float = 0.0
    adjusted_wrong: float = 0.0
    adjusted_missed: float = 0.0

    @property
    def strict(self) -> float:
        """F1 of pairs found to the word, 0 to 1; 1 where there was nothing to find and to say."""
        return _f1(self.right, self.found - self.right, self.gold - self.right)

    @property
    def adjusted(self) -> float:
        """F1 by shares of words, 0 to 1."""
        return _f1(self.adjusted_right, self.adjusted_wrong, self.adjusted_missed)


def count(text: str, gold: Iterable[Related], found: Iterable[Related]) -> Counts:
    """The counts of one text; the same pair given twice counts once."""
    starts, ends = _words(text)
    expected = _by_words(gold, starts, ends)
    given = _by_words(found, starts, ends)
    right = len(expected & given)
    # In a fixed order, so that of two found pairs that cover as much the same one is taken.
    candidates = sorted(given)
    used: set[Related] = set()
    covered = too_many = 0.0
    for pair in sorted(expected):
        best, (share, excess) = _best(pair, candidates)
        covered += share
        too_many += excess
        if best is not None:
            used.add(best)
    return Counts(
        gold=len(expected),
        found=len(given),
        right=right,
        adjusted_right=covered,
        adjusted_wrong=too_many + len(given) - len(used),
        adjusted_missed=len(expected) - covered,
    )


def total(counts: Iterable[Counts]) -> Counts:
    """All texts together: each pair weighs the same, whatever its text (micro average)."""
    sums = [sum(column) for column in zip(*map(astuple, counts), strict=True)]
    return Counts(*sums) if sums else Counts()


def _f1(right: float, wrong: float, missed: float) -> float:
    whole = 2 * right + wrong + missed
    return 2 * right / whole if whole else 1.0


def _words(text: str) -> tuple[list[int], list[int]]:
    words = [match.span() for match in _WORD.finditer(text)]
    return [start for start, _ in words], [end for _, end in words]


def _by_words(
    relations: Iterable[Related], starts: Sequence[int], ends: Sequence[int]
) -> set[Related]:
    """Pairs by the words that their spans touch, the earlier span first."""
    pairs = set()
    for one, other in relations:
        first, second = sorted(_touched(span, starts, ends) for span in (one, other))
        pairs.add((first, second))
    return pairs


def _touched(span: Labelled, starts: Sequence[int], ends: Sequence[int]) -> Labelled:
    start, end, label = span
    return bisect_right(ends, start), bisect_left(starts, end), label


def _best(gold: Related, found: Collection[Related]) -> tuple[Related | None, tuple[float, float]]:
    """The found pair that covers most of the gold one, with its share covered and its excess."""
    if gold in found:
        return gold, (1.0, 0.0)
    best: Related | None = None
    most = (0.0, 0.0)
    labels = sorted((gold[0][2], gold[1][2]))
    for pair in found:
        if sorted((pair[0][2], pair[1][2])) == labels:
            share, excess = _overlap(gold, pair)
            if share > most[0]:
                best, most = pair, (share, excess)
    return best, most


def _overlap(gold: Related, found: Related) -> tuple[float, float]:
    """(share of the gold pair's words covered, share of the found pair's words too many)."""
    shares, excesses = [], []
    for side, span in enumerate(gold):
        # Without direction: each gold span is compared with the found span that meets it better.
        same, opposite = found[side], found[1 - side]
        nearer = same if _common(span, same) >= _common(span, opposite) else opposite
        common = _common(span, nearer)
        shares.append(common / max(1, span[1] - span[0]))
        length = max(1, nearer[1] - nearer[0])
        excesses.append((length - common) / length)
    return sum(shares) / 2, sum(excesses) / 2


def _common(one: Labelled, other: Labelled) -> int:
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))
