"""Pages of saved searches: what came to match one, and its changes.

Somebody else's is a 404 like a missing one.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from feed import saving_searches
from feed.models import SavedSearch
from feed.saving_searches import CannotSave, searches_of
from feed.telling_matches import visible

MOST_SHOWN = 100

can_read = permission_required("ingestion.view_document", raise_exception=True)


@require_POST
@can_read
def save_search(request: HttpRequest) -> HttpResponse:
    """Keep the search of a search page: `address` is its query string, `name` what to call it."""
    params = QueryDict(request.POST.get("address", "")[:8_000])
    try:
        row = saving_searches.save(
            request.user, request.POST.get("name", ""), params.get("q", ""),
            saving_searches.read_scope(params, request.user),
        )  # fmt: skip
    except CannotSave as error:
        messages.error(request, str(error))
        return redirect("feed:profile")
    messages.success(request, f"“{row.name}” is saved. New documents that match it are told here.")
    return redirect("feed:search", row.public_id)


@require_http_methods(["GET", "HEAD", "POST"])
@can_read
@never_cache
def search(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What matched, the last first; posted to, a change: `what` says which."""
    row = get_object_or_404(searches_of(request.user), public_id=public_id)
    if request.method == "POST":
        return _changed(request, row)
    matches = list(row.matches.all()[:MOST_SHOWN])
    found = {match.document_id: match for match in matches}
    documents = visible(row, matches)
    context: dict[str, Any] = {
        "search": row,
        "described": saving_searches.described(row, request.user),
        "address": saving_searches.address(row),
        "rows": [(found[doc.duplicate_of_id or doc.pk], doc) for doc in documents],
        "seen_at": row.seen_at,
        "alerts": SavedSearch.Alert.choices,
    }
    response = render(request, "feed/search.html", context)
    if request.method == "GET":
        SavedSearch.objects.filter(pk=row.pk).update(seen_at=timezone.now())
    return response


def _changed(request: HttpRequest, row: SavedSearch) -> HttpResponse:
    what = request.POST.get("what", "")
    if what == "delete":
        row.delete()
        messages.success(request, f"“{row.name}” is deleted.")
        return redirect("feed:profile")
    changes: dict[str, dict[str, Any]] = {
        "pause": {"paused": True}, "resume": {"paused": False},
        "webhook": {"webhook": request.POST.get("webhook", "")},
        "edit": {"name": request.POST.get("name", ""), "alert": request.POST.get("alert", "")},
    }  # fmt: skip
    try:
        saving_searches.change(row, **changes.get(what, {}))
    except CannotSave as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Kept.")
    back = request.POST.get("next") == "profile"
    return redirect("feed:profile") if back else redirect("feed:search", row.public_id)
