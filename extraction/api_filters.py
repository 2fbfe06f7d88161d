"""What the API's results may be confined to; any other parameter is a 400 that names it."""

from __future__ import annotations

from typing import Any, cast

import django_filters
from django import forms
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field

from extraction.result_tables import ExtractionRun
from ingestion.filters import ScopeFilter, SeveralFilter
from ingestion.models import Document
from ingestion.querysets import DocumentQuerySet
from ingestion.sightings import arrivals


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class Words(SeveralFilter):
    pass


@extend_schema_field({"type": "array", "items": {"type": "string", "format": "uuid"}})
class Documents(SeveralFilter):
    pass


class ResultFilter(ScopeFilter):
    """Of rows that have a `document` and a `schema`, whatever the document's scope.

    Without `document` only what its source still says: not superseded, withdrawn or dropped.
    """

    document = Documents(one=forms.UUIDField(), label="Id of a document")
    schema = Words(one=forms.CharField(max_length=40), label="Name of a schema")

    class Meta:
        model = None  # Rows of several tables.
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows of documents that the caller may see, in the scope, and of these schemas."""
        chosen = self.form.cleaned_data
        rows = queryset.filter(document__in=self._documents())
        if chosen["schema"]:
            rows = rows.filter(schema__name__in=chosen["schema"])
        return self.narrowed(rows, chosen)

    def narrowed(self, rows: QuerySet[Any], chosen: dict[str, Any]) -> QuerySet[Any]:  # noqa: ARG002
        """By what only some of the lists know."""
        return rows

    def _documents(self) -> DocumentQuerySet:
        assert self.request is not None
        user = self.request.user
        documents = Document.objects.visible_to(user).order_by()
        wanted = self.form.cleaned_data["document"]
        if wanted:
            known = arrivals(user).filter(public_id__in=wanted)
            bodies = [row.duplicate_of_id or row.pk for row in known.only("pk", "duplicate_of")]
            documents = documents.filter(pk__in=bodies)
        else:
            documents = documents.living()
        return documents.within(self.scope())


class SpanFilter(ResultFilter):
    """Of spans; a label is looked for in every schema."""

    label = Words(one=forms.CharField(max_length=80), label="Name of a label")
    min_confidence = django_filters.NumberFilter(min_value=0, max_value=1, label="0 to 1")

    def narrowed(self, rows: QuerySet[Any], chosen: dict[str, Any]) -> QuerySet[Any]:
        if chosen["label"]:
            rows = rows.filter(label__in=chosen["label"])
        return _sure(rows, chosen)


class RelationFilter(ResultFilter):
    """Of relations; `label` is that of either end."""

    relation = Words(one=forms.CharField(max_length=80), label="Name of a relation")
    label = Words(one=forms.CharField(max_length=80), label="Label of the head or the tail")
    min_confidence = django_filters.NumberFilter(min_value=0, max_value=1, label="0 to 1")

    def narrowed(self, rows: QuerySet[Any], chosen: dict[str, Any]) -> QuerySet[Any]:
        if chosen["relation"]:
            rows = rows.filter(relation__in=chosen["relation"])
        if chosen["label"]:
            heads = rows.filter(head__label__in=chosen["label"])
            rows = heads | rows.filter(tail__label__in=chosen["label"])
        return _sure(rows, chosen)


class RunFilter(ResultFilter):
    """Of runs, those that failed or wait among them."""

    state = django_filters.MultipleChoiceFilter(choices=ExtractionRun.State.choices)

    def narrowed(self, rows: QuerySet[Any], chosen: dict[str, Any]) -> QuerySet[Any]:
        return rows.filter(state__in=chosen["state"]) if chosen["state"] else rows


def _sure(rows: QuerySet[Any], chosen: dict[str, Any]) -> QuerySet[Any]:
    least = chosen["min_confidence"]
    return rows if least is None else rows.filter(confidence__gte=float(cast("Any", least)))
