"""The API's extracted spans, relations and runs, and bulk runs: listed, started, followed.

Whoever may not see a document gets no row of it, and its id is as unknown as a missing one.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from docintel.api_errors import MISSING, BoundedJSONParser
from docintel.api_pages import NumberedPages
from docintel.tokens import ViewOrAdd
from extraction import bulk_runs, shown
from extraction.api_filters import RelationFilter, RunFilter, SpanFilter
from extraction.result_tables import BulkRun, ExtractedRelation, ExtractedSpan, ExtractionRun
from extraction.serializers import (
    BulkRunChange,
    BulkRunLine,
    BulkRunStart,
    RelationLine,
    RunLine,
    SpanLine,
)
from ingestion.filters import StrictFilterBackend, refuse_unknown
from ingestion.models import Document
from ingestion.sightings import standing_for

LISTED = ("cursor", "page_size")


class NotNow(APIException):
    """It is in another state than the action needs."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "That is not possible now."
    default_code = "conflict"


class MayReadDocuments(ViewOrAdd):
    """Whoever may read documents may read what was extracted from them."""

    perms_map = {
        method: ["ingestion.view_document"] if needed else needed
        for method, needed in ViewOrAdd.perms_map.items()
    }


class _Results(GenericAPIView[Any]):
    """A list of rows that have a document."""

    permission_classes = [MayReadDocuments]
    pagination_class = NumberedPages
    filter_backends = [StrictFilterBackend]
    other_parameters = LISTED
    # Whose permissions count; the rows come from get_queryset.
    queryset = Document.objects.none()

    def listed(self, rows: QuerySet[Any]) -> Response:
        """A page of these rows, each with its document as the caller knows it."""
        page: list[Any] = list(self.paginate_queryset(self.filter_queryset(rows)) or [])
        known = standing_for({row.document_id for row in page}, self.request.user)
        context = {**self.get_serializer_context(), "known": known}
        serializer = self.get_serializer_class()
        seen = [row for row in page if row.document_id in known]
        return self.get_paginated_response(serializer(seen, many=True, context=context).data)


class Spans(_Results):
    """Extracted spans."""

    serializer_class = SpanLine
    filterset_class = SpanFilter

    @extend_schema(operation_id="list_spans", filters=True, responses=SpanLine(many=True))
    def get(self, _: Request) -> Response:
        """List extracted spans, the latest extracted first.

        A document that is extracted from again gives new rows at the top and loses its old ones.
        """
        rows = shown.spans(ExtractedSpan.objects.all())
        return self.listed(
            rows.select_related("schema", "run__schema_version", "run__model_version")
        )


class Relations(_Results):
    """Extracted relations."""

    serializer_class = RelationLine
    filterset_class = RelationFilter

    @extend_schema(operation_id="list_relations", filters=True, responses=RelationLine(many=True))
    def get(self, _: Request) -> Response:
        """List relations of extracted spans, the latest extracted first."""
        rows = shown.relations(ExtractedRelation.objects.all())
        return self.listed(
            rows.select_related(
                "schema", "head", "tail", "run__schema_version", "run__model_version"
            )
        )


class Runs(_Results):
    """Runs of single documents."""

    serializer_class = RunLine
    filterset_class = RunFilter

    @extend_schema(operation_id="list_runs", filters=True, responses=RunLine(many=True))
    def get(self, _: Request) -> Response:
        """List runs, one document through one schema each, the latest begun first."""
        rows = ExtractionRun.objects.select_related("schema", "schema_version", "model_version")
        return self.listed(rows)


class _Bulk(GenericAPIView[BulkRun]):
    permission_classes = [ViewOrAdd]
    parser_classes = [BoundedJSONParser]
    queryset = BulkRun.objects.none()
    filter_backends: list[Any] = []
    serializer_class = BulkRunLine

    def get_queryset(self) -> Any:
        rows = BulkRun.objects.visible_to(self.request.user)
        return rows.select_related("schema").order_by("-pk")


class BulkRuns(_Bulk):
    """One's own bulk runs."""

    pagination_class = NumberedPages

    @extend_schema(operation_id="list_bulk_runs", responses=BulkRunLine(many=True))
    def get(self, request: Request) -> Response:
        """List your bulk runs, newest first."""
        refuse_unknown(request, set(LISTED))
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="start_bulk_run", request=BulkRunStart, responses={202: BulkRunLine}
    )
    def post(self, request: Request) -> Response:
        """Send the documents of a scope through a schema; they are read after the answer.

        Only documents that you may see are in it. Follow it at its `url`.
        """
        said = BulkRunStart(data=request.data)
        said.is_valid(raise_exception=True)
        values = said.validated_data
        try:
            bulk = bulk_runs.start(
                said.chosen(request), values["schema"], request.user, again=values["again"]
            )
        except bulk_runs.Refused as refusal:
            raise ValidationError({"schema": [str(refusal)]}) from refusal
        body = self.get_serializer(bulk).data
        return Response(body, status=status.HTTP_202_ACCEPTED, headers={"Location": body["url"]})


class BulkRunById(_Bulk):
    """One bulk run."""

    lookup_field = "public_id"

    @extend_schema(operation_id="read_bulk_run", responses=BulkRunLine)
    def get(self, request: Request, public_id: UUID) -> Response:
        """How far a bulk run of yours is, what it took, and when it will end."""
        refuse_unknown(request, set())
        return Response(self.get_serializer(self._own(public_id)).data)

    @extend_schema(
        operation_id="change_bulk_run",
        request=BulkRunChange,
        responses={200: BulkRunLine, 409: OpenApiResponse(description="not possible now")},
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Pause, resume or cancel a bulk run of yours."""
        row = self._own(public_id)
        said = BulkRunChange(data=request.data)
        said.is_valid(raise_exception=True)
        if not bulk_runs.ACTIONS[said.validated_data["action"]](row):
            raise NotNow
        return Response(self.get_serializer(self._own(public_id)).data)

    def _own(self, public_id: UUID) -> BulkRun:
        row: BulkRun | None = self.get_queryset().filter(public_id=public_id).first()
        if row is None:
            raise NotFound(MISSING)
        return row
