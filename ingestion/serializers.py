"""What the API says of documents and takes for them; ids are `public_id`, never row ids.

Rows must come from `sightings.arrivals`, whose annotations these serializers show.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import RegexValidator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from ingestion.models import DESCRIBED, FISCAL_YEARS, Document
from ingestion.sightings import STATES

FINISHED = frozenset(STATES) - {"received", "parsed", "searchable"}
# What the push itself says of the document; the rest goes to the verb as arguments.
DESCRIBES = (*DESCRIBED, "company")


class ShownTopic(serializers.Serializer[Any]):
    """A topic that the document is likely about."""

    key = serializers.CharField(source="topic_id")
    name = serializers.CharField(source="topic.name")
    probability = serializers.SerializerMethodField()

    def get_probability(self, row: Any) -> float:
        return round(row.probability, 3)


class DocumentLine(serializers.ModelSerializer[Document]):
    """A document in a list: no text, no sections. Rows must come from `with_topics`, too."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    url = serializers.HyperlinkedIdentityField(
        view_name="ingestion_api:document", lookup_field="public_id"
    )
    status_url = serializers.HyperlinkedIdentityField(
        view_name="ingestion_api:status", lookup_field="public_id"
    )
    company = serializers.CharField(source="company.name", default=None, read_only=True)
    ticker = serializers.CharField(source="company.ticker", default=None, read_only=True)
    source = serializers.CharField(  # type: ignore[assignment]
        source="source.name", read_only=True
    )
    state = serializers.ChoiceField(
        source="shown_state", choices=list(STATES.items()), read_only=True
    )
    searchable_at = serializers.DateTimeField(source="shown_searchable_at", read_only=True)
    embedded_at = serializers.DateTimeField(source="shown_embedded_at", read_only=True)
    topics = ShownTopic(source="shown_topics", many=True, read_only=True)

    class Meta:
        model = Document
        fields: tuple[str, ...] = (
            *("id", "url", "status_url", "title", "kind", "company", "ticker", "fiscal_year"),
            *("fiscal_quarter", "period", "published_on", "source", "external_id", "file_name"),
            *("file_size", "media_type", "state", "received_at", "searchable_at", "embedded_at"),
            "topics",
        )
        read_only_fields = fields


class Sighting(serializers.ModelSerializer[Document]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    source = serializers.CharField(  # type: ignore[assignment]
        source="source.name", read_only=True
    )

    class Meta:
        model = Document
        fields = ("id", "source", "received_at")
        read_only_fields = fields


@extend_schema_field(OpenApiTypes.ANY)
class FromBody(serializers.Field[Any, Any, Any, Any]):
    """A field of the row `body` in the context, instead of the row that is shown."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, source="*", **options)

    def to_representation(self, _: Any) -> Any:
        return getattr(self.context["body"], str(self.field_name))


class DocumentDetail(DocumentLine):
    """One document; `text` is there only when asked for by `?include=text`."""

    file_url = serializers.HyperlinkedIdentityField(
        view_name="ingestion:file", lookup_field="public_id"
    )
    duplicate_of = serializers.SerializerMethodField(
        help_text="the document that stands for this text, where you may see it"
    )
    other_sightings = serializers.SerializerMethodField()
    chunks = serializers.IntegerField(source="shown_chunks", read_only=True)
    supersedes = serializers.SerializerMethodField(help_text="the earlier revision it replaced")
    superseded_by = serializers.SerializerMethodField(help_text="the revision in its place")
    near_duplicate_of = serializers.SerializerMethodField(
        help_text="the document that search shows for this one, nearly the same"
    )
    # Of the document that stands for this text: they hold for every arrival of it.
    sections = FromBody(help_text='[{"title": …, "level": 1, "start": offset into the text}, …]')
    pages = FromBody(help_text="start offset of each page")
    language = FromBody(help_text="ISO 639 of the text; empty: not recognised")
    text = FromBody(help_text="only with ?include=text")

    class Meta(DocumentLine.Meta):
        fields = (
            *DocumentLine.Meta.fields,
            *("file_url", "duplicate_of", "other_sightings", "chunks", "notes", "provenance"),
            *("supersedes", "superseded_by", "superseded_at", "withdrawn_at"),
            *("near_duplicate_of", "similarity", "language", "pages", "sections", "text"),
        )
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.UUID)
    def get_duplicate_of(self, _: Document) -> str | None:
        return self.context["original_id"]

    @extend_schema_field(OpenApiTypes.UUID)
    def get_supersedes(self, _: Document) -> str | None:
        return _id_of(self.context["history"].earlier)

    @extend_schema_field(OpenApiTypes.UUID)
    def get_superseded_by(self, _: Document) -> str | None:
        return _id_of(self.context["history"].later)

    @extend_schema_field(OpenApiTypes.UUID)
    def get_near_duplicate_of(self, _: Document) -> str | None:
        return _id_of(self.context["history"].stands_in)

    @extend_schema_field(Sighting(many=True))
    def get_other_sightings(self, _: Document) -> Any:
        return Sighting(self.context["sightings"], many=True).data

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        if not self.context.get("with_text", True):
            del fields["text"]
        return fields


def _id_of(document: Any) -> str | None:
    return None if document is None else str(document.public_id)


class Progress(serializers.Serializer[Any]):
    chunks = serializers.IntegerField()
    chunks_embedded = serializers.IntegerField()


class DocumentStatus(serializers.ModelSerializer[Document]):
    """How far a document has come, and why it did not come further."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    url = serializers.HyperlinkedIdentityField(
        view_name="ingestion_api:document", lookup_field="public_id"
    )
    state = serializers.ChoiceField(
        source="shown_state", choices=list(STATES.items()), read_only=True
    )
    finished = serializers.SerializerMethodField(help_text="nothing more will happen by itself")
    stage = serializers.CharField(source="failed_stage", help_text="that failed last")
    reason = serializers.CharField(source="failed_reason", help_text="why it failed")
    searchable_at = serializers.DateTimeField(source="shown_searchable_at", read_only=True)
    embedded_at = serializers.DateTimeField(source="shown_embedded_at", read_only=True)
    duplicate_of = serializers.SerializerMethodField()
    progress = serializers.SerializerMethodField()

    class Meta:
        model = Document
        fields = (
            *("id", "url", "state", "finished", "stage", "reason", "attempts", "retry_after"),
            *("received_at", "parsed_at", "searchable_at", "embedded_at", "quarantined_at"),
            *("duplicate_of", "progress"),
        )
        read_only_fields = fields

    def get_finished(self, document: Any) -> bool:
        return document.shown_state in FINISHED

    @extend_schema_field(OpenApiTypes.UUID)
    def get_duplicate_of(self, _: Document) -> str | None:
        return self.context["original_id"]

    @extend_schema_field(Progress)
    def get_progress(self, _: Document) -> dict[str, int]:
        return self.context["progress"]


class Description(serializers.Serializer[Any]):
    """What a sender may say of a document; it outranks what the file says of itself."""

    kind = serializers.ChoiceField(choices=Document.Kind.choices, required=False)
    company = serializers.CharField(max_length=200, required=False)
    fiscal_year = serializers.IntegerField(
        min_value=FISCAL_YEARS[0], max_value=FISCAL_YEARS[1], required=False, allow_null=True
    )
    fiscal_quarter = serializers.IntegerField(
        min_value=1, max_value=4, required=False, allow_null=True
    )
    published_on = serializers.DateField(required=False, allow_null=True)
    title = serializers.CharField(max_length=500, required=False)
    external_id = serializers.CharField(
        max_length=500,
        required=False,
        default="",
        validators=[RegexValidator(r"\A[^\x00-\x1f\x7f-\x9f]*\Z", "No control characters.")],
        help_text="your own id; a repeated push of the same source and id changes nothing",
    )
    source = serializers.CharField(  # type: ignore[assignment]
        max_length=120, required=False, default=""
    )

    def validate(self, attributes: dict[str, Any]) -> dict[str, Any]:
        if attributes.get("fiscal_quarter") and not attributes.get("fiscal_year"):
            raise serializers.ValidationError(
                {"fiscal_year": ["A fiscal quarter needs its fiscal year."]}
            )
        return attributes

    def described(self) -> dict[str, object]:
        """Only what was said, as plain values."""
        said = {name: self.validated_data.get(name) for name in DESCRIBES}
        return {name: value for name, value in said.items() if value not in (None, "")}


class TextPush(Description):
    """A document pushed as text; the text is kept exactly as sent."""

    title = serializers.CharField(max_length=500)
    text = serializers.CharField(
        trim_whitespace=False, max_length=settings.MAX_TEXT_CHARACTERS, write_only=True
    )
    file_name = serializers.CharField(
        max_length=200,
        required=False,
        default="",
        validators=[RegexValidator(r"\.(txt|md|html?)\Z", "A name in .txt, .md or .html.")],
    )


class Accepted(serializers.Serializer[Any]):
    """The answer to a push; follow `status_url`."""

    id = serializers.UUIDField()
    created = serializers.BooleanField(help_text="false: this push had arrived before")
    url = serializers.URLField()
    status_url = serializers.URLField()


class UploadResult(serializers.Serializer[Any]):
    """What became of one file of an upload."""

    file_name = serializers.CharField()
    accepted = serializers.BooleanField()
    errors = serializers.DictField(  # type: ignore[assignment]
        required=False, help_text="field: reasons, where refused"
    )
    document = Accepted(required=False)


class Upload(Description):
    """One file or many under the field `file`; the other fields hold for all of them."""

    file = serializers.ListField(
        child=serializers.FileField(),
        min_length=1,
        max_length=settings.DATA_UPLOAD_MAX_NUMBER_FILES,
    )


class UploadResults(serializers.Serializer[Any]):
    accepted = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = UploadResult(many=True)


def accepted(document: Document, *, created: bool, request: Any) -> dict[str, Any]:
    """The body of an answer to a push."""
    links = {
        name: reverse(f"ingestion_api:{route}", args=[document.public_id], request=request)
        for name, route in (("url", "document"), ("status_url", "status"))
    }
    return {"id": document.public_id, "created": created, **links}
