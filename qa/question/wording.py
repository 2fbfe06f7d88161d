"""Phrases of a word list found in a question: any letter case, plurals, hyphens as spaces.

The longest phrase at each place wins. Time grows with the text alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Generic, TypeVar

T = TypeVar("T")
_WORD = re.compile(r"[^\W_]+(?:[&/'’][^\W_]+)*")
_BETWEEN = re.compile(r"[\s,/&–-]{1,3}|['’]\s")
# They end in "s" and are no plurals of what would be left.
_WHOLE = frozenset({"news", "does", "ones", "goods", "less", "this", "plus", "always", "was"})


@dataclass(slots=True)
class Phrases(Generic[T]):
    """A table of phrases with a value each; make it once by `of`."""

    rows: dict[str, list[tuple[tuple[str, ...], T]]] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[tuple[str, T]]) -> Phrases[T]:
        """The first value of a phrase stays."""
        made: Phrases[T] = cls()
        seen: set[tuple[str, ...]] = set()
        for phrase, value in entries:
            parts = tuple(plain(match[0]) for match in _WORD.finditer(phrase))
            if parts and parts not in seen:
                seen.add(parts)
                made.rows.setdefault(parts[0], []).append((parts, value))
        for rows in made.rows.values():
            rows.sort(key=lambda row: -len(row[0]))
        return made

    def find(self, text: str) -> Iterator[tuple[int, int, T]]:
        """(start, end, value) from left to right, without overlaps."""
        words = [(plain(m[0]), m.start(), m.end()) for m in _WORD.finditer(text)]
        index = 0
        while index < len(words):
            step = 1
            for parts, value in self.rows.get(words[index][0], ()):
                if _is_here(text, words, index, parts):
                    step = len(parts)
                    yield words[index][1], words[index + step - 1][2], value
                    break
            index += step

    def words(self) -> frozenset[str]:
        """All words of all phrases, as `plain` writes them."""
        return frozenset(part for rows in self.rows.values() for parts, _ in rows for part in parts)


def _is_here(
    text: str, words: list[tuple[str, int, int]], index: int, parts: tuple[str, ...]
) -> bool:
    if index + len(parts) > len(words):
        return False
    for offset, part in enumerate(parts):
        word, start, _ = words[index + offset]
        if word != part:
            return False
        if offset and not _BETWEEN.fullmatch(text, words[index + offset - 1][2], start):
            return False
    return True


@lru_cache(maxsize=20_000)
def _plain(word: str) -> str:
    low = word.replace("’", "'")
    low = low.removesuffix("'s").rstrip("'")
    if low in _WHOLE:
        return low
    if low.endswith("ies") and len(low) > 4:
        return low[:-3] + "y"
    return low[:-1] if low.endswith("s") and not low.endswith("ss") and len(low) > 3 else low


def plain(word: str) -> str:
    """Small letters, without the plural's or the possessive's "s"."""
    low = word.lower()
    # Only words of usual length are worth keeping in memory.
    return _plain(low) if len(low) <= 24 else low
