"""What of the results readers, exports and the API are given: this file alone decides it.

A model's rows count while their run is the shown one. A person's word outranks them: a row that a
person added counts whichever run it was added to, and one that a person replaced or refused
(`superseded_at`) counts no more. `settling` writes both from what people said.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Q, QuerySet

from extraction.result_tables import ExtractedRelation, ExtractedSpan, ExtractionRun
from ingestion.models import Document

Rows = TypeVar("Rows", bound="QuerySet[Any]")


def spans(rows: Rows) -> Rows:
    """Of these rows of `ExtractedSpan` those that count."""
    counts = Q(run__shown=True) | Q(origin=ExtractedSpan.Origin.PERSON)
    return rows.filter(counts, superseded_at=None)


def relations(rows: Rows) -> Rows:
    """Of these rows of `ExtractedRelation` those that count; both ends must."""
    return rows.filter(
        run__shown=True,
        superseded_at=None,
        head__superseded_at=None,
        tail__superseded_at=None,
    )


def spans_of(document: Document, schema_id: int) -> QuerySet[ExtractedSpan]:
    """Of one document by one schema, in reading order; a longer one before those in it."""
    rows = ExtractedSpan.objects.filter(document=document.pk, schema=schema_id)
    return spans(rows).order_by("start", "-end", "label", "pk")


def relations_of(document: Document, schema_id: int) -> QuerySet[ExtractedRelation]:
    """Of one document by one schema, in the order of their heads, with both ends."""
    rows = ExtractedRelation.objects.filter(document=document.pk, schema=schema_id)
    found = relations(rows).select_related("head", "tail")
    return found.order_by("head__start", "tail__start", "pk")


def runs_of(document: Document) -> QuerySet[ExtractionRun]:
    """The shown run of each schema, with its versions, by the schema's name."""
    runs = ExtractionRun.objects.filter(document=document.pk).shown()
    return runs.select_related("schema", "schema_version", "model_version").order_by("schema__name")
