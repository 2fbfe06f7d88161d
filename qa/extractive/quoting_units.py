"""What is quoted for a unit: its own text, or with lines before it where that proves nothing."""

from __future__ import annotations

from qa.checking.evidence import Source
from qa.checking.table_heads import line_at
from qa.extractive.cutting_units import Unit
from qa.verifying import is_substantial

LONGEST_QUOTE = 600


def substantial_quote(source: Source, unit: Unit) -> str:
    """ "Other | 8 | 9" proves nothing by itself: the lines before it come too."""
    low, own = unit.start, source.text[unit.start : unit.end]
    if is_substantial(own):
        return own
    while low > source.start and unit.end - low < LONGEST_QUOTE:
        low = max(source.start, line_at(source.text, low - 1)[0])
        if is_substantial(source.text[low : unit.end]):
            return source.text[low : unit.end].strip()
    return own
