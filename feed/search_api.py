"""Saved searches over the API: listed, made, changed, deleted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from feed import known, saving_searches
from feed.api import OwnView
from feed.models import SavedSearch
from feed.saved_search_tables import LONGEST_NAME, LONGEST_QUERY, LONGEST_URL
from feed.saving_searches import CannotSave, searches_of
from feed.telling_matches import visible
from ingestion.scope_fields import SCOPED, Scoped

MOST_MATCHES = 50


class SearchChange(serializers.Serializer[Any]):
    """`alert` is badge, digest or mail; an empty `webhook` is none."""

    name = serializers.CharField(max_length=LONGEST_NAME, required=False)
    alert = serializers.ChoiceField(choices=SavedSearch.Alert.choices, required=False)
    paused = serializers.BooleanField(required=False)
    webhook = serializers.CharField(max_length=LONGEST_URL, allow_blank=True, required=False)


class SearchMake(Scoped):
    """A new search: words, and what they are confined to as in a search."""

    name = serializers.CharField(max_length=LONGEST_NAME)
    query = serializers.CharField(max_length=LONGEST_QUERY, allow_blank=True, required=False)
    alert = serializers.ChoiceField(choices=SavedSearch.Alert.choices, required=False)
    webhook = serializers.CharField(max_length=LONGEST_URL, allow_blank=True, required=False)


class MatchData(serializers.Serializer[Any]):
    document = serializers.UUIDField(source="public_id")
    title = serializers.CharField(source="__str__")
    received_at = serializers.DateTimeField()


class SearchData(serializers.ModelSerializer[SavedSearch]):
    """`secret` signs what the webhook gets; `fresh` counts matches that were not looked at."""

    id = serializers.UUIDField(source="public_id")
    filters = serializers.SerializerMethodField()
    fresh = serializers.IntegerField()
    matches = serializers.SerializerMethodField()

    class Meta:
        model = SavedSearch
        fields = (
            *("id", "name", "query", "filters", "alert", "paused", "created_at", "fresh"),
            *("webhook", "secret", "webhook_failures", "webhook_error", "webhook_off_at"),
            "matches",
        )

    def get_filters(self, row: SavedSearch) -> dict[str, Any]:
        """As they were given, by name, without what was closed to this person since."""
        scope, user = saving_searches.scope_of(row), self.context["request"].user
        sources = known.sources(user).filter(pk__in=scope.sources)
        values: list[Any] = [
            [company.name for company in known.known_of(scope.companies, user).values()],
            list(scope.kinds), [source.name for source in sources], list(scope.topics),
            list(scope.fiscal_years), list(scope.fiscal_quarters),
            scope.published_from, scope.published_to,
        ]  # fmt: skip
        return {name: value for name, value in zip(SCOPED, values, strict=True) if value}

    @extend_schema_field(MatchData(many=True))
    def get_matches(self, row: SavedSearch) -> Any:
        """The last ones that this person may still see."""
        return MatchData(visible(row, row.matches.all()[:MOST_MATCHES]), many=True).data


class Searches(OwnView):
    """What you want to hear of."""

    serializer_class = SearchData

    @extend_schema(operation_id="saved_searches", responses=SearchData(many=True))
    def get(self, request: Request) -> Response:
        """All of them."""
        rows = searches_of(request.user)
        return Response(SearchData(rows, many=True, context={"request": request}).data)

    @extend_schema(operation_id="save_search", request=SearchMake, responses={201: SearchData})
    def post(self, request: Request) -> Response:
        """Save one; documents that arrive from now on are compared with it."""
        said = SearchMake(data=request.data)
        said.is_valid(raise_exception=True)
        wanted = said.validated_data
        how = {name: wanted[name] for name in ("alert", "webhook") if name in wanted}
        try:
            row = saving_searches.save(
                request.user, wanted["name"], wanted.get("query", ""), said.scope(request), **how
            )
        except CannotSave as error:
            raise ValidationError({error.field: [str(error)]}) from error
        return Response(_data(request, row.public_id), status=201)


class Search(OwnView):
    """One of your own."""

    serializer_class = SearchData

    @extend_schema(operation_id="saved_search", responses=SearchData)
    def get(self, request: Request, public_id: UUID) -> Response:
        return Response(_data(request, public_id))

    @extend_schema(operation_id="change_search", request=SearchChange, responses=SearchData)
    def patch(self, request: Request, public_id: UUID) -> Response:
        """What is left out stays; a webhook given again is tried anew."""
        row = _own(request, public_id)
        said = SearchChange(data=request.data)
        said.is_valid(raise_exception=True)
        try:
            saving_searches.change(row, **said.validated_data)
        except CannotSave as error:
            raise ValidationError({error.field: [str(error)]}) from error
        return Response(_data(request, public_id))

    @extend_schema(operation_id="forget_search", responses={204: None})
    def delete(self, request: Request, public_id: UUID) -> Response:
        _own(request, public_id).delete()
        return Response(status=204)


def _own(request: Request, public_id: UUID) -> SavedSearch:
    row = searches_of(request.user).filter(public_id=public_id).first()
    if row is None:
        raise Http404
    return row


def _data(request: Request, public_id: UUID) -> Any:
    return SearchData(_own(request, public_id), context={"request": request}).data
