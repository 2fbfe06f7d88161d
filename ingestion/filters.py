"""The allow-list of what the API filters and scopes by; any other parameter is a 400 that names it.

Nothing here follows a relation that the caller names: a parameter is one of these or an error.
"""

from __future__ import annotations

from typing import Any, cast

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from ingestion.mentioned import mentioning
from ingestion.models import FISCAL_YEARS, Company, Document, Source, Topic
from ingestion.querysets import DocumentQuerySet, Scope
from ingestion.sightings import STATES

MAX_VALUES = 50
# Longer than the longest question, so that its own message is the one shown.
MAX_LENGTH = 20_000
# Matches no row: a scope that names an unknown company must find nothing, not everything.
NO_ROW = 0


class Several(forms.Field):
    """A parameter that may be repeated; each value must be one that `one` accepts."""

    widget = forms.SelectMultiple

    def __init__(self, *, one: forms.Field, **options: Any) -> None:
        super().__init__(**options)
        self.one = one

    def clean(self, value: Any) -> list[Any]:
        """The cleaned values, empty ones left out."""
        values = [item for item in value or [] if item != ""]
        if len(values) > MAX_VALUES:
            raise forms.ValidationError(f"At most {MAX_VALUES} values.")
        return [self.one.clean(item) for item in values]


class SeveralFilter(django_filters.Filter):
    """Rows whose field is any of the values."""

    field_class = Several

    def filter(self, qs: QuerySet[Any], value: list[Any]) -> QuerySet[Any]:
        return qs.filter(**{f"{self.field_name}__in": value}) if value else qs


@extend_schema_field({"type": "array", "items": {"type": "integer"}})
class SeveralIntegers(SeveralFilter):
    pass


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class SeveralCompanies(SeveralFilter):
    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        return qs.filter(company__in=company_ids(value)) if value else qs


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class MentionsFilter(SeveralFilter):
    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        return mentioning(cast("DocumentQuerySet", qs), value) if value else qs


def company_ids(names: list[str]) -> tuple[int, ...]:
    """Ids of the companies of these names or tickers; never empty, see NO_ROW."""
    named = Q()
    for name in names:
        named |= Q(name__iexact=name) | Q(key=name.casefold()) | Q(ticker__iexact=name)
    return tuple(Company.objects.filter(named).values_list("pk", flat=True)) or (NO_ROW,)


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class SourcesFilter(django_filters.ModelMultipleChoiceFilter):
    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs.filter(source__in=[source.pk for source in value]) if value else qs


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class TopicsFilter(django_filters.ModelMultipleChoiceFilter):
    def filter(self, qs: Any, value: Any) -> Any:
        return qs.about([topic.key for topic in value]) if value else qs


def visible_sources(request: HttpRequest | None) -> QuerySet[Source]:
    """Sources that may be named: an invisible one is refused exactly as an unknown one."""
    if request is None:  # The schema is being written.
        return Source.objects.none()
    return Source.objects.visible_to(request.user)


class ScopeFilter(FilterSet):
    """What both the list of documents and the search may be confined to."""

    company = SeveralCompanies(one=forms.CharField(max_length=200), label="Name or ticker")
    kind = django_filters.MultipleChoiceFilter(choices=Document.Kind.choices)
    source = SourcesFilter(queryset=visible_sources, to_field_name="name", label="Name of a source")
    topic = TopicsFilter(
        queryset=lambda _: Topic.objects.filter(active=True), to_field_name="key", label="Key"
    )
    fiscal_year = SeveralIntegers(
        field_name="fiscal_year",
        one=forms.IntegerField(min_value=FISCAL_YEARS[0], max_value=FISCAL_YEARS[1]),
    )
    fiscal_quarter = SeveralIntegers(
        field_name="fiscal_quarter", one=forms.IntegerField(min_value=1, max_value=4)
    )
    published_from = django_filters.DateFilter(field_name="published_on", lookup_expr="gte")
    published_to = django_filters.DateFilter(field_name="published_on", lookup_expr="lte")

    class Meta:
        model = Document
        fields: list[str] = []

    def scope(self) -> Scope:
        """The same confinement for retrieval; call after the form was found valid."""
        chosen = self.form.cleaned_data
        return Scope(
            companies=company_ids(chosen["company"]) if chosen["company"] else (),
            kinds=tuple(chosen["kind"]),
            sources=tuple(source.pk for source in chosen["source"]),
            topics=tuple(topic.key for topic in chosen["topic"]),
            fiscal_years=tuple(chosen["fiscal_year"]),
            fiscal_quarters=tuple(chosen["fiscal_quarter"]),
            published_from=chosen["published_from"],
            published_to=chosen["published_to"],
        )


class DocumentFilter(ScopeFilter):
    """Of documents as `sightings.arrivals` annotates them."""

    mentions = MentionsFilter(
        one=forms.CharField(max_length=200), label="Name or ticker of a company it mentions"
    )

    state = django_filters.MultipleChoiceFilter(
        field_name="shown_state", choices=[(state, state) for state in STATES]
    )
    received_from = extend_schema_field(OpenApiTypes.DATETIME)(django_filters.IsoDateTimeFilter)(
        field_name="received_at", lookup_expr="gte"
    )
    received_to = extend_schema_field(OpenApiTypes.DATETIME)(django_filters.IsoDateTimeFilter)(
        field_name="received_at", lookup_expr="lte"
    )


class StrictFilterBackend(DjangoFilterBackend):
    """Filters by the view's `filterset_class`; unknown parameters are errors, not ignored.

    A view lists what else it reads from the address in `other_parameters`.
    """

    def get_filterset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        filterset = super().get_filterset(request, queryset, view)
        if filterset is not None:
            refuse_unknown(request, {*filterset.filters, *view.other_parameters})
        return filterset


def refuse_unknown(request: Request, known: set[str]) -> None:
    """400 that names each parameter that is unknown, too long or has a NUL in it."""
    errors = {}
    for name, values in request.query_params.lists():
        if name not in known:
            errors[name] = ["Unknown parameter."]
        elif any("\0" in value for value in values):
            errors[name] = ["Null characters are not allowed."]
        elif any(len(value) > MAX_LENGTH for value in values):
            errors[name] = [f"At most {MAX_LENGTH:,} characters."]
    if errors:
        raise ValidationError(errors)
