"""Pages of answers: asking, one answer, the history of one's own, and what one made of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ingestion.reading import offset
from qa import feedback as opinions
from qa import streaming
from qa.answer_history import PER_PAGE, own_answers, recent_questions
from qa.asking import ask as put_question
from qa.asking import checked
from qa.asking_forms import AskForm
from qa.asking_rate import TooMany, admit
from qa.experimenting import arms, by_outcome
from qa.feedback_tables import AnswerFeedback
from qa.reading_answers import NoAnswer, ReadAnswer, read
from qa.retrieval import BadQuery
from qa.scoping import as_address, clean, read_scope
from qa.showing_receipts import as_text, receipt_lines, steps
from qa.suggesting import start

LAST_PAGE = 250
SPANS = (7, 30, 90)
LONGEST_DAYS = 3_650
can_read = permission_required("ingestion.view_document", raise_exception=True)


@require_http_methods(["GET", "HEAD", "POST"])
@can_read
def ask(request: HttpRequest) -> HttpResponse:
    """The page to ask on. A POST, of browsers without scripts, answers and leads there."""
    if request.method == "POST":
        return _answered(request)
    return _page(request, request.GET)


@require_safe
@can_read
@never_cache
def answer(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A kept answer, below the form that asks it again."""
    found = _found(request, public_id)
    kept = found.ask
    params = as_address(kept.text, kept.scope)
    verdict = opinions.latest(kept, request.user)
    return _page(
        request,
        params,
        answer=found,
        removed=kept.understood.get("removed", []),
        receipt=receipt_lines(kept),
        steps=steps(kept, len(found.sentences)),
        plain=as_text(found, request.build_absolute_uri("/")),
        verdict=verdict,
        reasons=AnswerFeedback.Reason.choices,
    )


@require_safe
@can_read
@never_cache
def answers(request: HttpRequest) -> HttpResponse:
    """One's own questions, latest first, narrowed to those with the words `q`."""
    words = clean(request.GET.get("q", ""))[:200]
    number = min(offset(request.GET.get("page", "1")) or 1, LAST_PAGE)
    rows = own_answers(request.user, words, number)
    more = len(rows) > PER_PAGE and number < LAST_PAGE
    context = {
        "asks": rows[:PER_PAGE], "words": words, "number": number,
        "previous": number - 1, "next": number + 1 if more else None,
    }  # fmt: skip
    return render(request, "qa/answers.html", context)


@require_POST
@can_read
def feedback(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Keeps a verdict and leads back to the answer; 400 with the reason for one that is none."""
    found = _found(request, public_id)
    try:
        opinions.give(
            found.ask,
            request.user,
            request.POST.get("verdict", ""),
            reason=request.POST.get("reason", ""),
            text=request.POST.get("text", ""),
        )
    except opinions.BadFeedback as error:
        return HttpResponse(str(error), status=400, content_type="text/plain; charset=utf-8")
    return redirect("qa:answer", public_id=public_id)


@require_POST
@can_read
def opened(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Hears from the answer's page that a passage was opened from it."""
    opinions.note_opened(_found(request, public_id).ask, request.user)
    return HttpResponse(status=204)


@require_safe
@permission_required("ingestion.operate_pipeline", raise_exception=True)
@never_cache
def experiment(request: HttpRequest) -> HttpResponse:
    """For the operator: what analysts did with passages alone, and with composed answers."""
    days = min(offset(request.GET.get("days", "")) or 0, LONGEST_DAYS)
    since = timezone.now() - timedelta(days=days) if days else None
    found = arms(since)
    context = {
        "arms": found, "rows": by_outcome(found), "days": days, "spans": SPANS,
        "share": settings.ASK_EXPERIMENT_SHARE,
    }  # fmt: skip
    return render(request, "qa/experiment.html", context)


def _found(request: HttpRequest, public_id: UUID) -> ReadAnswer:
    try:
        return read(public_id, request.user)
    except NoAnswer as error:
        raise Http404 from error


def _answered(request: HttpRequest) -> HttpResponse:
    scope = read_scope(request.POST, request.user).scope
    try:
        question, options = _posted(request)
        admit(request.user)
        row = streaming.wait_for(
            lambda: put_question(question, request.user, scope=scope, **options)
        )
    except (BadQuery, TooMany) as error:
        return _page(request, request.POST, status=400, error=str(error))
    return HttpResponseRedirect(reverse("qa:answer", args=[row.public_id]))


def _posted(request: HttpRequest) -> tuple[str, dict[str, Any]]:
    """The question and the other arguments of `asking.ask`. Raises BadQuery."""
    form = AskForm(request.POST)
    if not form.is_valid():
        raise BadQuery(" ".join(form.messages()))
    options = form.options()
    same = request.POST.get("asked") == request.POST.get("q")
    if not same or "restore" in request.POST:
        # Chips that were removed from another question say nothing about this one.
        options["removed"] = ()
    return checked(form.cleaned_data["q"]), options


def _page(
    request: HttpRequest, params: QueryDict, *, status: int = 200, **context: Any
) -> HttpResponse:
    question = clean(params.get("q", ""))
    context |= {"question": question, "read": read_scope(params, request.user)}
    if "answer" not in context:
        context["start"] = start(request.user)
        context["recent"] = recent_questions(request.user)
    response = render(request, "qa/ask.html", context, status=status)
    patch_cache_control(response, private=True, no_cache=True)
    return response
