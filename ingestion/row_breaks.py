"""Where a passage may not be cut (inside a table's row) and where it had better be (at a turn).

Everything counts words, not characters: a break at `n` lies before word `n`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Breaks:
    """`within_row[n]`: words n-1 and n stand in one row. `before_turn`: words after which a
    speaker's turn begins. `tables`: (first word, one past the last)."""

    within_row: NDArray[np.bool_]
    before_turn: NDArray[np.int64]
    tables: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        word_starts: NDArray[np.int64],
        sections: Sequence[Mapping[str, Any]],
        tables: Sequence[Mapping[str, Any]],
        text: str,
    ) -> Breaks:
        """From the offsets of the words' first characters."""
        within = np.zeros(len(word_starts) + 1, dtype=np.bool_)
        for table in tables:
            for start, end in _lines(table, text):
                low, high = np.searchsorted(word_starts, [start, end])
                within[low + 1 : high] = True
        turns = [int(section["start"]) for section in sections if section.get("speaker")]
        at = np.unique(np.searchsorted(word_starts, turns))
        spans = [(int(table["start"]), int(table["end"])) for table in tables]
        edges = np.searchsorted(word_starts, np.array(spans, dtype=np.int64).reshape(-1, 2))
        inner = (at > 0) & (at < len(word_starts))
        return cls(within, at[inner].astype(np.int64) - 1, edges)

    def table_cut_at(self, word: int) -> tuple[int, int] | None:
        """The table that a break before this word would cut."""
        index = int(np.searchsorted(self.tables[:, 0], word, side="left")) - 1
        if index < 0 or self.tables[index, 1] <= word:
            return None
        return int(self.tables[index, 0]), int(self.tables[index, 1])

    def row_start(self, word: int) -> int:
        """The first word of the row that holds this one."""
        while self.within_row[word]:
            word -= 1
        return word

    def next_row(self, word: int) -> int:
        """This word, or the first one after the row whose middle it is."""
        while self.within_row[word]:
            word += 1
        return word


def _lines(table: Mapping[str, Any], text: str) -> Iterator[tuple[int, int]]:
    """Rows and, between them, the lines of caption and heads."""
    at = int(table["start"])
    for start, end in (*table["rows"], (table["end"], table["end"])):
        while at < start:
            line = text.find("\n", at, start)
            line = start if line < 0 else line + 1
            yield at, line
            at = line
        if start < end:
            yield int(start), int(end)
        at = max(at, int(end))
