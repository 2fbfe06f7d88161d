"""The search page, and the hits of a question within one document."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import push_url

from ingestion.querysets import Scope
from ingestion.sightings import arrivals
from qa.knowing import as_known
from qa.retrieval import BadQuery
from qa.retrieval import search as find
from qa.scoping import clean, read_scope
from qa.stepping import step_through
from qa.suggesting import start

HITS_PER_DOCUMENT = 20


@require_safe
@vary_on_headers("HX-Request")
@permission_required("ingestion.view_document", raise_exception=True)
def search(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx its part below the field; 400 with a message for a bad question."""
    question = clean(request.GET.get("q", ""))
    read = read_scope(request.GET, request.user)
    context: dict[str, Any] = {"question": question, "read": read}
    status = 200
    if question:
        try:
            results = find(question, request.user, read.scope)
            context |= {"results": results, "found": as_known(results.documents, request.user)}
        except BadQuery as error:
            context["error"] = str(error)
            status = 400
    else:
        context["start"] = start(request.user)
    partial = request.headers.get("HX-Request") and not request.headers.get(
        "HX-History-Restore-Request"
    )
    template = "qa/_outcome.html" if partial else "qa/search.html"
    response = render(request, template, context, status=status)
    patch_cache_control(response, private=True, no_cache=True)
    return push_url(response, f"?{read.query}") if partial else response


@require_safe
@permission_required("ingestion.view_document", raise_exception=True)
def hits(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A fragment: where else in this document the question is answered, and the neighbours."""
    document = get_object_or_404(arrivals(request.user).listed(), public_id=public_id)
    question = clean(request.GET.get("q", ""))
    try:
        scope = Scope(documents=(document.duplicate_of_id or document.pk,))
        results = find(
            question, request.user, scope, limit=HITS_PER_DOCUMENT, depth=HITS_PER_DOCUMENT
        )
        found = results.passages[:HITS_PER_DOCUMENT]
    except BadQuery:
        found = []
    steps = step_through(found, request.GET.get("start", ""))
    view = "text" if request.GET.get("view") == "text" else ""
    context = {"document": document, "question": question, "steps": steps, "view": view}
    return render(request, "qa/_hits.html", context)
