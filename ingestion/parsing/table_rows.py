"""The cells of a table row as one line, each label with its numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

_OPENING = re.compile(r"^[$€£¥(]{1,2}$|^\(\s*[$€£¥]$|^[$€£¥]\s*\($")
_CLOSING = re.compile(r"^[)%]{1,2}$|^\)\s*%$|^(?:bps|pts?|x)$")
_SPACES = re.compile(r"\s+")
# A cell with more than this is a column of a page laid out by a table, not a value.
_LONG_CELL = 500


def join_cells(cells: Sequence[str]) -> str:
    """Cells joined by " | ", with "$", "(" and ")" put back to their number.

    A row whose cells hold paragraphs or tables of their own is layout: its cells stay blocks.
    """
    if any(len(cell) > _LONG_CELL and cell.strip().count("\n") for cell in cells):
        return "\n".join(cell for cell in cells if cell.strip())
    joined: list[str] = []
    opening = ""
    for cell in (_SPACES.sub(" ", cell).strip() for cell in cells):
        if not cell:
            continue
        if _OPENING.match(cell):
            opening += cell
        elif _CLOSING.match(cell) and joined and not opening:
            joined[-1] += cell if cell[0] in ")%" else f" {cell}"
        else:
            joined.append(opening + cell)
            opening = ""
    if opening:
        joined.append(opening)
    return " | ".join(joined)
