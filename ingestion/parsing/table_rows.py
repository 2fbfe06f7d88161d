"""The cells of a table row as one line, each label with its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_OPENING = re.compile(r"^[$€£¥(]{1,2}$|^\(\s*[$€£¥]$|^[$€£¥]\s*\($|^(?:US|CA|A|C|HK)\$$")
_CLOSING = re.compile(r"^[)%]{1,2}$|^\)\s*%$|^(?:bps|pts?|x)$|^\)\s*(?:bps|pts?)$")
_AMOUNT = re.compile(r"\d|[—–−-]\)?$")
_MARKER = re.compile(r"^(?:[•●▪◦■·*–—-]|o|\(?(?:[a-zA-Z]|[ivx]{1,4}|\d{1,2})[).])$")
_SPACES = re.compile(r"\s+")
# A cell with more than this is a column of a page laid out by a table, not a value.
_LONG_CELL = 500


@dataclass(frozen=True, slots=True)
class Value:
    """What a reader takes for one cell: its words and the columns [first, last) it stands over."""

    words: str
    first: int
    last: int


def values(cells: Iterable[tuple[str, int, int]]) -> list[Value]:
    """The cells (words, first column, one past the last) with words, "$", "(" and ")" at home."""
    joined: list[Value] = []
    opening, began = "", 0
    for text, first, last in cells:
        words = _SPACES.sub(" ", text).strip()
        if not words:
            continue
        if _OPENING.match(words):
            began = began if opening else first
            opening += words
        elif joined and not opening and _closes(words, joined[-1].words):
            before = joined[-1]
            gap = "" if words[0] in ")%" else " "
            joined[-1] = Value(before.words + gap + words, before.first, last)
        else:
            joined.append(Value(opening + words, began if opening else first, last))
            opening = ""
    if opening:
        joined.append(Value(opening, began, began + 1))
    if len(joined) == 2 and _MARKER.match(joined[0].words):
        # A bullet or a number beside its paragraph is no column.
        joined = [Value(f"{joined[0].words} {joined[1].words}", joined[0].first, joined[1].last)]
    return joined


def _closes(words: str, before: str) -> bool:
    """Whether the words belong to the number before them."""
    if not _CLOSING.match(words):
        return False
    return (
        before.count("(") > before.count(")") if words[0] == ")" else bool(_AMOUNT.search(before))
    )


def is_layout(cell: str) -> bool:
    """Whether the cell holds paragraphs, as a page laid out by a table does."""
    return len(cell) > _LONG_CELL and "\n" in cell.strip()


def join(row: Sequence[Value]) -> str:
    """The values of a row as its line."""
    return " | ".join(value.words for value in row)


def join_cells(cells: Sequence[str]) -> str:
    """Cells joined by " | ", with "$", "(" and ")" put back to their number.

    A row whose cells hold paragraphs or tables of their own is layout: its cells stay blocks.
    """
    if any(is_layout(cell) for cell in cells):
        return "\n".join(cell for cell in cells if cell.strip())
    return join(values((cell, column, column + 1) for column, cell in enumerate(cells)))
