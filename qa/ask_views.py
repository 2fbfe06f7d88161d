"""The stream of an answer, for the page."""

from __future__ import annotations

from functools import partial

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_POST

from qa import streaming
from qa.asking import ask, checked
from qa.asking_forms import AskForm
from qa.asking_rate import TooMany, admit
from qa.retrieval import BadQuery
from qa.scoping import read_scope


@require_POST
@permission_required("ingestion.view_document", raise_exception=True)
def stream(request: HttpRequest) -> HttpResponseBase:
    """Server-sent events of one answer; 400 or 429 with `error` as JSON before it begins.

    Posted: `q`, the page's filters under their names of the address, `removed` (keys of chips,
    repeated), `as_of` (ISO date), `again` (no answer given before), `compose` (an answer in
    spite of the experiment that lists passages).
    """
    form = AskForm(request.POST)
    if not form.is_valid():
        return _refused(" ".join(form.messages()), 400)
    try:
        question = checked(form.cleaned_data["q"])
        admit(request.user)
    except BadQuery as error:
        return _refused(str(error), 400)
    except TooMany as error:
        response = _refused(str(error), 429)
        response["Retry-After"] = str(error.seconds)
        return response
    scope = read_scope(request.POST, request.user).scope
    return streaming.respond(
        lambda on_event, cancelled: partial(ask, question, request.user, scope=scope)(
            **form.options(), on_event=on_event, cancelled=cancelled
        )
    )


def _refused(message: str, status: int) -> HttpResponse:
    return JsonResponse({"error": message}, status=status)
