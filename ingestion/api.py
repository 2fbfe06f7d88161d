"""The API's documents: list, push, upload, detail and status.

Every row comes from `sightings.arrivals`: one that the caller may not see is a 404 like any
missing id, and nothing tells that somebody else had the same text.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from docintel.api_errors import MISSING, BoundedJSONParser
from docintel.api_pages import LARGEST_PAGE, Pages
from docintel.tokens import ViewOrAdd
from ingestion.filters import DocumentFilter, StrictFilterBackend, refuse_unknown
from ingestion.history import history
from ingestion.models import Document, Source
from ingestion.pushing import Refused, push, source_for
from ingestion.querysets import DocumentQuerySet
from ingestion.receiving import Receipt
from ingestion.serializers import (
    Accepted,
    Description,
    DocumentDetail,
    DocumentLine,
    DocumentStatus,
    TextPush,
    Upload,
    UploadResults,
    accepted,
)
from ingestion.showing_topics import with_topics
from ingestion.sightings import arrivals, sightings
from ingestion.vector_tables import live_table
from ingestion.withdrawing import NotYours, withdraw_for


class DocumentView(GenericAPIView[Document]):
    """What the views of documents share: who may, and which rows there are for them."""

    permission_classes = [ViewOrAdd]
    queryset = Document.objects.none()
    lookup_field = "public_id"
    other_parameters: tuple[str, ...] = ()

    def get_queryset(self) -> DocumentQuerySet:
        return arrivals(self.request.user).listed()

    def arrival(self, public_id: UUID) -> Any:
        """The row, or a 404 that is the same for missing and hidden ones."""
        refuse_unknown(self.request, set(self.other_parameters))
        found = self.get_queryset().filter(public_id=public_id).first()
        if found is None:
            raise NotFound(MISSING)
        return found


class Documents(DocumentView):
    """The list of documents, without bodies; and the push of a text."""

    serializer_class = DocumentLine
    pagination_class = Pages
    filter_backends = [StrictFilterBackend]
    filterset_class = DocumentFilter
    parser_classes = [BoundedJSONParser]
    other_parameters = ("cursor", "page_size")

    @extend_schema(operation_id="list_documents", filters=True, responses=DocumentLine(many=True))
    def get(self, _: Request) -> Response:
        """List documents, newest first."""
        page = with_topics(self.paginate_queryset(self.filter_queryset(self.get_queryset())) or [])
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="push_text",
        request=TextPush,
        filters=False,
        responses={202: Accepted},
    )
    def post(self, request: Request) -> Response:
        """Push a text with what you know of it; it is processed after the answer."""
        said = TextPush(data=request.data)
        said.is_valid(raise_exception=True)
        values = said.validated_data
        file_name = values["file_name"] or f"{values['title'][:120]}.txt"
        try:
            receipt = push(
                source_for(request.user, values["source"]),
                file_name,
                BytesIO(values["text"].encode()),
                external_id=values["external_id"],
                pushed=said.described(),
                user=request.user,
            )
        except Refused as refusal:
            raise as_error(refusal, {"file": "text"}) from refusal
        return _accepted(request, receipt)


class Uploads(DocumentView):
    """Files, one or many."""

    parser_classes = [MultiPartParser, FormParser]
    serializer_class = Upload

    @extend_schema(operation_id="upload_files", request=Upload, responses={202: UploadResults})
    def post(self, request: Request) -> Response:
        """Upload one file or many; each is accepted or refused by itself.

        202 when at least one was accepted, else 400; both list what became of each file.
        """
        files = request.FILES.getlist("file")
        said = Description(data={name: value for name, value in request.POST.items() if value})
        said.is_valid(raise_exception=True)
        _must_fit(files, said)
        try:
            source = source_for(request.user, said.validated_data["source"])
        except Refused as refusal:
            raise as_error(refusal) from refusal
        results = [_upload_one(request, source, file, said) for file in files]
        taken = sum(result["accepted"] for result in results)
        body = {"accepted": taken, "refused": len(results) - taken, "results": results}
        code = status.HTTP_202_ACCEPTED if taken else status.HTTP_400_BAD_REQUEST
        return Response(body, status=code)


class ViewOrWithdraw(ViewOrAdd):
    """Whoever may read one may ask to withdraw it; the verb decides whether it is theirs."""

    perms_map = {**ViewOrAdd.perms_map, "DELETE": ViewOrAdd.perms_map["GET"]}


class DocumentDetails(DocumentView):
    """One document; its text only where asked for."""

    permission_classes = [ViewOrWithdraw]
    serializer_class = DocumentDetail
    other_parameters = ("include",)

    @extend_schema(
        operation_id="read_document",
        parameters=[OpenApiParameter("include", OpenApiTypes.STR, enum=["text"])],
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        """Everything known of a document; its text with `?include=text`."""
        document = self.arrival(public_id)
        include = request.query_params.get("include", "")
        if include not in {"", "text"}:
            raise ValidationError({"include": ["Only text can be included."]})
        rows = Document.objects.filter(pk=document.duplicate_of_id or document.pk)
        fields = ("language", "pages", "sections", *(("text",) if include else ()))
        context = {
            **self.get_serializer_context(),
            "original_id": _original_id(document),
            "history": history(document, request.user),
            "sightings": sightings(document, request.user)[:LARGEST_PAGE],
            "body": rows.only(*fields).get(),
            "with_text": bool(include),
        }
        with_topics([document])
        return Response(DocumentDetail(document, context=context).data)

    @extend_schema(
        operation_id="withdraw_document",
        responses={
            204: OpenApiResponse(description="it left search; its address still shows it"),
            403: OpenApiResponse(description="somebody else sent it"),
        },
    )
    def delete(self, request: Request, public_id: UUID) -> Response:
        """Withdraw what you sent: it leaves search and stays readable for what cites it."""
        document = self.arrival(public_id)
        try:
            withdraw_for(document, request.user)
        except NotYours as error:
            raise PermissionDenied("Only its sender or an operator may withdraw it.") from error
        return Response(status=status.HTTP_204_NO_CONTENT)


class Status(DocumentView):
    """How far a document has come."""

    serializer_class = DocumentStatus

    @extend_schema(operation_id="read_status")
    def get(self, _: Request, public_id: UUID) -> Response:
        """How far a document has come, why it did not come further, and what is left."""
        document = self.arrival(public_id)
        standing_for = document.duplicate_of_id or document.pk
        embedded = live_table().objects.filter(chunk__document=standing_for)
        context = {
            **self.get_serializer_context(),
            "original_id": _original_id(document),
            "progress": {
                "chunks": document.shown_chunks,
                "chunks_embedded": embedded.count(),
            },
        }
        return Response(DocumentStatus(document, context=context).data)


def as_error(refusal: Refused, renamed: dict[str, str] | None = None) -> Exception:
    """The refusal as a 400 under the name of the request's field."""
    field = (renamed or {}).get(refusal.field, refusal.field)
    return ValidationError({field: [refusal.message]})


def _must_fit(files: list[Any], said: Description) -> None:
    if not files:
        raise ValidationError({"file": ["Send one file or more under this name."]})
    if len(files) > 1:
        one_only = [name for name in ("title", "external_id") if said.validated_data.get(name)]
        if one_only:
            raise ValidationError({name: ["Only for a single file."] for name in one_only})


def _upload_one(request: Request, source: Source, file: Any, said: Description) -> dict[str, Any]:
    shown = {"file_name": file.name}
    try:
        receipt = push(
            source,
            file.name,
            file,
            external_id=said.validated_data["external_id"],
            pushed=said.described(),
            user=request.user,
        )
    except Refused as refusal:
        return shown | {"accepted": False, "errors": {refusal.field: [refusal.message]}}
    document = accepted(receipt.document, created=receipt.created, request=request)
    return shown | {"accepted": True, "document": document}


def _accepted(request: Request, receipt: Receipt) -> Response:
    body = accepted(receipt.document, created=receipt.created, request=request)
    return Response(body, status=status.HTTP_202_ACCEPTED, headers={"Location": body["status_url"]})


def _original_id(document: Any) -> str | None:
    if document.shown_original is None:
        return None
    original = Document.objects.only("public_id").get(pk=document.shown_original)
    return str(original.public_id)
