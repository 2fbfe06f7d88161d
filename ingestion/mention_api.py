"""The API's mentions of one document, in reading order."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ValidationError

from docintel.api_pages import Pages
from ingestion.api import DocumentView
from ingestion.models import Document, Mention


class MentionLine(serializers.ModelSerializer[Mention]):
    """`start` and `end` are offsets into the document's text; `text` is what stands there."""

    text = serializers.SerializerMethodField()
    company = serializers.CharField(source="company.name", default=None, read_only=True)
    ticker = serializers.CharField(source="company.ticker", default=None, read_only=True)
    value = extend_schema_field(OpenApiTypes.OBJECT)(serializers.JSONField)(read_only=True)

    class Meta:
        model = Mention
        fields = ("start", "end", "text", "kind", "name", "value", "company", "ticker")
        read_only_fields = fields

    def get_text(self, mention: Mention) -> str:
        text: str = self.context["text"][mention.start : mention.end]
        return text


class MentionPages(Pages):
    """In reading order, by cursor; a page holds `page_size` mentions, 500 at most."""

    ordering = ("start", "id")
    page_size = 100
    max_page_size = 500

    @staticmethod
    def is_position(value: str) -> bool:
        return value.isascii() and value.isdigit() and len(value) < 10


class Mentions(DocumentView):
    """What a document mentions: companies, people, places, amounts, dates, periods, metrics."""

    serializer_class = MentionLine  # type: ignore[assignment]
    pagination_class = MentionPages
    other_parameters = ("cursor", "page_size", "kind")

    @extend_schema(
        operation_id="list_mentions",
        parameters=[
            OpenApiParameter("kind", OpenApiTypes.STR, enum=Mention.Kind.values, many=True)
        ],
        responses=MentionLine(many=True),
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        """List a document's mentions in reading order; empty while it waits to be read."""
        document = self.arrival(public_id)
        kinds = [kind for kind in request.query_params.getlist("kind") if kind]
        if unknown := sorted(set(kinds) - set(Mention.Kind.values)):
            known = ", ".join(Mention.Kind.values)
            raise ValidationError({"kind": [f"{unknown[0]!r} is none of: {known}."]})
        body = Document.objects.only("text").get(pk=document.duplicate_of_id or document.pk)
        rows = body.mentions.select_related("company")
        rows = rows.filter(kind__in=kinds) if kinds else rows
        page: list[Mention] = list(self.paginate_queryset(rows) or [])  # type: ignore[arg-type]
        context: dict[str, Any] = {**self.get_serializer_context(), "text": body.text}
        return self.get_paginated_response(MentionLine(page, many=True, context=context).data)
