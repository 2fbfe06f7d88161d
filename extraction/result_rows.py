"""Rows of results, not yet stored, from what was found in a document's text."""

from __future__ import annotations

from collections.abc import Sequence

from extraction.ml.spans import FoundSpan
from extraction.relating import FoundRelation
from extraction.result_tables import (
    LONGEST_EVIDENCE,
    ExtractedRelation,
    ExtractedSpan,
    ExtractionRun,
)
from ingestion.models import Document

ROWS_AT_ONCE = 1_000


class BadResult(Exception):
    """What the tagger or the rules gave does not fit the text; the message says where."""


def span_row(run: ExtractionRun, document: Document, span: FoundSpan) -> ExtractedSpan:
    """A model's; set `origin` for a person's."""
    return ExtractedSpan(
        run=run,
        document=document,
        schema_id=run.schema_id,
        label=span.label,
        start=span.start,
        end=span.end,
        text=document.text[span.start : span.end],
        page=document.page_of(span.start) if document.is_pdf else None,
        confidence=span.confidence,
    )


def relation_row(
    run: ExtractionRun, document: Document, one: FoundRelation, spans: Sequence[ExtractedSpan]
) -> ExtractedRelation:
    """Between stored spans, by their places. Raises BadResult where there is no such place."""
    if not (0 <= one.head < len(spans) and 0 <= one.tail < len(spans)):
        raise BadResult(f"The rule {one.rule} related spans that there are not.")
    return ExtractedRelation(
        run=run,
        document=document,
        schema_id=run.schema_id,
        relation=one.relation,
        head=spans[one.head],
        tail=spans[one.tail],
        rule=one.rule,
        evidence_start=one.evidence.start,
        evidence_end=one.evidence.end,
        evidence=document.text[one.evidence.start : one.evidence.end][:LONGEST_EVIDENCE],
        confidence=one.confidence,
    )
