"""What a request's body says of a scope, as the search's address does: any API that is confined."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from ingestion.filters import ScopeFilter
from ingestion.models import Document
from ingestion.querysets import Scope

SCOPED = (
    *("company", "kind", "source", "topic", "fiscal_year", "fiscal_quarter"),
    *("published_from", "published_to"),
)
# Parameter of a page's address -> field of a `Scope`.
OF_ADDRESS = {
    "company": "companies",
    "kind": "kinds",
    "topic": "topics",
    "year": "fiscal_years",
    "quarter": "fiscal_quarters",
    "source": "sources",
    "from": "published_from",
    "to": "published_to",
}


class Names(serializers.ListField):
    child = serializers.CharField(max_length=200)


class Numbers(serializers.ListField):
    child = serializers.IntegerField()


class Strict(serializers.Serializer[Any]):
    """An unknown field is an error."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        unknown = set(self.initial_data) - set(self.fields)
        if unknown:
            raise serializers.ValidationError(
                {name: ["Unknown field."] for name in sorted(map(str, unknown))}
            )
        return attrs


class Scoped(Strict):
    """What is left out confines nothing; an unknown field is an error."""

    company = Names(required=False, help_text="names or tickers")
    kind = serializers.ListField(
        child=serializers.ChoiceField(choices=Document.Kind.choices), required=False
    )
    source = Names(required=False)  # type: ignore[assignment]
    topic = Names(required=False, help_text="keys")
    fiscal_year = Numbers(required=False)
    fiscal_quarter = Numbers(required=False)
    published_from = serializers.DateField(required=False)
    published_to = serializers.DateField(required=False)

    def scope(self, request: Any) -> Scope:
        """What it is confined to, once valid. Raises ValidationError by field."""
        asked = QueryDict(mutable=True)
        for name in SCOPED:
            value = self.validated_data.get(name)
            if value is not None:
                asked.setlist(name, [str(v) for v in value] if isinstance(value, list) else [value])
        parameters = ScopeFilter(asked, Document.objects.none(), request=request)
        if not parameters.is_valid():
            raise serializers.ValidationError(parameters.errors)
        return parameters.scope()
