"""The few sentences of a passage that answer best to the question's words; pure."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ingestion.language import has_runs

EXCERPT_CHARACTERS = 300
WORD = re.compile(r"[^\W_]+")
# A sentence begins after a full stop and white space, or on a new line.
SENTENCE_START = re.compile(r"(?<=[.!?])\s+(?=[^\s])|\n+\s*(?=[^\s])")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """`text[start:end]` of the passage it was cut from; highlights are offsets into the excerpt."""

    start: int
    end: int
    highlights: list[tuple[int, int]]


def words(text: str) -> list[str]:
    """The words of a text in lower case, as `stems` must be asked for them."""
    return WORD.findall(text.lower())


def matcher(forms: Iterable[str]) -> re.Pattern[str]:
    """Finds these words as whole words, in any letter case; nothing for no words."""
    found = sorted(forms)
    apart = "|".join(re.escape(form) for form in found if not has_runs(form)) or r"(?!)"
    # Chinese, Japanese and Korean words stand within a run.
    within = "|".join(re.escape(form) for form in found if has_runs(form)) or r"(?!)"
    return re.compile(rf"(?<![^\W_])(?:{apart})(?![^\W_])|{within}", re.IGNORECASE)


def excerpt(text: str, pattern: re.Pattern[str], stem_of: Mapping[str, str]) -> Excerpt:
    """The window of about 300 characters with the most different stems, then the most hits.

    It starts where a sentence or a line starts; the first such window wins a tie.
    """
    hits = [
        (match.start(), match.end(), stem_of.get(match.group().lower(), ""))
        for match in pattern.finditer(text)
    ]
    starts = [0, *(match.end() for match in SENTENCE_START.finditer(text))]
    ends = [hit[1] for hit in hits]
    best, best_worth = 0, (-1, -1)
    for start in starts:
        first = bisect_left(hits, (start,))
        last = bisect_right(ends, start + EXCERPT_CHARACTERS)
        inside = hits[first:last]
        worth = (len({stem for *_, stem in inside}), len(inside))
        if worth > best_worth:
            best, best_worth = start, worth
    end = _end(text, best)
    return Excerpt(
        best,
        end,
        [(start - best, stop - best) for start, stop, _ in hits if start >= best and stop <= end],
    )


def _end(text: str, start: int) -> int:
    """Where a window that starts here ends: before the word that would not fit."""
    end = start + EXCERPT_CHARACTERS
    if end >= len(text):
        return len(text.rstrip())
    space = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
    return space if space > start else end
