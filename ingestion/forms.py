"""What people type about documents: details of an upload, corrections, and filters of the list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q

from ingestion.mentioned import mentioning
from ingestion.models import FISCAL_YEARS, Document, Topic
from ingestion.querysets import DocumentQuerySet
from ingestion.sightings import STATES

ANY = [("", "Any")]
ORDERS = {
    "received": ("Newest arrival", ("-received_at", "-pk")),
    "published": ("Newest publication", ("-published_on", "-pk")),
    "title": ("Title", ("title", "pk")),
    "company": ("Company", ("company__name", "-fiscal_year", "-fiscal_quarter", "pk")),
}
QUARTERS = [("", "–"), *((str(number), f"Q{number}") for number in range(1, 5))]


class DateInput(forms.DateInput):
    input_type = "date"


class DetailsForm(forms.Form):
    """Details that hold for every file of an upload; all optional."""

    kind = forms.ChoiceField(
        choices=[("", "Found in the file"), *Document.Kind.choices], required=False
    )
    company = forms.CharField(max_length=200, required=False)
    fiscal_year = forms.IntegerField(
        min_value=FISCAL_YEARS[0], max_value=FISCAL_YEARS[1], required=False
    )
    fiscal_quarter = forms.TypedChoiceField(
        choices=QUARTERS, coerce=int, empty_value=None, required=False
    )
    published_on = forms.DateField(
        widget=DateInput(format="%Y-%m-%d"), required=False, label="Published on"
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("fiscal_quarter") and not values.get("fiscal_year"):
            self.add_error("fiscal_year", "A fiscal quarter needs its fiscal year.")
        return values

    def described(self) -> dict[str, Any]:
        """Only what was said."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}


class EditForm(DetailsForm):
    """Every detail of one document, as a person corrects it."""

    title = forms.CharField(max_length=500)
    kind = forms.ChoiceField(choices=Document.Kind.choices)
    field_order = ("title", "kind", "company", "fiscal_year", "fiscal_quarter", "published_on")

    @classmethod
    def about(cls, document: Document, data: Any = None) -> EditForm:
        """The form, filled with what is known."""
        known = {name: getattr(document, name) for name in cls.field_order}
        known["company"] = document.company.name if document.company else ""
        known["title"] = str(document)
        return cls(data, initial=known)

    def changes(self) -> dict[str, Any]:
        """Only the fields that the person changed, so that the others keep who said them."""
        return {name: self.cleaned_data[name] or None for name in self.changed_data}


class ListForm(forms.Form):
    """Filters of the list of documents; a value that is none of the choices filters nothing."""

    name = forms.CharField(max_length=200, required=False, label="Title, file or company")
    mentions = forms.CharField(max_length=200, required=False, label="Mentions company")
    kind = forms.ChoiceField(choices=[*ANY, *Document.Kind.choices], required=False)
    state = forms.ChoiceField(
        choices=[*ANY, *((state, state.capitalize()) for state in STATES)], required=False
    )
    topic = forms.ModelChoiceField(
        Topic.objects.filter(active=True), required=False, empty_label="Any"
    )
    year = forms.IntegerField(
        min_value=FISCAL_YEARS[0], max_value=FISCAL_YEARS[1], required=False, label="Fiscal year"
    )
    order = forms.ChoiceField(
        choices=[(name, label) for name, (label, _) in ORDERS.items()], required=False
    )

    def narrowed(self, documents: DocumentQuerySet) -> DocumentQuerySet:
        """The documents that match, in the order asked for."""
        self.is_valid()
        values = self.cleaned_data
        if name := values.get("name"):
            documents = documents.filter(
                Q(title__icontains=name)
                | Q(file_name__icontains=name)
                | Q(company__name__icontains=name)
            )
        if company := values.get("mentions"):
            documents = mentioning(documents, [company])
        exact = {"kind": "kind", "state": "shown_state", "year": "fiscal_year"}
        wanted = {field: values.get(name) for name, field in exact.items()}
        documents = documents.filter(**{field: value for field, value in wanted.items() if value})
        if topic := values.get("topic"):
            documents = documents.about([topic.key])
        _, order = ORDERS[values.get("order") or "received"]
        return documents.order_by(*order)
