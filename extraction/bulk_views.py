"""Pages of bulk runs: start one, watch it, pause or cancel it; and what could not be extracted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from extraction import bulk_items, shown
from extraction import bulk_runs as verbs
from extraction.claiming_runs import retry
from extraction.forms import BulkForm, as_address
from extraction.result_tables import BulkDocument, BulkRun, ExtractedSpan, ExtractionRun
from extraction.views import can_operate, can_read
from ingestion.models import Document
from ingestion.reading import offset
from ingestion.showing_progress import in_words
from ingestion.sightings import standing_for

MOST_RUNS = 50
MOST_FAILED = 100

can_start = permission_required("extraction.add_bulkrun", raise_exception=True)
LIVE_STATES = (BulkRun.State.PREPARING, BulkRun.State.RUNNING)


@require_http_methods(["GET", "HEAD", "POST"])
@can_read
@can_start
@never_cache
def bulk_runs(request: HttpRequest) -> HttpResponse:
    """The form of a new run, and one's own runs, newest first."""
    if request.method == "POST":
        return _start(request)
    # The address may hold the scope of an earlier run.
    form = BulkForm(request.user, initial=request.GET.dict())
    return _page(request, form)


def _start(request: HttpRequest) -> HttpResponse:
    form = BulkForm(request.user, request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        bulk = verbs.start(
            form.chosen(), form.schema_row, request.user, again=form.cleaned_data["again"]
        )
    except verbs.Refused as refusal:
        form.add_error(None, str(refusal))
        return _page(request, form, status=422)
    return redirect(bulk)


def _page(request: HttpRequest, form: BulkForm, status: int = 200) -> HttpResponse:
    rows = list(BulkRun.objects.visible_to(request.user).select_related("schema")[:MOST_RUNS])
    context = {
        "form": form,
        "runs": [(row, bulk_items.progress(row)) for row in rows],
        "used": any(form[name].value() for name in ("source", "kind", "company", "year")),
    }
    return render(request, "extraction/bulk_runs.html", context, status=status)


@require_safe
@can_read
@can_start
@never_cache
def expected(request: HttpRequest) -> HttpResponse:
    """A fragment: how many documents the chosen scope has, and what they would take and cost."""
    form = BulkForm(request.user, request.GET)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        context |= verbs.expected(
            form.chosen(), form.schema_row, request.user, again=form.cleaned_data["again"]
        )
    return render(request, "extraction/_expected.html", context)


@require_safe
@can_read
@can_start
@never_cache
def bulk(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One run: how far it is, what failed in it, what it found."""
    return render(request, "extraction/bulk.html", _of_run(request, public_id))


@require_safe
@can_read
@can_start
@never_cache
def progress(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A fragment: the same without the page around it."""
    return render(request, "extraction/_progress.html", _of_run(request, public_id))


@require_POST
@can_read
@can_start
def change(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Pause, resume or cancel, by `action`."""
    row = _own(request, public_id)
    verb = verbs.ACTIONS.get(request.POST.get("action", ""))
    if verb is None or not verb(row):
        messages.error(request, "That is not possible now.")
    return redirect(row)


@require_http_methods(["GET", "HEAD", "POST"])
@can_read
@can_operate
@never_cache
def failed(request: HttpRequest) -> HttpResponse:
    """Documents given up for extraction only, each with its reason; a POST tries one again."""
    runs = ExtractionRun.objects.failed().visible_to(request.user)
    runs = runs.select_related("schema", "model_version").order_by("-ended_at", "-pk")
    if request.method == "POST":
        run = runs.filter(pk=offset(request.POST.get("run", "")) or 0).first()
        if run is not None and retry(run):
            messages.success(request, "It is being tried again.")
        else:
            messages.error(request, "There is no such document here any more.")
        return redirect("extraction:failed")
    rows = list(runs[: MOST_FAILED + 1])
    known = standing_for({run.document_id for run in rows}, request.user)
    context = {
        "rows": [(known[run.document_id], run) for run in rows if run.document_id in known],
        "more": len(rows) > MOST_FAILED,
    }
    return render(request, "extraction/failed.html", context)


def _own(request: HttpRequest, public_id: UUID) -> BulkRun:
    rows = BulkRun.objects.visible_to(request.user)
    return get_object_or_404(
        rows.select_related("schema", "schema_version", "model_version"), public_id=public_id
    )


def _of_run(request: HttpRequest, public_id: UUID) -> dict[str, Any]:
    row = _own(request, public_id)
    counted = bulk_items.progress(row)
    spec = row.schema_version.read()
    titles = {label.name: label.shown for label in spec.labels}
    found = list(_found(request, row)) if row.state not in LIVE_STATES or counted.done else []
    return {
        "bulk": row,
        "progress": counted,
        "live": row.state in LIVE_STATES,
        "left": in_words((counted.ends_at - timezone.now()).total_seconds())
        if counted.ends_at
        else "",
        "failures": _failures(request, row),
        "found": [(titles.get(label, label), n) for label, n in found],
        "same_scope": as_address(row),
    }


def _found(request: HttpRequest, row: BulkRun) -> QuerySet[Any]:
    """How often each label was found in documents of the run that the person may see."""
    inside = row.items.exclude(state=BulkDocument.State.WAITING).order_by().values("document")
    visible = Document.objects.visible_to(request.user).filter(pk__in=inside).order_by()
    spans = ExtractedSpan.objects.filter(schema=row.schema_id, document__in=visible)
    counts = shown.spans(spans).order_by().values("label").annotate(n=Count("pk"))
    return counts.order_by("-n", "label").values_list("label", "n")


def _failures(request: HttpRequest, row: BulkRun) -> list[tuple[Document, str]]:
    items = row.items.filter(state=BulkDocument.State.FAILED).order_by("-finished_at")
    ids = list(items.values_list("document", flat=True)[:MOST_FAILED])
    runs = ExtractionRun.objects.failed().filter(document__in=ids, schema=row.schema_id)
    reasons = dict(runs.order_by("pk").values_list("document", "failed_reason"))
    known = standing_for(ids, request.user)
    return [(known[pk], reasons.get(pk, "")) for pk in ids if pk in known]
