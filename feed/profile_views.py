"""The page on which an analyst sees and changes all that their feed goes by; and the first one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from feed import coverage, known, saving
from feed.following import (
    CannotFollow,
    drop_interest,
    follow,
    follow_all,
    grouped,
    profile_of,
    state_interest,
)
from feed.models import FeedProfile, Follow, Interest
from feed.saving_searches import searches_of
from ingestion.models import Company, Document

LONGEST_PASTE = 50_000
SUGGESTED = 24

can_read = permission_required("ingestion.view_document", raise_exception=True)


@require_safe
@can_read
@never_cache
def profile(request: HttpRequest) -> HttpResponse:
    """Everything followed and muted, stated interests, the digest and the history."""
    find = request.GET.get("find", "").replace("\0", "").strip()[:100]
    groups, is_cut = grouped(request.user, find)
    context = {
        "profile": profile_of(request.user),
        "groups": groups,
        "is_cut": is_cut,
        "find": find,
        "interests": Interest.objects.filter(user=request.user.pk),
        "topics": known.topics(),
        "sources": known.sources(request.user),
        "kinds": Document.Kind.choices,
        "searches": searches_of(request.user),
        "history": saving.history(request.user),
        "digests": FeedProfile.Digest.choices,
    }
    return render(request, "feed/profile.html", context)


@require_POST
@can_read
def change(request: HttpRequest) -> HttpResponse:
    """One change of the profile page: `what` says which; back to the page with a word on it."""
    what = request.POST.get("what", "")
    try:
        said = _CHANGES[what](request) if what in _CHANGES else ""
    except CannotFollow as error:
        messages.error(request, str(error))
    else:
        if said:
            messages.success(request, said)
    return redirect("feed:profile")


def _interest(request: HttpRequest) -> str:
    state_interest(request.user, request.POST.get("text", ""))
    return "Your interest is kept; the feed goes by it from now on."


def _drop_interest(request: HttpRequest) -> str:
    number = request.POST.get("interest", "")
    fits = number.isascii() and number.isdigit() and len(number) < 19
    return "Removed." if fits and drop_interest(request.user, int(number)) else ""


def _phrase(request: HttpRequest) -> str:
    row = follow(
        request.user, Follow.Kind.PHRASE, request.POST.get("phrase", ""),
        muted=request.POST.get("stance") == "mute",
    )  # fmt: skip
    return f"You {'mute' if row.muted else 'follow'} {row.label}."


def _company(request: HttpRequest) -> str:
    found = known.find_companies(request.POST.get("company", ""), request.user)
    if not found:
        raise CannotFollow("No company of that name is known here.")
    row = follow(
        request.user, Follow.Kind.COMPANY, str(found[0].pk),
        muted=request.POST.get("stance") == "mute",
    )  # fmt: skip
    return f"You {'mute' if row.muted else 'follow'} {row.label}."


def _digest(request: HttpRequest) -> str:
    wanted = request.POST.get("digest", "")
    if wanted not in FeedProfile.Digest.values:
        return ""
    FeedProfile.objects.filter(user=request.user.pk).update(digest=wanted)
    return "Kept."


def _delete_history(request: HttpRequest) -> str:
    gone = saving.delete_history(request.user)
    return f"Your history is deleted: {gone:,} entries."


_CHANGES: dict[str, Any] = {
    "interest": _interest,
    "drop-interest": _drop_interest,
    "phrase": _phrase,
    "company": _company,
    "digest": _digest,
    "delete-history": _delete_history,
}


@require_http_methods(["GET", "HEAD", "POST"])
@can_read
@never_cache
def start(request: HttpRequest) -> HttpResponse:
    """The first look: pick companies and topics, or paste a coverage list and confirm it."""
    profile_of(request.user)
    context: dict[str, Any] = {
        "companies": suggested(request),
        "topics": known.topics(),
    }
    if request.method != "POST":
        return render(request, "feed/start.html", context)
    pasted = request.POST.get("coverage", "")
    if pasted.strip() and "confirmed" not in request.POST:
        if len(pasted) > LONGEST_PASTE:
            context["error"] = f"At most {LONGEST_PASTE:,} characters at a time."
            return render(request, "feed/start.html", context, status=422)
        lines = coverage.resolve(pasted, request.user)
        context = {"lines": lines, "topics_chosen": request.POST.getlist("topic")}
        context["companies_chosen"] = request.POST.getlist("company")
        return render(request, "feed/confirm.html", context)
    numbers = [v for v in request.POST.getlist("company") if v.isascii() and v.isdigit()]
    companies = [int(value) for value in numbers if len(value) < 19]
    topics = [value.replace("\0", "")[:40] for value in request.POST.getlist("topic")]
    try:
        count = follow_all(request.user, companies, topics)
    except CannotFollow as error:
        context["error"] = str(error)
        return render(request, "feed/start.html", context, status=422)
    FeedProfile.objects.filter(user=request.user.pk).update(started_at=timezone.now())
    if count:
        messages.success(request, f"You follow {count:,} more. Your feed goes by it.")
    return redirect("feed:feed")


def suggested(request: HttpRequest) -> list[Company]:
    """Companies with the most recent documents that this person may see."""
    documents = Document.objects.visible_to(request.user).searchable().order_by("-received_at")
    newest = documents.filter(company__isnull=False).values_list("company", flat=True)[:500]
    ids = list(dict.fromkeys(newest))[:SUGGESTED]
    rows = Company.objects.in_bulk([pk for pk in ids if pk])
    return [rows[pk] for pk in ids if pk in rows]
