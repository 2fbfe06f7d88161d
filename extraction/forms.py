"""What people choose on the page of bulk runs: a schema, and which documents."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from extraction.choosing import Chosen
from extraction.result_tables import BulkRun
from extraction.schema_tables import Schema
from ingestion.filters import company_ids
from ingestion.forms import ANY, QUARTERS, DateInput
from ingestion.models import FISCAL_YEARS, Company, Document, Source
from ingestion.querysets import Scope, User


class BulkForm(forms.Form):
    """A scope, as in search; every field but the schema may be empty."""

    schema = forms.ModelChoiceField(Schema.objects.none(), to_field_name="name", empty_label=None)
    source = forms.ModelChoiceField(Source.objects.none(), required=False, empty_label="Any")
    folder = forms.CharField(
        max_length=400, required=False, label="Folder", help_text="within the source"
    )
    kind = forms.ChoiceField(choices=[*ANY, *Document.Kind.choices], required=False)
    company = forms.CharField(max_length=200, required=False, label="Company")
    year = forms.IntegerField(
        min_value=FISCAL_YEARS[0], max_value=FISCAL_YEARS[1], required=False, label="Fiscal year"
    )
    quarter = forms.TypedChoiceField(choices=QUARTERS, coerce=int, empty_value=None, required=False)
    published_from = forms.DateField(
        widget=DateInput(format="%Y-%m-%d"), required=False, label="Published from"
    )
    published_to = forms.DateField(
        widget=DateInput(format="%Y-%m-%d"), required=False, label="Published until"
    )
    again = forms.BooleanField(
        required=False, label="Also documents that these versions have read already"
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A schema that is switched off reads nothing by itself, and may be tried on a folder.
        self._choices("schema", Schema.objects.filter(version__gt=0).order_by("title", "name"))
        self._choices("source", Source.objects.visible_to(user))

    def _choices(self, name: str, rows: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows

    @property
    def schema_row(self) -> Schema:
        row: Schema = self.cleaned_data["schema"]
        return row

    def chosen(self) -> Chosen:
        """The scope; call after the form was found valid."""
        values = self.cleaned_data
        scope = Scope(
            companies=company_ids([values["company"]]) if values["company"] else (),
            kinds=(values["kind"],) if values["kind"] else (),
            sources=(values["source"].pk,) if values["source"] else (),
            fiscal_years=(values["year"],) if values["year"] else (),
            fiscal_quarters=(values["quarter"],) if values["quarter"] else (),
            published_from=values["published_from"],
            published_to=values["published_to"],
        )
        return Chosen(scope, values["folder"].strip().strip("/"))


def as_address(bulk: BulkRun) -> str:
    """The query string under which the form has the scope of an earlier run."""
    kept = bulk.scope
    query = QueryDict(mutable=True)
    query["schema"] = bulk.schema.name
    company = Company.objects.filter(pk__in=kept.get("companies", [])[:1]).first()
    first = {
        "source": "sources",
        "kind": "kinds",
        "year": "fiscal_years",
        "quarter": "fiscal_quarters",
    }
    for name, field in first.items():
        query[name] = str((kept.get(field) or [""])[0])
    query["company"] = company.name if company else ""
    for name in ("folder", "published_from", "published_to"):
        query[name] = kept.get(name, "")
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    return query.urlencode()
