"""Pages of polled sources, for operators: how each is doing, and trying out a new one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from ingestion import onboarding
from ingestion.models import Document, Source
from ingestion.source_health import standings
from ingestion.sources import POLLED

can_operate = permission_required("ingestion.operate_pipeline", raise_exception=True)


class SourceForm(forms.Form):
    """What a new source is; only its location is needed to try it out."""

    location = forms.CharField(
        max_length=4000, label="Address of a feed or page, CIK, or folder of mail"
    )
    kind = forms.ChoiceField(required=False, label="Kind of source")
    name = forms.CharField(max_length=110, required=False)
    default_kind = forms.ChoiceField(
        choices=[("", "Found in each document"), *Document.Kind.choices],
        required=False,
        label="Its documents are",
    )
    credibility = forms.FloatField(min_value=0, max_value=1, initial=0.5)
    poll_minutes = forms.IntegerField(
        min_value=1, max_value=10_080, initial=30, label="Ask it every … minutes"
    )

    def __init__(self, *values: Any, **more: Any) -> None:
        super().__init__(*values, **more)
        kinds = [(kind, Source.Kind(kind).label) for kind in POLLED]
        self.fields["kind"].choices = [("", "Found out by trying"), *kinds]  # type: ignore[attr-defined]


@require_safe
@can_operate
@never_cache
def sources(request: HttpRequest) -> HttpResponse:
    """Every polled source that the operator may see, with its ledger and its state in words."""
    rows = standings(Source.objects.visible_to(request.user).order_by("name"))
    return render(request, "ingestion/sources.html", {"standings": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@can_operate
@never_cache
def new_source(request: HttpRequest) -> HttpResponse:
    """Try a location out; the button on the answer switches it on."""
    if request.method != "POST":
        return _page(request, SourceForm())
    form = SourceForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    said = form.cleaned_data
    try:
        if "switch_on" in request.POST:
            source = onboarding.switch_on(**said)
            messages.success(request, f"“{source}” is switched on and will be asked at once.")
            return redirect("ingestion:sources")
        trial = onboarding.try_out(said["location"], said["kind"], said["default_kind"])
    except onboarding.Refused as error:
        form.add_error("location", str(error))
        return _page(request, form, status=422)
    # What was found out is what the second button sends.
    form = SourceForm({**said, "kind": trial.kind})
    return _page(request, form, trial=trial)


def _page(
    request: HttpRequest, form: SourceForm, status: int = 200, **more: object
) -> HttpResponse:
    context = {"form": form, **more}
    return render(request, "ingestion/new_source.html", context, status=status)
