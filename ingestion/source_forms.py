"""What an operator says of a source: when it is new, and when it is changed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import Group

from ingestion.models import Document, Source
from ingestion.sources import POLLED

KINDS = [(kind, Source.Kind(kind).label) for kind in POLLED]


class _Described(forms.Form):
    """What both have in common."""

    default_kind = forms.ChoiceField(
        choices=[("", "Found in each document"), *Document.Kind.choices],
        required=False,
        label="Its documents are",
    )
    credibility = forms.FloatField(
        min_value=0, max_value=1, initial=0.5, label="Credibility, 0 to 1"
    )
    poll_minutes = forms.IntegerField(
        min_value=1, max_value=10_080, initial=30, label="Ask it every … minutes"
    )
    groups = forms.ModelMultipleChoiceField(
        Group.objects.order_by("name"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Who may see its documents",
        help_text="None: everyone who may sign in.",
    )


class NewSourceForm(_Described):
    """What a new source is; only its location is needed to try it out."""

    location = forms.CharField(
        max_length=4000,
        label="Address of a feed or page, CIK, or folder of mail",
        help_text="For EDGAR: 320193, or 320193 10-K,10-Q since 2010.",
    )
    kind = forms.ChoiceField(
        choices=[("", "Found out by trying"), *KINDS], required=False, label="Kind of source"
    )
    name = forms.CharField(max_length=110, required=False)
    field_order = ("location", "kind", "name")


class EditSourceForm(_Described):
    """A source as it is; a source that is not asked regularly keeps its kind and its place."""

    name = forms.CharField(max_length=120)
    kind = forms.ChoiceField(choices=KINDS, label="Kind of source")
    location = forms.CharField(max_length=4000)
    active = forms.BooleanField(required=False, label="Switched on")
    field_order = ("name", "kind", "location")

    def __init__(self, source: Source, data: Any = None) -> None:
        self.source = source
        said = {name: getattr(source, name) for name in self.base_fields if name != "groups"}
        initial = {**said, "groups": list(source.groups.values_list("pk", flat=True))}
        super().__init__(data, initial=initial)
        if source.kind not in POLLED:
            for name in ("kind", "location", "poll_minutes"):
                del self.fields[name]

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if Source.objects.filter(name=name).exclude(pk=self.source.pk).exists():
            raise forms.ValidationError("Another source has this name.")
        return name
