"""Pages of documents: the list, reading one, its pages as images, correcting what it is.

Rows come from `sightings.arrivals`; one that the person may not see is a 404 like a missing one.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_cache_control
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from ingestion import page_images
from ingestion.editing import edit as edit_document
from ingestion.forms import EditForm, ListForm
from ingestion.models import Document
from ingestion.opening import Opened, open_document
from ingestion.page_images import NoImage
from ingestion.querysets import DocumentQuerySet
from ingestion.reading import highlight, offset, window
from ingestion.rerunning import STAGES
from ingestion.showing_topics import with_topics
from ingestion.sightings import arrivals
from ingestion.uploading import MOST_FILES

PER_PAGE = 40
LAST_PAGE = 250
IN_PROGRESS = ("received", "parsed", "searchable")

can_read = permission_required("ingestion.view_document", raise_exception=True)
can_edit = permission_required("ingestion.change_document", raise_exception=True)


def arrival(request: HttpRequest, public_id: UUID) -> Any:
    """The row as this person may know it, or 404."""
    return get_object_or_404(arrivals(request.user).listed(), public_id=public_id)


def named(request: HttpRequest) -> list[UUID]:
    """The ids that the address names by `d`, as many as one upload may hold."""
    found = []
    for value in request.GET.getlist("d")[:MOST_FILES]:
        with suppress(ValueError):
            found.append(UUID(value))
    return found


@require_safe
@can_read
@never_cache
def documents(request: HttpRequest) -> HttpResponse:
    """Every arrival in visible sources, filtered and sorted, without bodies."""
    form = ListForm(request.GET)
    found: DocumentQuerySet = form.narrowed(arrivals(request.user).listed())
    number = min(offset(request.GET.get("page", "1")) or 1, LAST_PAGE)
    # One more than is shown tells whether there is another page, without counting them all.
    rows: list[Any] = list(found[(number - 1) * PER_PAGE : number * PER_PAGE + 1])
    kept = urlencode([(name, form.data[name]) for name in form.fields if form.data.get(name)])
    context = {
        "form": form,
        "documents": with_topics(rows[:PER_PAGE]),
        "number": number,
        "previous": number - 1,
        "next": number + 1 if len(rows) > PER_PAGE and number < LAST_PAGE else None,
        "kept": kept,
        "filtered": bool(kept),
        "pending": [row for row in rows[:PER_PAGE] if row.shown_state in IN_PROGRESS],
    }
    return render(request, "ingestion/documents.html", context)


@require_safe
@can_read
@never_cache
def status(request: HttpRequest) -> HttpResponse:
    """A fragment: the states of the documents `d`, and the next question about the unfinished."""
    wanted = named(request)
    rows: list[Any] = list(arrivals(request.user).listed().filter(public_id__in=wanted))
    context = {
        "documents": rows,
        "pending": [row for row in rows if row.shown_state in IN_PROGRESS],
        "track": "track" in request.GET,
    }
    return render(request, "ingestion/_states.html", context)


@require_safe
@can_read
def document(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Read one document, at a passage, a page or an offset."""
    opened = _open(request, arrival(request, public_id))
    with_topics([opened.arrival])
    context = {"opened": opened, "document": opened.arrival, "question": opened.question}
    context["stages"] = STAGES.items()
    response = render(request, "ingestion/document.html", context)
    patch_cache_control(response, private=True, no_cache=True)
    return response


@require_safe
@can_read
def text(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A fragment: the window of the text that holds the character `at`."""
    row = arrival(request, public_id)
    body = _body(row)
    shown = window(body, offset(request.GET.get("at", "")) or 0, _highlight(request))
    way = "previous" if request.GET.get("way") == "previous" else "next"
    return render(request, "ingestion/_window.html", {"document": row, "window": shown, way: True})


@require_safe
@can_read
def pages(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A fragment: some pages from number `page` on."""
    opened = _open(request, arrival(request, public_id))
    if not opened.has_images:
        raise Http404
    way = "previous" if request.GET.get("way") == "previous" else "next"
    context = {"opened": opened, "document": opened.arrival, way: True}
    return render(request, "ingestion/_pages.html", context)


@require_safe
@can_read
def page(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """A fragment: one page as an image, with the passage's rectangles."""
    opened = _open(request, arrival(request, public_id))
    if not opened.has_images or not 1 <= number <= opened.n_pages:
        raise Http404
    marks = page_images.marks(opened.body, number, opened.highlight)
    context = {"document": opened.arrival, "number": number, "marks": marks}
    response = render(request, "ingestion/_page.html", context)
    patch_cache_control(response, private=True, max_age=600)
    return response


@require_safe
@can_read
def page_image(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """The image of a page; 404 where there is none. `?width=` is rounded up to one that is kept."""
    row = arrival(request, public_id)
    width = page_images.nearest_width(request.GET.get("width", ""))
    etag = f'"{page_images.image_tag(row, number, width)}"'
    if etag in request.headers.get("If-None-Match", ""):
        response: HttpResponse = HttpResponseNotModified()
    else:
        body = _body(row)
        try:
            image = page_images.page_image(body, row.file_sha256, number, width)
        except NoImage as error:
            raise Http404 from error
        response = HttpResponse(image, content_type="image/png")
    response["ETag"] = etag
    patch_cache_control(response, private=True, max_age=86_400)
    return response


@require_safe
@can_read
def file(request: HttpRequest, public_id: UUID) -> HttpResponse | FileResponse:
    """The bytes as they arrived, always as an attachment."""
    row = arrival(request, public_id)
    try:
        stored = row.file.open("rb")
    except (OSError, ValueError) as error:
        raise Http404 from error
    media_type = "application/pdf" if row.is_pdf else "application/octet-stream"
    response = FileResponse(
        stored, as_attachment=True, filename=row.file_name, content_type=media_type
    )
    response["X-Content-Type-Options"] = "nosniff"
    patch_cache_control(response, private=True, no_cache=True)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@can_read
@can_edit
def edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Correct what a document is; only what changed is written."""
    row = arrival(request, public_id)
    form = EditForm.about(row, request.POST or None)
    if request.method == "POST" and form.is_valid():
        if edit_document(row, form.changes(), cast("User", request.user)):
            messages.success(request, "Saved. Search follows within seconds.")
        return redirect(row)
    context = {"form": form, "document": row}
    return render(request, "ingestion/edit.html", context, status=422 if form.errors else 200)


def _open(request: HttpRequest, row: Any) -> Opened:
    return open_document(row, request.user, request.GET, _body(row))


def _body(row: Any) -> Document:
    """The document whose frozen text this arrival is, without the text itself."""
    rows = Document.objects.defer("text").select_related("company", "source")
    return rows.get(pk=row.duplicate_of_id or row.pk)


def _highlight(request: HttpRequest) -> Any:
    get = request.GET.get
    return highlight(get("start", ""), get("end", ""), get("from", ""), get("to", ""))
