"""The page on which an analyst rates a handful of documents a week."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from feed import rating
from feed.explaining import passage_of
from feed.following import profile_of
from feed.rating import NotAsked

GRADES = (
    (1, "Not relevant"), (2, "Hardly"), (3, "Somewhat"), (4, "Relevant"), (5, "Must read"),
)  # fmt: skip

can_read = permission_required("ingestion.view_document", raise_exception=True)


@require_http_methods(["GET", "HEAD", "POST"])
@can_read
@never_cache
def ratings(request: HttpRequest) -> HttpResponse:
    """The next document to rate; posted to, `ask` and `grade`, empty for "cannot say"."""
    profile_of(request.user)
    if request.method == "POST":
        ask, grade = request.POST.get("ask", ""), request.POST.get("grade", "")
        if not (ask.isascii() and ask.isdigit() and len(ask) < 19) or grade not in {*"12345", ""}:
            raise Http404
        try:
            rating.rate(request.user, int(ask), int(grade) if grade else None)
        except NotAsked as error:
            raise Http404 from error
        if not rating.asked(request.user):
            messages.success(request, "Thank you: that was all for this week.")
            return redirect("feed:feed")
        return redirect("feed:ratings")
    open_asks = rating.asked(request.user)
    context = {"left": len(open_asks), "grades": GRADES}
    if open_asks:
        context |= {
            "asked": open_asks[0], "passage": passage_of(open_asks[0].ask.document_id),
        }  # fmt: skip
    return render(request, "feed/ratings.html", context)
