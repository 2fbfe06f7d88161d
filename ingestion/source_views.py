"""Pages of sources, for operators: how each is doing, changing one, and trying out a new one."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from ingestion import changing_sources, onboarding
from ingestion.comparing_sources import hints
from ingestion.ledger import ledger
from ingestion.models import Source
from ingestion.source_forms import EditSourceForm, NewSourceForm
from ingestion.source_health import describe, standings
from ingestion.source_querysets import SourceQuerySet
from ingestion.sources import POLLED

SHOWN_DAYS = 7

can_operate = permission_required("ingestion.operate_pipeline", raise_exception=True)


@require_safe
@can_operate
@never_cache
def sources(request: HttpRequest) -> HttpResponse:
    """Every polled source that the operator may see, with its ledger and its state in words."""
    visible = Source.objects.visible_to(request.user).order_by("name")
    context = {"standings": standings(visible), "others": others(visible)}
    return render(request, "ingestion/sources.html", context)


@require_safe
@can_operate
@never_cache
def source(request: HttpRequest, source: int) -> HttpResponse:
    """One source: its health in plain words, its numbers, what failed, and how it compares."""
    found = _visible(request, source)
    compared = list(found.comparisons.all()[:SHOWN_DAYS])
    context = {
        "source": found,
        "health": describe(found),
        "line": ledger([found]).lines[0],
        "failed": found.items.filter(gave_up_at__isnull=False).order_by("-gave_up_at")[:10],
        "compared": compared,
        "hints": hints(compared[0]) if compared else [],
    }
    return render(request, "ingestion/source.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@can_operate
@never_cache
def edit_source(request: HttpRequest, source: int) -> HttpResponse:
    """Change what a source is, how often it is asked and who may see it."""
    found = _visible(request, source)
    form = EditSourceForm(found, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            changing_sources.change(found, request.user, **form.cleaned_data)
        except changing_sources.Refused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"“{found}” is saved.")
            if Source.objects.visible_to(request.user).filter(pk=found.pk).exists():
                return redirect("ingestion:source", found.pk)
            return redirect("ingestion:sources")
    context = {"form": form, "source": Source.objects.get(pk=found.pk)}
    status = 422 if form.errors else 200
    return render(request, "ingestion/edit_source.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@can_operate
@never_cache
def new_source(request: HttpRequest) -> HttpResponse:
    """Try a location out; the button on the answer switches it on."""
    if request.method != "POST":
        return _page(request, NewSourceForm())
    form = NewSourceForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    said = form.cleaned_data
    try:
        if "switch_on" in request.POST:
            made = onboarding.switch_on(**said)
            messages.success(request, f"“{made}” is switched on and will be asked at once.")
            return redirect("ingestion:sources")
        trial = onboarding.try_out(said["location"], said["kind"], said["default_kind"])
    except onboarding.Refused as error:
        form.add_error("location", str(error))
        return _page(request, form, status=422)
    # What was found out is what the second button sends.
    form = NewSourceForm(initial={**said, "kind": trial.kind})
    return _page(request, form, trial=trial)


def others(visible: SourceQuerySet) -> SourceQuerySet:
    """Those that are not asked regularly: folders, uploads, pushes."""
    return visible.exclude(kind__in=POLLED)


def _visible(request: HttpRequest, pk: int) -> Source:
    found = Source.objects.visible_to(request.user).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _page(
    request: HttpRequest, form: NewSourceForm, status: int = 200, **more: object
) -> HttpResponse:
    context = {"form": form, **more}
    return render(request, "ingestion/new_source.html", context, status=status)
