"""What the API says of extracted spans, relations and runs; documents are named as known.

Rows must come with `known`: the document of each as the caller knows it, in the context.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from extraction.bulk_items import Progress, progress
from extraction.choosing import Chosen
from extraction.result_tables import BulkRun, ExtractedRelation, ExtractedSpan, ExtractionRun
from extraction.schema_tables import Schema
from ingestion.models import Document
from ingestion.scope_fields import Scoped


class OfDocument(serializers.ModelSerializer[Document]):
    """The document of a row."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    url = serializers.HyperlinkedIdentityField(
        view_name="ingestion_api:document", lookup_field="public_id"
    )
    company = serializers.CharField(source="company.name", default=None, read_only=True)
    ticker = serializers.CharField(source="company.ticker", default=None, read_only=True)

    class Meta:
        model = Document
        fields = ("id", "url", "title", "kind", "company", "ticker", "period", "published_on")
        read_only_fields = fields


class _Result(serializers.ModelSerializer[Any]):
    """What spans, relations and runs have in common."""

    document = serializers.SerializerMethodField()
    schema = serializers.CharField(source="schema.name", read_only=True)

    @extend_schema_field(OfDocument)
    def get_document(self, row: Any) -> dict[str, Any]:
        known = self.context["known"][row.document_id]
        said: dict[str, Any] = OfDocument(known, context=self.context).data
        return said


class _OfRun(_Result):
    """A row of a run, which names its versions."""

    schema_version = serializers.IntegerField(source="run.schema_version.number", read_only=True)
    tagger = serializers.CharField(source="run.model_version.version", read_only=True)


class SpanLine(_OfRun):
    """`text` is exactly the document's `text[start:end]`."""

    class Meta:
        model = ExtractedSpan
        fields = (
            *("id", "document", "schema", "label", "text", "start", "end", "page", "confidence"),
            *("origin", "run", "schema_version", "tagger"),
        )
        read_only_fields = fields


class EndOfRelation(serializers.ModelSerializer[ExtractedSpan]):
    class Meta:
        model = ExtractedSpan
        fields = ("id", "label", "text", "start", "end", "page")
        read_only_fields = fields


class Evidence(serializers.Serializer[Any]):
    """Where a relation can be read; `text` has the first words where that is long."""

    start = serializers.IntegerField(source="evidence_start")
    end = serializers.IntegerField(source="evidence_end")
    text = serializers.CharField(source="evidence")


class RelationLine(_OfRun):
    """Two spans that belong together, by which rule, and where that can be read."""

    head = EndOfRelation(read_only=True)
    tail = EndOfRelation(read_only=True)
    evidence = Evidence(source="*", read_only=True)

    class Meta:
        model = ExtractedRelation
        fields = (
            *("id", "document", "schema", "relation", "head", "tail", "rule", "evidence"),
            *("confidence", "run", "schema_version", "tagger"),
        )
        read_only_fields = fields


class RunLine(_Result):
    """One document through one schema; `shown` says whether its results are those given out."""

    schema_version = serializers.IntegerField(source="schema_version.number", read_only=True)
    tagger = serializers.CharField(source="model_version.version", read_only=True)

    class Meta:
        model = ExtractionRun
        fields = (
            *("id", "document", "schema", "schema_version", "tagger", "state", "shown"),
            *("span_count", "relation_count", "characters", "seconds", "attempts"),
            *("failed_reason", "notes", "created_at", "ended_at"),
        )
        read_only_fields = fields


class ProgressLine(serializers.Serializer[Progress]):
    """`seconds` are those of workers, `active_seconds` go by the clock; dollars as configured."""

    total = serializers.IntegerField()
    done = serializers.IntegerField(help_text="read now")
    known = serializers.IntegerField(help_text="read before, by the same versions")
    failed = serializers.IntegerField()
    left = serializers.IntegerField()
    percent = serializers.IntegerField()
    seconds = serializers.FloatField()
    seconds_each = serializers.FloatField(allow_null=True)
    active_seconds = serializers.FloatField()
    dollars = serializers.DecimalField(max_digits=None, decimal_places=6)
    dollars_each = serializers.DecimalField(max_digits=None, decimal_places=6, allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True, help_text="estimated")


class BulkRunLine(serializers.ModelSerializer[BulkRun]):
    """A bulk run of one's own, and how far it is."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    url = serializers.HyperlinkedIdentityField(
        view_name="extraction_api:bulk_run", lookup_field="public_id"
    )
    schema = serializers.CharField(source="schema.name", read_only=True)
    progress = serializers.SerializerMethodField()

    class Meta:
        model = BulkRun
        fields = (
            *("id", "url", "schema", "described", "state", "error", "again", "created_at"),
            *("finished_at", "progress"),
        )
        read_only_fields = fields

    @extend_schema_field(ProgressLine)
    def get_progress(self, row: BulkRun) -> dict[str, Any]:
        said: dict[str, Any] = ProgressLine(progress(row)).data
        return said


class BulkRunStart(Scoped):
    """A schema and a scope; what is left out confines nothing, an unknown field is an error."""

    schema = serializers.SlugRelatedField(
        slug_field="name", queryset=Schema.objects.filter(version__gt=0)
    )
    folder = serializers.CharField(
        max_length=400, required=False, help_text="within the sources, as in reports/2024"
    )
    again = serializers.BooleanField(
        default=False, help_text="also documents read by these versions already"
    )

    def chosen(self, request: Any) -> Chosen:
        """What it is confined to. Raises ValidationError by field."""
        return Chosen(self.scope(request), self.validated_data.get("folder", "").strip("/"))


class BulkRunChange(serializers.Serializer[Any]):
    action = serializers.ChoiceField(choices=["pause", "resume", "cancel"])
