"""The ledger: what each source gave and how far it came, and doing a stage of a source again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from ingestion import pipeline, rerunning, withdrawing
from ingestion.arrival_views import can_operate
from ingestion.ledger import ledger as read_ledger
from ingestion.models import Source
from ingestion.reading import offset
from ingestion.showing_progress import in_words

NO_SOURCE = "There is no source of this number."


@require_safe
@can_operate
@never_cache
def ledger(request: HttpRequest) -> HttpResponse:
    """Every source that the person may see, and their total."""
    sources = Source.objects.visible_to(request.user)
    counts = pipeline.progress()
    context = {
        "ledger": read_ledger(sources),
        "counts": counts,
        "left": in_words(counts["seconds_left"]),
        "stages": rerunning.STAGES.items(),
    }
    return render(request, "ingestion/ledger.html", context)


@require_POST
@can_operate
def rerun(request: HttpRequest) -> HttpResponse:
    """One stage of one source again."""
    source = _source(request)
    try:
        stage = request.POST.get("stage", "")
        done = rerunning.rerun_source(source, stage) if source else ""
    except rerunning.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        if done:
            messages.success(request, done)
        else:
            messages.error(request, NO_SOURCE)
    return redirect("ingestion:ledger")


@require_POST
@can_operate
def confirm_absent(request: HttpRequest) -> HttpResponse:
    """What is missing in a source's folder was deleted: withdraw it."""
    source = _source(request)
    if source is None:
        messages.error(request, NO_SOURCE)
    else:
        done = withdrawing.confirm_absent(source)
        messages.success(request, f"{done:,} documents of {source} were withdrawn.")
    return redirect("ingestion:ledger")


def _source(request: HttpRequest) -> Source | None:
    number = offset(request.POST.get("source", ""))
    return Source.objects.visible_to(request.user).filter(pk=number or 0).first()
