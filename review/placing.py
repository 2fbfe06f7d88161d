"""Whether a span can lie where an expert puts it: in the text, on words, in one cell of a table."""

from __future__ import annotations

from docintel.spans import Span
from extraction.layouts import Table, tables_over
from extraction.schema import SchemaSpec
from ingestion.models import Document
from review.proposals import Proposal, a_span

# Longer than any clause; a slip of the mouse may mark a whole document.
LONGEST = 20_000


class BadPlace(Exception):
    """A span cannot lie there; the message says why, for the person who put it there."""


def place(document: Document, spec: SchemaSpec, label: str, start: int, end: int) -> Proposal:
    """The span without white space at its ends. Raises BadPlace.

    `document` with its text. A span over several cells would be no words of the document.
    """
    if label not in spec.label_names:
        raise BadPlace(f"The schema has no label “{label}”.")
    length = len(document.text)
    if not 0 <= start < end <= length:
        raise BadPlace(
            f"The boundary lies outside the passage: characters {start:,} to {end:,} of {length:,}."
        )
    words = document.text[start:end]
    start, end = start + len(words) - len(words.lstrip()), end - len(words) + len(words.rstrip())
    if start >= end:
        raise BadPlace("There are no words in it.")
    if end - start > LONGEST:
        raise BadPlace(f"It has {end - start:,} characters; at most {LONGEST:,} can be one span.")
    span = Span(start, end)
    for table in tables_over(document, span):
        _check_cells(table, span)
    return a_span(label, start, end, document.text[start:end])


def _check_cells(table: Table, span: Span) -> None:
    cells = [cell for line in table.lines for cell in line if cell.overlaps(span)]
    inside = any(cell.start <= span.start and span.end <= cell.end for cell in cells)
    if not inside and (len(cells) > 1 or not cells):
        raise BadPlace("It lies over several cells of a table; mark one of them.")
    if not inside:
        raise BadPlace("It goes over the edge of a table; mark what lies on one side of it.")
