"""What the API says of a search; see `qa.retrieval` for how it ranks."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.reverse import reverse

from ingestion.models import Document
from qa.retrieval import Passage


class FoundDocument(serializers.ModelSerializer[Document]):
    """The document of a passage, as far as it is needed to cite it."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    url = serializers.HyperlinkedIdentityField(
        view_name="ingestion_api:document", lookup_field="public_id"
    )
    company = serializers.CharField(source="company.name", default=None, read_only=True)
    source = serializers.CharField(  # type: ignore[assignment]
        source="source.name", read_only=True
    )

    class Meta:
        model = Document
        fields = ("id", "url", "title", "kind", "company", "period", "published_on", "source")
        read_only_fields = fields


class Half(serializers.Serializer[Any]):
    """One retriever's opinion; both are null where it did not find the passage."""

    rank = serializers.IntegerField(allow_null=True, help_text="from 1")
    score = serializers.FloatField(allow_null=True)


class FoundPassage(serializers.Serializer[Any]):
    """A passage: `quote` is exactly the document's `text[start:end]`."""

    document = FoundDocument()
    start = serializers.IntegerField()
    end = serializers.IntegerField()
    page = serializers.IntegerField(help_text="of its first character, from 1")
    last_page = serializers.IntegerField()
    section = serializers.CharField(help_text="its headings, outermost first")
    statement = serializers.CharField(
        help_text="the part of a report that it is: cash_flow, notes, risk_factors, …; or empty"
    )
    quote = serializers.CharField()
    score = serializers.FloatField(help_text="fused; comparable within one answer only")
    bm25 = Half()
    dense = Half()
    reading_url = serializers.URLField(help_text="the page that opens at this passage")


class Found(serializers.Serializer[Any]):
    """The answer to a search, best passage first."""

    question = serializers.CharField()
    notes = serializers.ListField(
        child=serializers.CharField(), help_text="what the reader of the results should know"
    )
    seconds = serializers.DictField(child=serializers.FloatField())
    passages = FoundPassage(many=True)


def passage_of(passage: Passage, document: Document, request: Any) -> dict[str, Any]:
    """The fields of FoundPassage, given the arrival by which the caller knows the document."""
    page = reverse("ingestion:document", args=[document.public_id], request=request)
    return {
        "document": document,
        "start": passage.start,
        "end": passage.end,
        "page": passage.page,
        "last_page": passage.last_page,
        "section": passage.section,
        "statement": passage.statement,
        "quote": passage.text,
        "score": passage.score,
        "bm25": {"rank": passage.bm25_rank, "score": passage.bm25_score},
        "dense": {"rank": passage.dense_rank, "score": passage.dense_score},
        "reading_url": f"{page}?start={passage.start}&end={passage.end}",
    }
