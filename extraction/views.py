"""What was extracted from one document: beside it, over its text, and on a page of its own.

Rows come from `sightings.arrivals`; one that the person may not see is a 404 like a missing one.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_cache_control
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from extraction import shown
from extraction.claiming_runs import redo
from extraction.claiming_runs import retry as try_again
from extraction.colouring import style_sheet
from extraction.company_figures import latest
from extraction.marking import colours, marked, marks
from extraction.reading_results import Panel, of_labels
from extraction.reading_results import panel as read_panel
from extraction.result_tables import ExtractionRun
from extraction.schema_tables import Schema
from ingestion.models import Document
from ingestion.reading import highlight, offset, window
from ingestion.sightings import arrivals

PER_PAGE = 100

can_read = permission_required("ingestion.view_document", raise_exception=True)
can_operate = permission_required("extraction.operate_extraction", raise_exception=True)


def arrival(request: HttpRequest, public_id: UUID) -> Any:
    """The row as this person may know it, or 404."""
    return get_object_or_404(arrivals(request.user).listed(), public_id=public_id)


def plain(value: str) -> str:
    """A value of an address without what no database takes."""
    return value.replace("\0", " ")


def body_of(row: Any) -> Document:
    """The document whose frozen text this arrival is, without the text itself."""
    rows = Document.objects.defer("text").select_related("company", "source")
    return rows.get(pk=row.duplicate_of_id or row.pk)


@require_safe
@can_read
@never_cache
def panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A fragment: what was found, by label; in the text view with the text under its colours."""
    row = arrival(request, public_id)
    body = body_of(row)
    found = read_panel(body, request.GET.get("schema", ""))
    view = "text" if request.GET.get("view") == "text" else "page"
    context = {"document": row, "body": body, "panel": found, "view": view}
    if view == "text" and found.has_results:
        context |= _text(request, body, found) | {"swap": True, "previous": True, "next": True}
    return render(request, "extraction/_panel.html", context)


@require_safe
@can_read
@never_cache
def text(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A fragment: the window of the text that holds the character `at`, with its spans."""
    row = arrival(request, public_id)
    body = body_of(row)
    found = read_panel(body, request.GET.get("schema", ""))
    if not found.has_results:
        raise Http404
    way = "previous" if request.GET.get("way") == "previous" else "next"
    context = {"document": row, "panel": found, way: True, **_text(request, body, found)}
    return render(request, "extraction/_window.html", context)


def _text(request: HttpRequest, body: Document, found: Panel) -> dict[str, Any]:
    get = request.GET.get
    mark = highlight(get("start", ""), get("end", ""), get("from", ""), get("to", ""))
    part = window(body, offset(get("at", "")) or 0, mark)
    if found.chosen is None or found.chosen.run is None or found.spec is None:
        raise Http404
    spans = shown.spans_of(body, found.chosen.schema.pk)
    inside = spans.filter(start__lt=part.end, end__gt=part.start)
    over = marks(list(inside), found.spec, found.chosen.run.model_version)
    return {"window": part, "blocks": marked(part, over)}


@require_safe
@can_read
@never_cache
def document(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """All that one schema found in a document: relations and spans as tables."""
    row = arrival(request, public_id)
    body = body_of(row)
    found = read_panel(body, request.GET.get("schema", ""))
    context: dict[str, Any] = {"document": row, "body": body, "panel": found}
    if found.has_results and found.chosen and found.spec:
        label = plain(request.GET.get("label", ""))
        spans = shown.spans_of(body, found.chosen.schema.pk)
        relations = shown.relations_of(body, found.chosen.schema.pk)
        numbers = colours(found.spec)
        number = request.GET.get("page", "1")
        context |= {
            "label": label,
            "labels": of_labels(body, found.chosen.schema, found.spec, most=0),
            "spans": Paginator(spans.filter(label=label) if label else spans, PER_PAGE).get_page(
                number
            ),
            "relations": Paginator(relations, PER_PAGE).get_page(request.GET.get("rpage", "1")),
            "titles": {one.name: one.shown for one in found.spec.labels},
            "numbers": numbers,
        }
    return render(request, "extraction/document.html", context)


@require_safe
@can_read
@never_cache
def company_figures(request: HttpRequest, pk: int) -> HttpResponse:
    """A fragment for the page of a company: its latest key figures, empty where there are none."""
    figures = latest(request.user, pk)
    return render(request, "extraction/_figures.html", {"figures": figures})


@require_safe
@can_read
def colour_sheet(_: HttpRequest, schema: str) -> HttpResponse:
    """The colours of a schema's labels as a style sheet; of its newest version."""
    row = get_object_or_404(Schema, name=schema)
    response = HttpResponse(style_sheet(row.read()), content_type="text/css; charset=utf-8")
    patch_cache_control(response, private=True, max_age=3600)
    return response


@require_POST
@can_operate
def again(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Extract from this document anew by one schema; what was found stays shown meanwhile."""
    row = arrival(request, public_id)
    runs = ExtractionRun.objects.filter(document=row.duplicate_of_id or row.pk)
    run = runs.filter(schema__name=plain(request.POST.get("schema", ""))).order_by("-pk").first()
    if run is not None and (try_again(run) or redo(run)):
        messages.success(request, f"{run.schema} goes through “{row}” again.")
    else:
        messages.error(request, "Nothing was extracted from this document by that schema yet.")
    return redirect(row)
