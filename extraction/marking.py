"""Lay spans over a window of text as it is shown: runs of one colour, however spans overlap.

The pieces of a block, joined, are the block's text, character for character.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from docintel.models import ModelVersion
from extraction.delivering import deliver_at
from extraction.result_tables import ExtractedSpan
from extraction.schema import Label, SchemaSpec
from ingestion.reading import Block, Piece, Window

# More spans over one character than this are not told apart by eye.
MOST_LAYERS = 6


@dataclass(frozen=True, slots=True)
class Mark:
    """A span over some text: what it is in words, and the number of its label's colour."""

    pk: int
    start: int
    end: int
    colour: int
    label: str
    confidence: float
    sure: bool
    by: str

    @property
    def said(self) -> str:
        """What a person is told of it: label, confidence and who says so."""
        doubt = "" if self.sure else ", to be reviewed"
        return f"{self.label}, {self.confidence:.0%}{doubt} ({self.by})"


@dataclass(frozen=True, slots=True)
class MarkedPiece:
    """A run of text under the same spans, the outermost first.

    `begins` are those that begin here: only there can the keyboard reach them.
    """

    text: str
    tone: str = ""
    first: bool = False
    marks: tuple[Mark, ...] = ()
    begins: tuple[Mark, ...] = ()

    @property
    def top(self) -> Mark | None:
        """The innermost: its colour is the background."""
        return self.marks[-1] if self.marks else None

    @property
    def under(self) -> Mark | None:
        """The one around it: its colour is the line below."""
        return self.marks[-2] if len(self.marks) > 1 else None

    @property
    def said(self) -> str:
        return "\n".join(mark.said for mark in reversed(self.marks))


@dataclass(slots=True)
class MarkedBlock:
    """A block of the window with its pieces cut where spans begin and end."""

    start: int
    page: int | None
    heading_level: int | None
    section: int | None
    pieces: list[MarkedPiece] = field(default_factory=list)


def colours(spec: SchemaSpec) -> dict[str, int]:
    """Label -> the number under which the style sheet has its colour."""
    return {label.name: number for number, label in enumerate(spec.labels)}


def marks(spans: Sequence[ExtractedSpan], spec: SchemaSpec, version: ModelVersion) -> list[Mark]:
    """These spans as they are said and coloured; the longer first where two begin together."""
    numbers = colours(spec)
    labels: Mapping[str, Label] = {label.name: label for label in spec.labels}
    found = []
    for span in spans:
        label = labels.get(span.label)
        sure = span.confidence >= deliver_at(spec, version, span.label)
        person = span.origin == ExtractedSpan.Origin.PERSON
        found.append(
            Mark(
                span.pk,
                span.start,
                span.end,
                numbers.get(span.label, len(numbers)),
                label.shown if label else span.label,
                span.confidence,
                person or label is None or sure,
                "a person" if person else str(version),
            )
        )
    return sorted(found, key=lambda mark: (mark.start, -mark.end, mark.pk))


def marked(window: Window, over: Sequence[Mark]) -> list[MarkedBlock]:
    """The blocks of the window under these spans."""
    return [
        MarkedBlock(
            block.start, block.page, block.heading_level, block.section, list(_pieces(block, over))
        )
        for block in window.blocks
    ]


def _pieces(block: Block, over: Sequence[Mark]) -> Iterator[MarkedPiece]:
    at = block.start
    for piece in block.pieces:
        end = at + len(piece.text)
        here = [mark for mark in over if mark.start < end and at < mark.end]
        yield from _cut(piece, at, here)
        at = end


def _cut(piece: Piece, start: int, over: Sequence[Mark]) -> Iterator[MarkedPiece]:
    end = start + len(piece.text)
    edges = {start, end}
    for mark in over:
        edges |= {edge for edge in (mark.start, mark.end) if start < edge < end}
    ordered = sorted(edges)
    first = piece.first
    for left, right in pairwise(ordered):
        here = [mark for mark in over if mark.start < right and left < mark.end]
        # The shorter lies inside.
        here.sort(key=lambda mark: (mark.start - mark.end, mark.start, mark.pk))
        shown = tuple(here[-MOST_LAYERS:])
        begins = tuple(mark for mark in shown if mark.start == left)
        yield MarkedPiece(
            piece.text[left - start : right - start], piece.tone, first, shown, begins
        )
        first = False
