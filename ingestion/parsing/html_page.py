"""The text of a page as its blocks are written one after the other, with every offset known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag
from typing import Any

from ingestion.parsing import table_heads
from ingestion.parsing.html_tables import Run, Written
from ingestion.parsing.parsed import Section, Table

_WORD = re.compile(r"\S")
_LONGEST_TITLE, _LONGEST_CAPTION = 300, 240


class Set(IntFlag):
    """How a piece of text is set."""

    PLAIN = 0
    BOLD = 1
    CENTRED = 2
    LINKED = 4
    PRE = 8
    ITALIC = 16


class Break(IntFlag):
    """What ends a line: the edge of a block, of a paragraph, or a line end by itself."""

    EDGE = 1
    PARAGRAPH = 2
    LINE = 3


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a heading of this level begins, or ends if the level is 0."""

    level: int


@dataclass(frozen=True, slots=True)
class PageLine:
    """A line of the text and what all of its words have in common."""

    start: int
    end: int
    style: Set
    in_table: bool


class Page:
    """Writes pieces: (words, Set), Break, Mark, Written tables, and lists of these."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0
        self.sections: list[Section] = []
        self.tables: list[Table] = []
        self.lines: list[PageLine] = []
        self._line_start = 0
        self._line_style: Set | None = None
        self._breaks, self._paragraph, self._space = 0, False, ""
        self._broken = False
        self._heading: tuple[int, list[str], int] | None = None
        self._table_depth = 0

    def text(self) -> str:
        """Everything written so far."""
        self._end_line()
        return "".join(self.parts)

    def write(self, pieces: list[Any]) -> None:
        """Adds the pieces, however deeply they are nested."""
        stack: list[Iterator[Any]] = [iter(pieces)]
        while stack:
            piece = next(stack[-1], None)
            if piece is None:
                stack.pop()
            elif isinstance(piece, tuple):
                self._words(*piece)
            elif isinstance(piece, Break):
                self._break(piece)
            elif isinstance(piece, Mark):
                self._mark(piece.level)
            elif isinstance(piece, Written):
                stack.append(self._table(piece))
            else:
                stack.append(iter(piece))

    def _words(self, words: str, style: Set) -> None:
        if style & Set.PRE:
            first, *others = words.split("\n")
            self._piece(first, style)
            for line in others:
                self._break(Break.LINE)
                self._piece(line, style)
        else:
            self._piece(words, style)

    def _piece(self, words: str, style: Set) -> None:
        stripped = words.strip(" \t")
        if not stripped:
            self._space = (self._space + words) if style & Set.PRE else (self._space or words[:1])
            return
        lead = words[: len(words) - len(words.lstrip(" \t"))]
        if self._broken or not self.length:
            self._settle()
            # Indentation is part of a table of fixed columns.
            gap = self._space + lead if style & Set.PRE and self.length else ""
        else:
            gap = self._space + lead if style & Set.PRE else (self._space or lead)[:1]
        self._put(gap + stripped)
        self._space = words[len(lead) + len(stripped) :]
        kept = style & ~Set.PRE
        self._line_style = kept if self._line_style is None else self._line_style & kept
        if self._heading is not None:
            level, title, start = self._heading
            if start < 0:
                start = self.length - len(stripped)
            title.append(gap + stripped)
            self._heading = (level, title, start)

    def _put(self, words: str) -> None:
        self.parts.append(words)
        self.length += len(words)

    def _break(self, kind: Break) -> None:
        self._broken = True
        self._space = ""
        self._breaks += kind == Break.LINE
        self._paragraph |= kind == Break.PARAGRAPH

    def _settle(self) -> None:
        """Ends the line before, if there is one."""
        if self.length:
            self._end_line()
            self._put("\n\n" if self._paragraph or self._breaks > 1 else "\n")
            if self._heading is not None and self._heading[2] >= 0:
                self._heading[1].append(" ")
        self._line_start = self.length
        self._broken, self._paragraph, self._breaks = False, False, 0

    def _end_line(self) -> None:
        if self._line_style is not None:
            line = PageLine(self._line_start, self.length, self._line_style, self._table_depth > 0)
            self.lines.append(line)
        self._line_style = None

    def _mark(self, level: int) -> None:
        if self._heading is not None and self._heading[2] >= 0:
            before, parts, start = self._heading
            title = " ".join("".join(parts).split())[:_LONGEST_TITLE]
            self.sections.append({"title": title, "level": before, "start": start})
        self._heading = (level, [], -1) if level else None

    def _table(self, table: Written) -> Iterator[Any]:
        """The table's pieces, noting where its lines come to stand."""
        yield Break.PARAGRAPH
        if table.caption:
            yield table.caption
            yield Break.EDGE
        above = self._above()
        starts: dict[int, tuple[int, int]] = {}
        runs = {run.first: run for run in table.runs}
        inside = {n for run in table.runs for n in range(run.first, run.last)}
        for number, line in enumerate(table.lines):
            if number in inside:
                yield Break.EDGE
                self._settle_for_row()
                begin = self.length
                self._put(line.words)
                starts[number] = (begin, self.length)
                self._line_style = Set.PLAIN
                self._table_depth += 1
                self._end_line()
                self._table_depth -= 1
            elif line.blocks:
                for block in line.blocks:
                    yield Break.EDGE
                    yield block
            else:
                yield Break.EDGE
                yield (line.words, Set.PLAIN)
            yield Break.EDGE
        for first, run in runs.items():
            spans = [starts[number] for number in range(first, run.last)]
            self.tables.append(describe(run, spans, above, captioned=bool(table.caption)))
        yield Break.PARAGRAPH

    def _settle_for_row(self) -> None:
        self._settle()
        self._space = ""

    def _above(self) -> list[str]:
        """The last lines before the table, the nearest first."""
        lines: list[str] = []
        text = "".join(self.parts[-40:])[-1_200:]
        for line in reversed(text.split("\n")):
            if _WORD.search(line):
                lines.append(" ".join(line.split()))
            if len(lines) == 3:
                break
        return lines


def describe(run: Run, spans: list[tuple[int, int]], above: list[str], *, captioned: bool) -> Table:
    """A table whose lines stand at `spans`; `above` are the lines before it, nearest first."""
    heads = run.heads
    caption, scale = heads.caption, heads.scale
    if captioned and above:
        caption = f"{above[0]} {caption}".strip()
    for line in above:
        scale = scale or (table_heads.scale_in(line) if " | " not in line else "")
    above = [line for line in above if table_heads.scale_in(line) != line.strip("() ")]
    if not caption and above and _is_caption(above[0]):
        caption = above[0]
        if len(above) > 1 and len(caption) < 100 and len(above[1]) < 100 and _is_name(above[1]):
            caption = f"{above[1]} {caption}"
    elif not caption and len(above) > 1 and scale and scale in above[0] and _is_caption(above[1]):
        caption = above[1]
    return {
        "start": spans[0][0],
        "end": spans[-1][1],
        "caption": caption,
        "heads": heads.heads,
        "scale": scale,
        "rows": spans[heads.count :],
    }


def _is_caption(line: str) -> bool:
    """Whether a line over a table names it: short, and no sentence of its own."""
    if " | " in line or len(line) > _LONGEST_CAPTION or not re.search(r"[^\W\d]{3}", line):
        return False
    if line.casefold() in ("table of contents", "index"):
        return False
    return line.endswith((":", ")")) or not line.endswith((".", ";", ","))


def _is_name(line: str) -> bool:
    """Whether a line is in capitals or in title case, as the name of a statement is."""
    words = [word for word in line.split() if len(word) > 3 and word.isalpha()]
    return _is_caption(line) and bool(words) and all(word[0].isupper() for word in words)
