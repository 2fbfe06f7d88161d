"""Results as files: of a document, of a bulk run, of a scope; streamed, never whole in memory."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.handlers.asgi import ASGIRequest
from django.db import connection, connections
from django.http import HttpRequest, HttpResponseBadRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from extraction.bulk_views import can_start
from extraction.choosing import documents_of
from extraction.exporting import COLUMNS, RELATIONS, SPANS, Wanted, in_chunks, of_bulk, of_documents
from extraction.forms import BulkForm
from extraction.result_tables import BulkRun
from extraction.schema_tables import Schema
from extraction.views import arrival, can_read, plain
from extraction.writing_exports import (
    CONTENT_TYPES,
    CSV,
    FORMATS,
    JSON_LINES,
    csv_lines,
    json_lines,
    write_xlsx,
)
from ingestion.models import Document

PIECE = 262_144


@require_safe
@can_read
@never_cache
def document(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """What was extracted from one document, by `schema` or by all."""
    row = arrival(request, public_id)
    body = Document.objects.filter(pk=row.duplicate_of_id or row.pk)
    schema = Schema.objects.filter(name=plain(request.GET.get("schema", ""))).first()
    return _respond(request, of_documents(body, schema, request.user), f"document-{public_id}")


@require_safe
@can_read
@can_start
@never_cache
def bulk(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """What was found in the documents of a bulk run."""
    row = get_object_or_404(BulkRun.objects.visible_to(request.user), public_id=public_id)
    return _respond(request, of_bulk(row, request.user), f"run-{public_id}")


@require_safe
@can_read
@never_cache
def scope(request: HttpRequest) -> HttpResponseBase:
    """What was found in the documents of a scope, read by whichever run."""
    form = BulkForm(request.user, request.GET)
    if not form.is_valid():
        return HttpResponseBadRequest("Choose a schema, and a scope as on the page of bulk runs.")
    chosen = documents_of(form.chosen(), request.user)
    return _respond(request, of_documents(chosen, form.schema_row, request.user), "scope")


def _respond(request: HttpRequest, wanted: Wanted, name: str) -> HttpResponseBase:
    kind = request.GET.get("format", JSON_LINES)
    what = request.GET.get("what", SPANS)
    if kind not in FORMATS or what not in COLUMNS:
        return HttpResponseBadRequest(
            f"format is one of {', '.join(FORMATS)}; what is {SPANS} or {RELATIONS}."
        )
    if kind == JSON_LINES:
        pieces = in_chunks(json_lines(wanted))
    elif kind == CSV:
        pieces = in_chunks(csv_lines(wanted, what))
        name = f"{name}-{what}"
    else:
        pieces = _workbook(wanted)
    # Under ASGI an ordinary iterator would be read to its end before the first byte is sent.
    body: Any = pieces
    if isinstance(request, ASGIRequest):
        body = _in_a_thread(pieces)
        if not connection.in_atomic_block:
            # The request's own, which would else be held until the last byte.
            connection.close()
    response = StreamingHttpResponse(body, content_type=CONTENT_TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="extraction-{name}.{kind}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _workbook(wanted: Wanted) -> Iterator[bytes]:
    """Written to a file first: a workbook's table of contents is at its end."""
    with tempfile.TemporaryDirectory(prefix="docintel-export-") as folder:
        path = Path(folder, "export.xlsx")
        write_xlsx(wanted, path)
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece


async def _in_a_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The same pieces, made by one thread with a database connection of its own."""
    loop = asyncio.get_running_loop()
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="export")
    try:
        while piece := await loop.run_in_executor(thread, next, pieces, b""):
            yield piece
    finally:
        # Also where the reader has gone away: temporary files and the connection end here.
        thread.submit(_close, pieces)
        thread.shutdown(wait=False)


def _close(pieces: Iterator[bytes]) -> None:
    try:
        if isinstance(pieces, Generator):
            pieces.close()
    finally:
        connections.close_all()
