"""Cut a frozen text into windows and blocks to read, without loading the whole of it.

The blocks of a window, joined, are that part of the text, character for character; only the ends
of a PDF's printed lines have become spaces.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models.functions import Length, Substr

from ingestion.models import Document

# Characters of one window; it ends earlier, at the start of a page or section, where it can.
WINDOW = 16_000
# A window that can end at neither looks this far for the end of a line.
SLACK = 600
LONGEST_HEADING = 300
# The end of a printed line, not of a paragraph: the line is long and ends within a sentence.
SOFT_BREAK = re.compile(r"(?<=[^\n]{50}[a-z,;\-’'])\n(?=[^\n])")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text; `tone` is "" or "passage" or "focus", the part that answers."""

    text: str
    tone: str = ""
    first: bool = False


@dataclass(slots=True)
class Block:
    """What stands between two starts of pages or sections; a heading is a block of its own."""

    start: int
    pieces: list[Piece]
    page: int | None = None
    heading_level: int | None = None
    section: int | None = None


@dataclass(slots=True)
class Window:
    """`text[start:end]` in blocks; `previous` and `next` are the starts of the neighbours."""

    start: int
    end: int
    blocks: list[Block] = field(default_factory=list)
    previous: int | None = None
    next: int | None = None


@dataclass(frozen=True, slots=True)
class Highlight:
    """The passage to highlight, and within it the part that answers; offsets into the text."""

    start: int
    end: int
    focus_start: int
    focus_end: int

    @property
    def query(self) -> str:
        """For the address of a fragment that shows the same."""
        return f"start={self.start}&end={self.end}&from={self.focus_start}&to={self.focus_end}"

    def within(self, start: int, end: int) -> list[tuple[int, int, str]]:
        """The parts in `text[start:end]` as (start, end, tone), in order, none of them empty."""
        parts = [
            (self.start, self.focus_start, "passage"),
            (self.focus_start, self.focus_end, "focus"),
            (self.focus_end, self.end, "passage"),
        ]
        cut = [(max(a, start), min(b, end), tone) for a, b, tone in parts]
        return [part for part in cut if part[0] < part[1]]


def highlight(start: str, end: str, focus_start: str = "", focus_end: str = "") -> Highlight | None:
    """From the values of an address; None where they are no span."""
    span = _span(start, end)
    if span is None:
        return None
    focus = _span(focus_start, focus_end) or span
    first, last = max(focus[0], span[0]), min(focus[1], span[1])
    return Highlight(*span, *((first, last) if first < last else span))


def _span(start: str, end: str) -> tuple[int, int] | None:
    first, last = offset(start), offset(end)
    return None if first is None or last is None or first >= last else (first, last)


def offset(value: str) -> int | None:
    """A number of an address; None where it is none, or beyond any text."""
    return int(value) if value.isascii() and value.isdecimal() and len(value) <= 9 else None


def window(document: Document, at: int, mark: Highlight | None = None) -> Window:
    """The window that holds the character `at`; the last one where the text ends before."""
    row = Document.objects.filter(pk=document.pk)
    length = row.annotate(length=Length("text")).values_list("length", flat=True).get()
    natural = _natural(document)
    edges = edges_of(length, natural)
    index = max(0, bisect_right(edges, min(at, max(length - 1, 0))) - 1)
    start, end = edges[index], edges[index + 1] if index + 1 < len(edges) else length
    part = row.annotate(part=Substr("text", start + 1, end + SLACK - start))
    text = part.values_list("part", flat=True).get()
    first = start if start in natural or start == 0 else start + _to_line(text, 0)
    last = end if end in natural or end == length else end + _to_line(text, end - start)
    found = Window(first, last, next=end if end < length else None)
    found.previous = edges[index - 1] if index else None
    found.blocks = _blocks(text[first - start : last - start], first, document, mark)
    return found


def edges_of(length: int, natural: Sequence[int]) -> list[int]:
    """Where windows start: at most WINDOW apart, at starts of pages or sections where possible."""
    edges = [0]
    while length - edges[-1] > WINDOW:
        latest = bisect_right(natural, edges[-1] + WINDOW) - 1
        fits = latest >= 0 and natural[latest] > edges[-1]
        edges.append(natural[latest] if fits else edges[-1] + WINDOW)
    return edges


def _natural(document: Document) -> list[int]:
    return sorted({*document.pages, *(section["start"] for section in document.sections)})


def _to_line(text: str, at: int) -> int:
    """How far it is from `at` to the start of the next line, 0 if none is near."""
    found = text.find("\n", at, at + SLACK)
    return 0 if found < 0 else found + 1 - at


def _blocks(text: str, start: int, document: Document, mark: Highlight | None) -> list[Block]:
    end = start + len(text)
    shown = SOFT_BREAK.sub(" ", text) if document.is_pdf else text
    sections = document.sections
    starts = [section["start"] for section in sections]
    cuts = {start: Block(start, [])}
    first = bisect_left(document.pages, start)
    for number, page in enumerate(document.pages[first:], start=first + 1):
        if page >= end:
            break
        cuts.setdefault(page, Block(page, [])).page = number
    index = bisect_left(starts, start)
    while index < len(starts) and starts[index] < end:
        at = starts[index]
        block = cuts.setdefault(at, Block(at, []))
        block.section = at
        title_end = _heading_end(text, at - start, sections[index]["title"])
        if title_end:
            block.heading_level = min(max(int(sections[index].get("level") or 1), 1), 3)
            if start + title_end < end:
                cuts.setdefault(start + title_end, Block(start + title_end, []))
        index += 1
    ordered = [cuts[at] for at in sorted(cuts)]
    for block, after in zip(ordered, [*ordered[1:], None], strict=True):
        stop = after.start if after else end
        block.pieces = pieces(shown[block.start - start : stop - start], block.start, mark)
    return ordered


def _heading_end(text: str, at: int, title: str) -> int:
    """Where the section's own line ends, if the text has it at its start; else 0."""
    line_end = text.find("\n", at, at + LONGEST_HEADING)
    line = text[at : line_end if line_end >= 0 else at + LONGEST_HEADING]
    same = bool(title) and " ".join(line.split()) == " ".join(title.split())
    return (line_end + 1 if line_end >= 0 else at + len(line)) if same else 0


def pieces(text: str, start: int, mark: Highlight | None) -> list[Piece]:
    """The text in runs of one tone; the one where the passage begins is `first`."""
    if mark is None:
        return [Piece(text)]
    found, at = [], start
    for first, last, tone in mark.within(start, start + len(text)):
        if at < first:
            found.append(Piece(text[at - start : first - start]))
        begins = first == mark.focus_start
        found.append(Piece(text[first - start : last - start], tone, begins))
        at = last
    if at < start + len(text):
        found.append(Piece(text[at - start :]))
    return found
