"""The lines in front of an indexed passage: who, what and when, where in the document, and in the
middle of a table what its columns are.

They are read by both indexes and never cited. Trap: what a header may take is reserved before the
passage is cut, and its statement and speakers are known only after; so both are bounded.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tokenizers import Tokenizer

from ingestion.parsing import statements
from ingestion.section_paths import SectionPaths, joined, shortened

HEADER_TOKENS = 96
TABLE_TOKENS = 64
SPEAKER_TOKENS = 32
STATEMENT_TOKENS = 16
COMPANY_CHARACTERS = 100
SECTION_CHARACTERS = 120
# What the database keeps of a path.
PATH_CHARACTERS = 300
TABLE_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Found:
    """What is said of one passage."""

    section: str
    statement: str
    header: str


def leading(company: str, kind_label: str, period: str) -> str:
    """The first line of a document's headers, ended by a newline; empty if all are."""
    parts = (shortened(company, COMPANY_CHARACTERS), kind_label, period)
    line = " · ".join(part for part in parts if part)
    return f"{line}\n" if line else ""


def fitted(line: str, tokenizer: Tokenizer, most_tokens: int = HEADER_TOKENS) -> str:
    """The header, cut at its end where it would take more than `most_tokens` of the passage."""
    offsets = tokenizer.encode(line, add_special_tokens=False).offsets
    if len(offsets) <= most_tokens:
        return line
    kept = line[: offsets[most_tokens - 1][0]].rstrip()
    return f"{kept}\n" if kept else ""


class Headers:
    """The headers of one document's passages; `most_tokens` bounds each of them."""

    def __init__(
        self,
        text: str,
        sections: Sequence[Mapping[str, Any]],
        tables: Sequence[Mapping[str, Any]],
        tokenizer: Tokenizer,
        *,
        lead: str,
        most_tokens: int,
    ) -> None:
        self._text = text
        self._paths = SectionPaths(sections)
        self._tables = tables
        self._table_starts = [int(table["start"]) for table in tables]
        self._tokenizer = tokenizer
        self._lead = lead
        self._share = min(1.0, most_tokens / 256)
        self.tokens = cache(self._tokens)
        self._placed = cache(self._fitted_place)
        self._table_line = cache(self._fitted_table)
        names = [self._fit(f"{name}\n", STATEMENT_TOKENS) for name in statements.names().values()]
        self._for_statement = max(map(self.tokens, names))

    def of(self, start: int, end: int) -> Found:
        """The header of `text[start:end]`, its path and its statement."""
        headings = self._paths.at(start)
        statement = statements.statement_of(
            headings, self._caption(start, end), self._text[start:end]
        )
        name = statements.names().get(statement, "")
        brief = joined(headings, SECTION_CHARACTERS)
        if name and name.casefold() in brief.casefold():
            name = ""
        header = self._placed(brief)
        header += self._fit(f"{name}\n", STATEMENT_TOKENS) if name else ""
        header += self._table_line(self._entered(start)) + self._speakers(start, end)
        return Found(joined(headings, PATH_CHARACTERS), statement, header)

    def reserved(self, start: int) -> int:
        """The most tokens that the header of a passage from here can take."""
        known = self._placed(joined(self._paths.at(start), SECTION_CHARACTERS))
        tokens = self.tokens(known) + self.tokens(self._table_line(self._entered(start)))
        tokens += self._for_statement
        return tokens + (self._most(SPEAKER_TOKENS) if self._paths.speakers else 0)

    def _most(self, tokens: int) -> int:
        return int(tokens * self._share)

    def _fit(self, line: str, tokens: int) -> str:
        return fitted(line, self._tokenizer, self._most(tokens))

    def _tokens(self, line: str) -> int:
        return len(self._tokenizer.encode(line, add_special_tokens=False).ids) if line else 0

    def _fitted_place(self, path: str) -> str:
        return self._fit(self._lead + (f"{path}\n" if path else ""), HEADER_TOKENS)

    def _entered(self, start: int) -> int:
        """The table in whose middle a passage from here begins; -1 for none."""
        index = bisect_right(self._table_starts, start) - 1
        inside = index >= 0 and self._table_starts[index] < start < int(self._tables[index]["end"])
        return index if inside else -1

    def _fitted_table(self, index: int) -> str:
        if index < 0:
            return ""
        table = self._tables[index]
        parts = (str(table[name]) for name in ("caption", "scale", "heads"))
        line = " · ".join(shortened(part, TABLE_CHARACTERS) for part in parts if part.strip())
        return self._fit(f"{line}\n", TABLE_TOKENS) if line else ""

    def _caption(self, start: int, end: int) -> str:
        """The caption of the table that fills most of the passage."""
        index = max(0, bisect_right(self._table_starts, start) - 1)
        most, caption = (end - start) / 2, ""
        for table in self._tables[index:]:
            if int(table["start"]) >= end:
                break
            shared = min(end, int(table["end"])) - max(start, int(table["start"]))
            if shared >= most:
                most, caption = shared, str(table["caption"])
        return caption

    def _speakers(self, start: int, end: int) -> str:
        names = self._paths.speaking(start, end)
        return self._fit(f"Speakers: {'; '.join(names)}\n", SPEAKER_TOKENS) if names else ""
