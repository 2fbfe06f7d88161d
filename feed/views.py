"""Pages of the feed, and what they post: events, follows, saved documents.

Rows come from `sightings.arrivals`; one that the person may not see is a 404 like a missing one.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_not_required, permission_required
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_datetime
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from docintel.remembering import read_once
from feed import (
    announcing,
    company_page,
    digesting,
    filing_changes,
    hearing,
    reading,
    saving,
)
from feed.asking_for import as_query, read_filters
from feed.catching_up import catch_up
from feed.explaining import cards
from feed.following import CannotFollow, follow, forget, profile_of
from feed.framing import frame, note_seen
from feed.hearing import TooManyEvents
from feed.reading import BadCursor
from ingestion.seeing import seen_once
from ingestion.sightings import arrivals

can_read = permission_required("ingestion.view_document", raise_exception=True)


@require_safe
@can_read
@never_cache
@seen_once()
@read_once()
def feed(request: HttpRequest) -> HttpResponse:
    """The feed, or with `cursor` its next cards alone."""
    profile = profile_of(request.user)
    catch_up(profile, request.user)
    filters = read_filters(request.GET, request.user)
    try:
        page = reading.page(request.user, filters, request.GET.get("cursor", ""))
    except BadCursor:
        return redirect("feed:feed")
    everything_muted = False
    if not page.slots and not request.GET.get("cursor") and not filters.hidden:
        # Better what is muted, and a word on it, than nothing at all.
        recent = reading.page(request.user, replace(filters, hidden=True, sort="time"))
        everything_muted = bool(recent.slots)
        page = recent if everything_muted else page
        page.cursor = ""
    context: dict[str, Any] = {
        "page": page,
        "everything_muted": everything_muted,
        "cards": cards(page.slots, request.user),
        "filters": filters,
        "query": as_query(filters),
    }
    if request.GET.get("cursor"):
        return render(request, "feed/_cards.html", context)
    note_seen(profile)
    return render(request, "feed/feed.html", context | frame(profile, request.user, filters, page))


@require_POST
@can_read
def events(request: HttpRequest) -> HttpResponse:
    """What a browser tells by sendBeacon: a form with `events`, a JSON list. 429 for a flood."""
    try:
        told = json.loads(request.POST.get("events", ""))
    except (ValueError, RecursionError):
        return JsonResponse({"error": "no JSON"}, status=400)
    try:
        heard = hearing.hear(request.user, told)
    except TooManyEvents as error:
        answer = {"error": str(error)}
        return JsonResponse(answer, status=429, headers={"Retry-After": str(error.seconds)})
    return JsonResponse({"kept": heard.kept, "refused": dict(heard.refused)})


@require_POST
@can_read
def follow_one(request: HttpRequest) -> HttpResponse:
    """Follow, mute or forget one thing: `kind`, `value`, `stance`. The answer is its new control.

    The feed's next page has it.
    """
    kind, value = request.POST.get("kind", ""), request.POST.get("value", "")
    stance = request.POST.get("stance", "")
    try:
        if stance in {"follow", "mute"}:
            row = follow(request.user, kind, value, muted=stance == "mute")
            label = row.label
        else:
            forget(request.user, kind, value)
            stance, label = "", request.POST.get("label", "")[:120]
    except CannotFollow as error:
        if request.headers.get("HX-Request"):
            context = {"error": str(error)}
            return render(request, "feed/_thing.html", context, status=422)
        return render(request, "feed/refused.html", {"error": str(error)}, status=422)
    if not request.headers.get("HX-Request"):
        return redirect(_back(request))
    thing = {"kind": kind, "value": value, "label": label, "stance": stance}
    return render(request, "feed/_thing.html", {"thing": thing, "changed": True})


@require_POST
@can_read
def save(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Keep a document for later, or with `saved` empty no longer."""
    row: Any = get_object_or_404(arrivals(request.user).listed(), public_id=public_id)
    keep = request.POST.get("saved", "") == "1"
    saving.save(request.user, row.duplicate_of_id or row.pk, saved=keep)
    if not request.headers.get("HX-Request"):
        return redirect(_back(request))
    return render(request, "feed/_save.html", {"public_id": row.public_id, "is_saved": keep})


@require_safe
@can_read
@never_cache
@seen_once()
def saved(request: HttpRequest) -> HttpResponse:
    """What this person keeps for later."""
    slots = reading.saved(request.user)
    return render(request, "feed/saved.html", {"cards": cards(slots, request.user)})


@require_safe
@can_read
@never_cache
@seen_once()
def beside(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A fragment for the page of a document: save it, follow what it is about."""
    row: Any = get_object_or_404(arrivals(request.user).listed(), public_id=public_id)
    [slot] = reading.alone(request.user, row)
    [card] = cards([slot], request.user)
    return render(request, "feed/_beside.html", {"card": card, "document": row})


@require_safe
@can_read
@never_cache
@seen_once()
def company(request: HttpRequest, pk: int) -> HttpResponse:
    """One company's documents on a timeline; 404 also for one that this person may not know."""
    try:
        page = company_page.read(request.user, pk)
    except company_page.NoCompany as error:
        raise Http404 from error
    return render(request, "feed/company.html", {"page": page})


@require_safe
@can_read
@never_cache
def company_changes(request: HttpRequest, pk: int) -> HttpResponse:
    """A fragment: what the company's newest filing says otherwise than the one before."""
    changes = filing_changes.since_last_filing(request.user, pk)
    return render(request, "feed/_changes.html", {"changes": changes})


@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
@never_cache
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Without signing in: a page that asks, and its button. Says nothing of whose token it is."""
    done = request.method == "POST"
    if done:
        digesting.unsubscribe(token)
    return render(request, "feed/unsubscribe.html", {"done": done})


@require_safe
@can_read
@never_cache
@seen_once()
def news(request: HttpRequest) -> HttpResponse:
    """A fragment: how many documents were ranked since `since`, where there are any."""
    since = _since(request)
    count = reading.count_new(request.user, since) if since else 0
    query = as_query(read_filters(request.GET, request.user))
    return render(request, "feed/_news.html", {"count": count, "since": since, "query": query})


@require_safe
@can_read
@never_cache
def live(request: HttpRequest) -> HttpResponseBase:
    """A stream that says when `news` has more to tell; 204 where nothing can be streamed."""
    since = _since(request)
    if since is None or not isinstance(request, ASGIRequest):
        return HttpResponse(status=204)
    if not connection.in_atomic_block:
        # It would be held until the stream ends.
        connection.close()
    return StreamingHttpResponse(
        announcing.stream(request.user, since),
        content_type="text/event-stream; charset=utf-8",
        headers={"X-Accel-Buffering": "no"},
    )


def _since(request: HttpRequest) -> datetime | None:
    try:
        since = parse_datetime(request.GET.get("since", "")[:40])
    except ValueError:
        return None
    return since if since and since.tzinfo else None


def _back(request: HttpRequest) -> str:
    return "feed:profile" if request.POST.get("next") == "profile" else "feed:feed"
