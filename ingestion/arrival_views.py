"""Pages of arrivals: upload with live progress, and the quarantine."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ingestion import claiming
from ingestion.forms import DetailsForm
from ingestion.models import Document
from ingestion.querysets import DocumentQuerySet
from ingestion.sightings import arrivals
from ingestion.uploading import MOST_FILES, take_uploads
from ingestion.views import IN_PROGRESS, named

RECENT = 20
MOST_QUARANTINED = 200

can_upload = permission_required("ingestion.add_document", raise_exception=True)
can_operate = permission_required("ingestion.operate_pipeline", raise_exception=True)


@require_http_methods(["GET", "HEAD", "POST"])
@can_upload
@never_cache
def upload(request: HttpRequest) -> HttpResponse:
    """Files in, then each file's way through the pipeline; `d` names the ones to follow."""
    if request.method == "POST":
        return _take(request)
    chosen = named(request)
    rows = arrivals(request.user).listed()
    shown = (
        rows.filter(public_id__in=chosen) if chosen else rows.filter(uploaded_by=request.user.pk)
    )
    return _page(request, DetailsForm(), list(shown[: MOST_FILES if chosen else RECENT]))


def _take(request: HttpRequest) -> HttpResponse:
    form = DetailsForm(request.POST)
    files = request.FILES.getlist("file")
    if not form.is_valid() or not files:
        error = "" if files else "Choose one file or more."
        return _page(request, form, [], error=error, status=422)
    taken = take_uploads(files, form.described(), request.user)
    ids = [receipt.document.public_id for receipt in taken.receipts]
    known = {receipt.document.public_id for receipt in taken.receipts if not receipt.created}
    if not request.headers.get("HX-Request"):
        for refusal in taken.refusals:
            messages.error(request, f"{refusal.file_name}: {refusal.reason}")
        return redirect(f"{reverse('ingestion:upload')}?{urlencode([('d', pk) for pk in ids])}")
    rows = list(arrivals(request.user).listed().filter(public_id__in=ids))
    return _page(request, form, rows, refusals=taken.refusals, known=known)


def _page(
    request: HttpRequest,
    form: DetailsForm,
    rows: list[Document],
    status: int = 200,
    **more: object,
) -> HttpResponse:
    context = {
        "form": form,
        "documents": rows,
        "pending": [row for row in rows if getattr(row, "shown_state", "") in IN_PROGRESS],
        "largest_mb": settings.MAX_FILE_BYTES // 1_048_576,
        "most_files": MOST_FILES,
        **more,
    }
    part = request.headers.get("HX-Request") and request.method == "POST"
    template = "ingestion/_arrivals.html" if part else "ingestion/upload.html"
    return render(request, template, context, status=status)


@require_safe
@can_operate
@never_cache
def quarantine(request: HttpRequest) -> HttpResponse:
    """Documents given up after their last attempt, with the reason."""
    rows = list(_quarantined(request)[: MOST_QUARANTINED + 1])
    context = {"documents": rows[:MOST_QUARANTINED], "more": len(rows) > MOST_QUARANTINED}
    return render(request, "ingestion/quarantine.html", context)


@require_POST
@can_operate
def retry(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Out of quarantine, with all its attempts."""
    row = get_object_or_404(_quarantined(request), public_id=public_id)
    if claiming.retry(row):
        messages.success(request, f"“{row}” is being tried again.")
    return redirect("ingestion:quarantine")


@require_POST
@can_operate
def drop(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Out of quarantine for good."""
    row = get_object_or_404(_quarantined(request), public_id=public_id)
    if claiming.drop(row):
        messages.success(request, f"“{row}” was dropped.")
    return redirect("ingestion:quarantine")


def _quarantined(request: HttpRequest) -> DocumentQuerySet:
    return arrivals(request.user).quarantined().listed().order_by("-quarantined_at", "-pk")
