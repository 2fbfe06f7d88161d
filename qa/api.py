"""The API's search: passages with what is needed to cite them."""

from __future__ import annotations

from typing import Any

from django import forms
from django_filters import CharFilter, Filter
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from docintel.tokens import ViewOrAdd
from ingestion.filters import ScopeFilter, StrictFilterBackend, refuse_unknown
from ingestion.models import Document
from ingestion.sightings import standing_for
from qa.retrieval import BadQuery, search
from qa.serializers import Found, passage_of

MOST_PASSAGES = 100


@extend_schema_field(OpenApiTypes.INT)
class WholeNumber(Filter):
    field_class = forms.IntegerField


class SearchParameters(ScopeFilter):
    """The question, how many passages, and the scope."""

    q = CharFilter(label="The question; words in double quotes must occur exactly so")
    limit = WholeNumber(
        min_value=1,
        max_value=MOST_PASSAGES,
        label=f"How many passages: 10 unless told, {MOST_PASSAGES} at most",
    )


class Search(GenericAPIView[Document]):
    """One search; never more than the caller may see."""

    permission_classes = [ViewOrAdd]
    queryset = Document.objects.none()
    serializer_class = Found
    filterset_class = SearchParameters
    filter_backends = [StrictFilterBackend]
    pagination_class = None

    @extend_schema(operation_id="search", filters=True, responses=Found)
    def get(self, request: Request) -> Response:
        """The best passages for a question, by its words and by its meaning."""
        refuse_unknown(request, set(SearchParameters.base_filters))
        parameters = SearchParameters(request.query_params, self.queryset, request=request)
        if not parameters.is_valid():
            raise ValidationError(parameters.errors)
        limit = parameters.form.cleaned_data["limit"] or 10
        try:
            question = request.query_params.get("q", "")
            results = search(question, request.user, parameters.scope(), limit=limit)
        except BadQuery as error:
            raise ValidationError({"q": [str(error)]}) from error
        known = standing_for({hit.document_id for hit in results.passages}, request.user)
        found: dict[str, Any] = {
            "question": question,
            "notes": results.notes,
            "seconds": results.seconds,
            "passages": [
                passage_of(hit, known[hit.document_id], request)
                for hit in results.passages[:limit]
                if hit.document_id in known
            ],
        }
        return Response(self.get_serializer(found).data)
