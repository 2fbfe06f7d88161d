"""A row of a table as it reads in an answer, and whether a text is exactly that; pure.

Who writes answers and who verifies them render by the same function, so a row that was changed in
any character is none.
"""

from __future__ import annotations

import re

from qa.checking.quoting import fold
from qa.checking.table_heads import LINES_BACK, Row, line_at, row_at

LONGEST_HEAD = 90
_GROUP = re.compile(r"[A-Z][^\W\d_][^|:.!?\d]{1,70}:")
_FOOTNOTE = re.compile(r"(?:\s*\((?:\d{1,2}|[a-z])\))+$")
# What adds up to a whole, or names a place: only its group says of what.
_BARE = re.compile(
    r"(?:(?:sub)?totals?|consolidated|other|net|total company|amount|company|current|basic|diluted|"
    r"united states|u\.s\.|international|domestic|americas|europe|asia(?: pacific)?|emea|canada|"
    r"(?:percent|percentage|%) of (?:net )?(?:sales|revenues?))",
    re.I,
)


def show_row(row: Row, group: str = "") -> str:
    """ "Capital expenditures | 2022: 1,749 | 2021: 1,373 | in millions".

    A label that says nothing by itself has its group's before it.
    """
    label = label_of(row)
    if group and _BARE.fullmatch(label):
        label = f"{group.strip()} {label}"
    parts = [label]
    parts += [
        f"{cell.column.strip(' |')}: {cell.text}" if cell.column.strip(" |") else cell.text
        for cell in row.cells
    ]
    named = re.search(r"%|percent|growth", f"{group} {label}", re.I)
    shares = named or all("%" in cell.text for cell in row.cells)
    if row.scale and row.unit_power and not shares:
        parts.append(row.scale.lower())
    return " | ".join(" ".join(part.split()) for part in parts)


def label_of(row: Row) -> str:
    """What the row is called, without the marks of footnotes."""
    return _FOOTNOTE.sub("", row.label.strip()).rstrip(" .:*")


def is_group(line: str) -> bool:
    """Whether a line says what the rows under it are about: "Net sales:"."""
    return bool(_GROUP.fullmatch(line.strip()))


def group_above(text: str, start: int) -> tuple[int, int] | None:
    """Where the line of the group stands that holds the row at `start`, or None."""
    low = start
    for _ in range(LINES_BACK):
        if low <= 0:
            return None
        low, high = line_at(text, low - 1)
        if is_group(text[low:high]):
            return low, high
        if high - low > LONGEST_HEAD and row_at(text, low) is None:
            return None
    return None


def is_shown_row(shown: str, text: str, row: Row, quoted: tuple[tuple[int, int], ...]) -> bool:
    """Whether a folded text is this row as shown; its group counts only if it is quoted too."""
    if shown == fold(show_row(row)):
        return True
    group = group_above(text, row.start)
    if group is None or not any(low <= group[0] and group[1] <= high + 1 for low, high in quoted):
        return False
    return shown == fold(show_row(row, text[slice(*group)]))
