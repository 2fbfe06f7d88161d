"""Pages of a document over time: what changed, withdrawing it, doing a stage of it again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_POST, require_safe

from ingestion import rerunning
from ingestion.arrival_views import can_operate
from ingestion.comparing import Difference
from ingestion.history import difference_from, earlier_revision
from ingestion.views import arrival, can_read
from ingestion.withdrawing import withdraw_for


@require_safe
@can_read
def changes(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The difference between a document and the revision that it superseded."""
    row = arrival(request, public_id)
    earlier: Any = earlier_revision(row, request.user)
    found: Difference | None = difference_from(earlier, row) if earlier else None
    total = len(found.changes) + found.more if found else 0
    context = {"document": row, "earlier": earlier, "found": found, "total": total}
    response = render(request, "ingestion/changes.html", context)
    patch_cache_control(response, private=True, no_cache=True)
    return response


@require_POST
@can_operate
def withdraw(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Out of search, still readable."""
    row = arrival(request, public_id)
    if withdraw_for(row, request.user):
        messages.success(request, "Withdrawn: it is not in search any more.")
    return redirect(row)


@require_POST
@can_operate
def rerun(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One stage of one document again."""
    row = arrival(request, public_id)
    try:
        done = rerunning.rerun_document(row, request.POST.get("stage", ""))
    except rerunning.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect(row)
