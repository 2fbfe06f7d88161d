"""The review desk: one item on one screen, judged by keys; its addresses are in `review.admin`."""

from __future__ import annotations

import json
import math
from typing import Any, cast

from django.contrib.admin import site
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from review import choosing_items
from review.correcting import Overtaken, Said, correct, last_of, undo
from review.judging import BadVerdict, Given
from review.keys import DEFAULTS, BadKeys, keys_of, set_keys
from review.keys import shown as key_shown
from review.leasing import next_item, release, take
from review.models import ReviewItem
from review.showing_items import show

can_correct = permission_required("review.correct_reviewitem", raise_exception=True)
LONGEST_BODY = 20_000
MOST_BESIDES = 20


def person(request: HttpRequest) -> User:
    return cast("User", request.user)


def visible(request: HttpRequest, pk: int) -> ReviewItem:
    """The item as this person may know it, or 404."""
    items = ReviewItem.objects.visible_to(person(request)).listed()
    item = items.filter(pk=pk).first()
    if item is None:
        raise Http404
    return item


@require_safe
@can_correct
@never_cache
def desk(request: HttpRequest) -> HttpResponse:
    """The page around the items; the first one comes with it, so that it is there at once."""
    user = person(request)
    filters = choosing_items.read(request.GET, user)
    number = choosing_items.number(request.GET.get("item", ""))
    item = visible(request, number) if number else next_item(user, filters)
    keys = keys_of(user)
    context = {
        **site.each_context(request),
        "title": "Review desk",
        # The whole width is for the passage.
        "is_nav_sidebar_enabled": False,
        "is_fullwidth": "1",
        "filters": filters,
        "keys": keys,
        "actions": [
            (action, key_shown(keys[action]), words) for action, (_, words) in DEFAULTS.items()
        ],
        **(_of_item(request, item) if item else {"waiting": _waiting(user)}),
    }
    return render(request, "admin/review/desk.html", context)


@require_safe
@can_correct
@never_cache
def next_one(request: HttpRequest) -> HttpResponse:
    """A fragment: the next item, leased; 204 where nothing is left."""
    user = person(request)
    given = request.GET.get("besides", "").split(",")[:MOST_BESIDES]
    besides = [choosing_items.number(one) for one in given]
    item = next_item(user, choosing_items.read(request.GET, user), besides)
    if item is None:
        return HttpResponse(status=204)
    return render(request, "admin/review/_item.html", _of_item(request, item))


@require_safe
@can_correct
@never_cache
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """A fragment: this very item, reviewed or not."""
    return render(request, "admin/review/_item.html", _of_item(request, visible(request, pk)))


@require_POST
@can_correct
def verdict(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a verdict, given as JSON; 409 where somebody was quicker, 400 where it cannot be."""
    item = visible(request, pk)
    try:
        said = correct(person(request), item.pk, _given(request))
    except Overtaken as error:
        return JsonResponse({"error": str(error), "seen": error.seen}, status=409)
    except BadVerdict as error:
        return JsonResponse({"error": str(error)}, status=400)
    return _told(said)


@require_POST
@can_correct
def undo_last(request: HttpRequest) -> HttpResponse:
    """Take back this person's last verdict; says which item to show again."""
    last = last_of(person(request))
    if last is None:
        return JsonResponse({"error": "There is nothing to undo."}, status=400)
    try:
        return _told(undo(person(request), last))
    except BadVerdict as error:
        return JsonResponse({"error": str(error)}, status=400)


@require_POST
@can_correct
def leave(request: HttpRequest) -> HttpResponse:
    """Give back what this person holds, so that others need not wait for the leases to end."""
    release(person(request))
    return redirect("admin:review_reviewitem_changelist")


@can_correct
@never_cache
def keys(request: HttpRequest) -> HttpResponse:
    """The person's own keys."""
    user, error = person(request), ""
    if request.method == "POST":
        try:
            set_keys(user, request.POST)
            return redirect("admin:review_reviewitem_desk")
        except BadKeys as bad:
            error = str(bad)
    own = {
        **keys_of(user),
        **{name: request.POST[name] for name in DEFAULTS if name in request.POST},
    }
    rows = [(name, own[name], words, default) for name, (default, words) in DEFAULTS.items()]
    context = {**site.each_context(request), "title": "Keys of the desk", "rows": rows}
    return render(request, "admin/review/keys.html", context | {"error": error})


def _of_item(request: HttpRequest, item: ReviewItem) -> dict[str, Any]:
    mine = take(item, person(request))
    return {"shown": show(item, person(request)), "held": not mine}


def _waiting(user: User) -> int:
    return ReviewItem.objects.visible_to(user).waiting().count()


def _given(request: HttpRequest) -> Given:
    """From the body. Raises BadVerdict where it is not what the page sends."""
    try:
        if len(request.body) > LONGEST_BODY:
            raise BadVerdict("That is too long.")
        values = json.loads(request.body)
        return Given(
            verdict=str(values["verdict"]),
            label=_text(values.get("label")),
            start=_offset(values.get("start")),
            end=_offset(values.get("end")),
            relation=_text(values.get("relation")),
            head=_offset(values.get("head")),
            tail=_offset(values.get("tail")),
            reason=_text(values.get("reason")),
            seconds=_seconds(values.get("seconds")),
            seen=_offset(values.get("seen")) or 0,
            all=values.get("all") is True,
        )
    except (ValueError, TypeError, KeyError, AttributeError, RawPostDataException) as error:
        raise BadVerdict("The page sent something else than a verdict; load it again.") from error


def _text(value: Any) -> str:
    return str(value or "").replace("\0", " ")


def _offset(value: Any) -> int | None:
    if value is None:
        return None
    number = int(value)
    if not 0 <= number < 2**62:
        raise ValueError(value)
    return number


def _seconds(value: Any) -> float | None:
    """At most a day; None for what is no number."""
    if value is None or not math.isfinite(float(value)):
        return None
    return min(max(float(value), 0.0), 86_400.0)


def _told(said: Said) -> HttpResponse:
    first = said.corrections[0]
    told = {
        "item": first.item_id,
        "correction": first.pk,
        "verdict": first.get_verdict_display(),
        "count": len(said.corrections),
        "note": said.note,
        "added": said.added,
    }
    return JsonResponse(told)
