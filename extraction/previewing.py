"""What the rules of a schema would make of a text, before the schema is saved.

Spans come from marks that a person wrote into the text, "[kpi: Sales] were [cy: 5]", or from what
the tagger found in a document.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from extraction.layouts import Layout, layout_of_text
from extraction.ml.spans import FoundSpan
from extraction.relating import incomplete, relate
from extraction.schema import SchemaSpec

_OPENING = re.compile(r"\[([^][:\n]{1,80}):[ ]?")


class BadMarks(Exception):
    """The marks in the text cannot be read; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the text and the titles and colours of the labels over it, the innermost last."""

    text: str
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def colour(self) -> str:
        return self.labels[-1][1] if self.labels else ""

    @property
    def title(self) -> str:
        return ", ".join(name for name, _ in self.labels)


@dataclass(frozen=True, slots=True)
class Row:
    """A relation in words, with what its rule went by."""

    head: Piece
    relation: str
    tail: Piece
    rule: str
    evidence: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Preview:
    """A text with its spans and what the rules make of them.

    `lacking` are spans without a relation that the schema requires of them.
    """

    pieces: list[Piece]
    rows: list[Row]
    lacking: list[Piece]
    span_count: int


def preview(
    text: str,
    spans: Sequence[FoundSpan],
    spec: SchemaSpec,
    *,
    layout: Layout | None = None,
    part: tuple[int, int] | None = None,
) -> Preview:
    """The relations between these spans; `part` is the piece of the text that is shown."""
    start, end = part or (0, len(text))
    known = [span for span in spans if span.label in spec.label_names]
    relations = relate(text, known, layout or layout_of_text(text), spec)
    names = {label.name: (label.shown, label.colour) for label in spec.labels}

    def piece(span: FoundSpan) -> Piece:
        return Piece(text[span.start : span.end], (names[span.label],))

    rows = [
        Row(
            piece(known[found.head]),
            found.relation,
            piece(known[found.tail]),
            found.rule,
            " ".join(found.evidence.text(text).split()),
            found.confidence,
        )
        for found in relations
    ]
    lacking = [piece(known[place]) for place in incomplete(known, relations, spec)]
    return Preview(_pieces(text, known, names, start, end), rows, lacking, len(known))


def read_marks(marked: str, spec: SchemaSpec) -> tuple[str, list[FoundSpan]]:
    """The text without its marks and the spans that they mark, which may be nested.

    A label is called by name or title, in any case. Other brackets stay as they are. Raises
    BadMarks.
    """
    labels = {label.title.casefold(): label.name for label in spec.labels if label.title}
    labels |= {label.name.casefold(): label.name for label in spec.labels}
    text: list[str] = []
    length = at = 0
    waiting: list[tuple[str, int] | None] = []
    spans: list[FoundSpan] = []
    while at < len(marked):
        character = marked[at]
        opening = _OPENING.match(marked, at) if character == "[" else None
        label = labels.get(opening[1].strip().casefold()) if opening else None
        if opening and label:
            waiting.append((label, length))
            at = opening.end()
            continue
        if character == "[":
            waiting.append(None)
        if character == "]" and waiting:
            begun = waiting.pop()
            if begun:
                if begun[1] == length:
                    raise BadMarks(f"Nothing is marked by “[{begun[0]}:]”.")
                spans.append(FoundSpan(begun[1], length, begun[0], 1.0))
                at += 1
                continue
        text.append(character)
        length += 1
        at += 1
    left = [begun[0] for begun in waiting if begun]
    if left:
        raise BadMarks(f"A mark of “{left[0]}” is not closed: write ] after it.")
    return "".join(text), sorted(spans)


def write_marks(text: str, spans: Iterable[FoundSpan], start: int, end: int) -> str:
    """A piece of a text with its spans as marks; spans that cross another's end are left out."""
    open_ends: list[int] = []
    parts: list[str] = []
    at = start
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if span.start < start or span.end > end:
            continue
        while open_ends and open_ends[-1] <= span.start:
            parts.append(f"{text[at : open_ends[-1]]}]")
            at = open_ends.pop()
        if open_ends and span.end > open_ends[-1]:
            continue
        parts.append(f"{text[at : span.start]}[{span.label}: ")
        at = span.start
        open_ends.append(span.end)
    while open_ends:
        parts.append(f"{text[at : open_ends[-1]]}]")
        at = open_ends.pop()
    return "".join([*parts, text[at:end]])


def _pieces(
    text: str,
    spans: Sequence[FoundSpan],
    names: Mapping[str, tuple[str, str]],
    start: int,
    end: int,
) -> list[Piece]:
    inside = sorted(
        (span for span in spans if span.start < end and span.end > start),
        key=lambda span: (span.start, -span.end),
    )
    cuts = sorted(
        {start, end}
        | {min(max(edge, start), end) for span in inside for edge in (span.start, span.end)}
    )
    over: list[list[tuple[str, str]]] = [[] for _ in cuts]
    for span in inside:
        first, last = bisect_left(cuts, max(span.start, start)), bisect_left(cuts, span.end)
        for place in range(first, last):
            over[place].append(names[span.label])
    return [
        Piece(text[left:right], tuple(over[place]))
        for place, (left, right) in enumerate(pairwise(cuts))
    ]
