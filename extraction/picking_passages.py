"""A passage of a document to try a schema on, with the spans that its tagger found there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.apps import apps

from extraction.layouts import Layout, layout_of
from extraction.ml.spans import FoundSpan
from ingestion.models import Document
from ingestion.querysets import User

LONGEST = 5_000
_SPANS = ("extraction", "ExtractedSpan")
_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


class NoPassage(Exception):
    """There is none to be shown; the message says why, the same for what may not be seen."""


@dataclass(frozen=True, slots=True)
class Passage:
    """`document.text[start:end]`, and the spans of the whole document, if any were found."""

    document: Document
    start: int
    end: int
    layout: Layout
    spans: list[FoundSpan]


def pick(user: User, address: str, page: int | None, words: str, schema_name: str) -> Passage:
    """From a document's address or id: the page, from 1, or what begins with these words.

    At most 5,000 characters. Raises NoPassage.
    """
    found = _ID.search(address)
    visible = Document.objects.visible_to(user)
    document = visible.filter(public_id=found[0]).first() if found else None
    if document is None or not document.text:
        raise NoPassage("There is no such document; paste the address of its page.")
    layout = layout_of(document)
    pages = layout.pages
    if page is not None and not 1 <= page <= len(pages):
        raise NoPassage(f"The document has pages 1 to {len(pages)}.")
    begin, end = (pages[page - 1].start, pages[page - 1].end) if page else (0, len(document.text))
    start = begin
    if words.strip():
        pattern = r"\s+".join(map(re.escape, words.split()))
        match = re.compile(pattern, re.IGNORECASE).search(document.text, begin, end)
        if match is None:
            raise NoPassage(f"“{words}” does not stand there.")
        number = layout.sentence_of(match.start())
        start = match.start() if number is None else layout.sentences[number].start
    end = min(end, start + LONGEST)
    return Passage(document, start, end, layout, found_spans(document, schema_name))


def found_spans(document: Document, schema_name: str) -> list[FoundSpan]:
    """What readers are shown of it by this schema; empty where no tagger has read it."""
    try:
        table: Any = apps.get_model(*_SPANS)
    except LookupError:
        return []
    rows = table.objects.filter(
        document=document.duplicate_of_id or document.pk,
        schema__name=schema_name,
        run__shown=True,
        superseded_at=None,
    )
    values = rows.order_by("start", "end", "label").values_list(
        "start", "end", "label", "confidence"
    )
    return [FoundSpan(*row) for row in values]
