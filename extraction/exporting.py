"""Rows of extracted spans and relations for taking away, in constant memory however many.

Documents appear as the person knows them, and those that the person may not see not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import QuerySet

from extraction import shown
from extraction.result_tables import (
    BulkRun,
    ExtractedRelation,
    ExtractedSpan,
    ExtractionRun,
    RunQuerySet,
)
from extraction.schema_tables import Schema
from ingestion.models import Document
from ingestion.querysets import DocumentQuerySet, User
from ingestion.sightings import standing_for

RUNS_AT_ONCE = 40
SPANS, RELATIONS = "spans", "relations"
OF_DOCUMENT = ("document", "title", "company", "ticker", "kind", "period", "published_on")
OF_VERSIONS = ("schema", "schema_version", "tagger")
COLUMNS: dict[str, tuple[str, ...]] = {
    SPANS: (
        *OF_DOCUMENT, "label", "text", "start", "end", "page", "confidence", "origin",
        *OF_VERSIONS,
    ),
    RELATIONS: (
        *OF_DOCUMENT, "relation",
        "head_label", "head_text", "head_start", "head_end",
        "tail_label", "tail_text", "tail_start", "tail_end",
        "rule", "confidence", "evidence", "evidence_start", "evidence_end", *OF_VERSIONS,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is exported: shown runs, for whom, and of their rows which."""

    runs: RunQuerySet
    user: User
    labels: tuple[str, ...] = ()
    min_confidence: float = 0.0


def of_documents(documents: DocumentQuerySet, schema: Schema | None, user: User) -> Wanted:
    """The results of these documents, by one schema or by all."""
    runs = ExtractionRun.objects.shown().filter(document__in=documents.order_by().values("pk"))
    return Wanted(runs.filter(schema=schema) if schema else runs, user)


def of_bulk(bulk: BulkRun, user: User) -> Wanted:
    """The results, as they are now, of the documents of a bulk run."""
    inside = bulk.items.order_by().values("document")
    runs = ExtractionRun.objects.shown().filter(schema=bulk.schema_id, document__in=inside)
    return Wanted(runs, user)


def rows(wanted: Wanted, what: str) -> Iterator[dict[str, Any]]:
    """Spans or relations with the COLUMNS of `what`, document by document, in reading order."""
    for runs, known in _batches(wanted):
        read = _spans if what == SPANS else _relations
        for document, group in read(runs, wanted):
            if document not in known:
                continue
            said = _of_document(known[document])
            for row in group:
                yield {**said, **row}


def _batches(wanted: Wanted) -> Iterator[tuple[list[ExtractionRun], dict[int, Document]]]:
    """Runs in the order of their ids, each batch a query of its own: no cursor is held open."""
    after = 0
    runs = wanted.runs.select_related("schema", "schema_version", "model_version").order_by("pk")
    while True:
        batch = list(runs.filter(pk__gt=after)[:RUNS_AT_ONCE])
        if not batch:
            return
        after = batch[-1].pk
        yield batch, standing_for({run.document_id for run in batch}, wanted.user)


def _spans(
    runs: list[ExtractionRun], wanted: Wanted
) -> Iterator[tuple[int, Iterator[dict[str, Any]]]]:
    for run in runs:
        found = shown.spans(
            ExtractedSpan.objects.filter(document=run.document_id, schema=run.schema_id)
        ).filter(confidence__gte=wanted.min_confidence)
        found = found.filter(label__in=wanted.labels) if wanted.labels else found
        yield run.document_id, _span_rows(run, found.order_by("start", "-end", "pk"))


def _span_rows(run: ExtractionRun, found: QuerySet[ExtractedSpan]) -> Iterator[dict[str, Any]]:
    for span in found.iterator(1_000):
        yield {
            "label": span.label,
            "text": span.text,
            "start": span.start,
            "end": span.end,
            "page": span.page,
            "confidence": round(span.confidence, 4),
            "origin": span.origin,
            **_versions(run),
        }


def _relations(
    runs: list[ExtractionRun], wanted: Wanted
) -> Iterator[tuple[int, Iterator[dict[str, Any]]]]:
    for run in runs:
        found = shown.relations(
            ExtractedRelation.objects.filter(document=run.document_id, schema=run.schema_id)
        ).filter(confidence__gte=wanted.min_confidence)
        found = found.filter(relation__in=wanted.labels) if wanted.labels else found
        found = found.select_related("head", "tail").order_by("head__start", "tail__start", "pk")
        yield run.document_id, _relation_rows(run, found)


def _relation_rows(
    run: ExtractionRun, found: QuerySet[ExtractedRelation]
) -> Iterator[dict[str, Any]]:
    for one in found.iterator(1_000):
        ends = {
            f"{side}_{name}": getattr(span, name)
            for side, span in (("head", one.head), ("tail", one.tail))
            for name in ("label", "text", "start", "end")
        }
        yield {
            "relation": one.relation,
            **ends,
            "rule": one.rule,
            "confidence": round(one.confidence, 4),
            "evidence": one.evidence,
            "evidence_start": one.evidence_start,
            "evidence_end": one.evidence_end,
            **_versions(run),
        }


def _of_document(document: Document) -> dict[str, Any]:
    company = document.company
    return {
        "document": str(document.public_id),
        "title": str(document),
        "company": company.name if company else "",
        "ticker": company.ticker if company else "",
        "kind": document.kind,
        "period": document.period,
        "published_on": document.published_on.isoformat() if document.published_on else "",
    }


def _versions(run: ExtractionRun) -> dict[str, Any]:
    return {
        "schema": run.schema.name,
        "schema_version": run.schema_version.number,
        "tagger": run.model_version.version,
    }


def in_chunks(lines: Iterator[bytes], size: int = 200) -> Iterator[bytes]:
    """The same bytes in fewer, larger pieces."""
    while chunk := b"".join(islice(lines, size)):
        yield chunk
