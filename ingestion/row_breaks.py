"""Where a passage may not be cut (inside a table's row) and where it had better be (at a turn).

Everything counts words, not characters: a break at `n` lies before word `n`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingestion.parsing import statements


@dataclass(frozen=True, slots=True)
class Breaks:
    """`within_row[n]`: words n-1 and n stand in one row. `before_turn`: words after which a
    speaker's turn or a section begins. `tables`: (first word, one past the last). `fresh`: first
    words of the parts of a report, with which a passage had better begin."""

    within_row: NDArray[np.bool_]
    before_turn: NDArray[np.int64]
    tables: NDArray[np.int64]
    fresh: NDArray[np.int64]

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
        turns = _words_at(word_starts, [section["start"] for section in sections])
        parts = [s["start"] for s in sections if _begins_a_part(str(s["title"]))]
        spans = [(int(table["start"]), int(table["end"])) for table in tables]
        edges = np.searchsorted(word_starts, np.array(spans, dtype=np.int64).reshape(-1, 2))
        fresh = _words_at(word_starts, parts)
        return cls(within, turns[~within[turns]] - 1, edges, fresh[~within[fresh]])

    def fresh_before(self, covered: int, last: int) -> int | None:
        """The first word of the first part of a report that begins in between, `last` included."""
        index = int(np.searchsorted(self.fresh, covered, side="right"))
        found = index < len(self.fresh) and self.fresh[index] <= last
        return int(self.fresh[index]) if found else None

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


def _words_at(word_starts: NDArray[np.int64], offsets: Sequence[int]) -> NDArray[np.int64]:
    """The words that begin there or next; never the first of all."""
    at = np.unique(np.searchsorted(word_starts, np.array(offsets, dtype=np.int64)))
    return at[(at > 0) & (at < len(word_starts))].astype(np.int64)


def _begins_a_part(title: str) -> bool:
    """Statements, MD&A, risk factors and the like; not each of the notes."""
    return statements.of_title(title) != "" and not title.lower().startswith("note ")


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
