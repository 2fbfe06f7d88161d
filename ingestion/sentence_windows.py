"""A passage cut into its smaller units: three sentences or rows of a table at a time; pure.

What answers a question is often one sentence among twenty, and the vector of a whole passage is of
all twenty. Trap: units overlap, and are for ranking; what is cited by itself is cut elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

# Sentences in a unit, and how many further on the next begins; measured, see docs/results.md.
SIZE, STEP = 3, 2
# A line that ends no sentence goes on in the next, up to this many characters.
LONGEST_JOINED = 400
ROW = " | "
_LINE = re.compile(r"[^\n]+")
_STOP = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“‘(A-Z0-9$])|(?<=[。！？])")
_ENDED = re.compile(r"[.!?:。！？][\"”’)]*\s*$")

Span = tuple[int, int]


def windows(text: str, start: int, end: int) -> list[Span]:
    """Offsets of the units of `text[start:end]`, in order, together holding all that is not blank.

    A text of fewer sentences than a unit has is one unit; a blank one has none.
    """
    found = joined(text, parts(text, start, end), _goes_on)
    if not found:
        return []
    begins = range(0, max(1, len(found) - SIZE + STEP), STEP)
    return [(found[at][0], found[min(at + SIZE, len(found)) - 1][1]) for at in begins]


def parts(text: str, start: int, end: int) -> Iterator[Span]:
    """Rows, and the sentences of other lines as far as they stand on one."""
    for line in _LINE.finditer(text, start, end):
        at, last = line.span()
        if ROW not in line[0]:
            for stop in _STOP.finditer(text, at, last):
                yield at, stop.start()
                at = stop.end()
        yield at, last


def is_ended(line: str) -> bool:
    """Whether a sentence ends with the line."""
    return _ENDED.search(line) is not None


def joined(
    text: str, found_parts: Iterator[Span], goes_on: Callable[[str, Span, int, int], bool]
) -> list[Span]:
    """Without what is blank; whole again where `goes_on` says that a part belongs to the last."""
    found: list[Span] = []
    for low, high in found_parts:
        if not text[low:high].strip():
            continue
        if found and goes_on(text, found[-1], low, high):
            found[-1] = (found[-1][0], high)
        else:
            found.append((low, high))
    return found


def _goes_on(text: str, last: Span, low: int, high: int) -> bool:
    before, between = text[slice(*last)], text[last[1] : low]
    if ROW in before or ROW in text[low:high] or "\n\n" in between:
        return False
    return not is_ended(before) and high - last[0] < LONGEST_JOINED
