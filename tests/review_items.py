"""Documents with proposals of a tagger, for tests of the review desk."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from docintel import registry
from docintel.models import ModelVersion
from extraction.models import ExtractedSpan, ExtractionRun, Schema
from ingestion.freezing import text_digest
from ingestion.models import Document, Source
from review.models import ReviewItem

TEXT = (
    "Sales rose to 120 million in 2023. Net income was 14 million.\n"
    "Free cash flow fell to 9 million, and capital expenditure was 30 million.\n"
)


def a_document(name: str = "Report", text: str = TEXT, source: Source | None = None) -> Document:
    """A searchable document of plain text."""
    if source is None:
        source = Source.objects.get_or_create(name="Library", kind=Source.Kind.FOLDER)[0]
    now = timezone.now()
    return Document.objects.create(
        source=source, title=name, file_sha256=name, text=text, text_sha256=text_digest(text),
        pages=[0], media_type="text/plain", parsed_at=now, searchable_at=now, embedded_at=now,
    )  # fmt: skip


def a_run(document: Document, number: str = "1") -> ExtractionRun:
    """A shown run by the schema of key figures; a second one takes the first one's place."""
    schema = Schema.objects.get(name="kpis")
    tagger: ModelVersion = registry.register("tagger:kpis", number, number)
    runs = ExtractionRun.objects.filter(document=document, schema=schema)
    runs.update(shown=False, superseded_at=timezone.now())
    return ExtractionRun.objects.create(
        document=document, schema=schema, schema_version=schema.current, model_version=tagger,
        state="finished", shown=True, ended_at=timezone.now(),
    )  # fmt: skip


def a_span(
    run: ExtractionRun, words: str, label: str = "kpi", confidence: float = 0.6
) -> ExtractedSpan:
    """Where these words first stand in the document."""
    start = run.document.text.index(words)
    return run.spans.create(
        document=run.document, schema=run.schema, label=label, start=start,
        end=start + len(words), text=words, confidence=confidence,
    )  # fmt: skip


def an_item(span: ExtractedSpan, **fields: Any) -> ReviewItem:
    """The item of a span, as queueing makes it."""
    proposal = {"label": span.label, "start": span.start, "end": span.end, "text": span.text}
    return ReviewItem.objects.create(
        kind=ReviewItem.Kind.SPAN, document=span.document, schema=span.schema,
        schema_version=span.run.schema_version, model_version=span.run.model_version,
        label=span.label, start=span.start, end=span.end, text=span.text, proposal=proposal,
        confidence=span.confidence, why=ReviewItem.Why.UNSURE,
        **{"value": 1 - span.confidence, **fields},
    )  # fmt: skip
