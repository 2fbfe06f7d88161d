"""The feed over the API: its cards, what becomes of them, and what is followed."""

from __future__ import annotations

from typing import Any, cast

from django.http import QueryDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import Throttled, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from docintel.api_errors import BoundedJSONParser
from docintel.tokens import ReadingTokenAuthentication, Reads
from feed import hearing, reading
from feed.asking_for import read_filters
from feed.catching_up import catch_up
from feed.explaining import Card, cards
from feed.following import CannotFollow, follow, forget, profile_of, said_by
from feed.hearing import TooManyEvents
from feed.models import Follow
from feed.reading import BadCursor
from feed.walking import PERIODS, SORTS
from ingestion.models import Document

NAMES = ("company", "topic", "kind", "source", "period", "sort", "hidden")


class CardData(serializers.Serializer[Any]):
    """`mark` goes back with the events of the card, unchanged."""

    document = serializers.UUIDField()
    title = serializers.CharField()
    kind = serializers.CharField()
    source = serializers.CharField(source="source_name")  # type: ignore[assignment]
    published_on = serializers.DateField(allow_null=True)
    received_at = serializers.DateTimeField()
    companies = serializers.ListField(child=serializers.CharField())
    passage = serializers.CharField()
    reasons = serializers.ListField(child=serializers.CharField())
    position = serializers.IntegerField()
    exploring = serializers.BooleanField()
    read = serializers.BooleanField()
    saved = serializers.BooleanField()
    near = serializers.ListField(child=serializers.UUIDField())
    mark = serializers.CharField()


class FeedData(serializers.Serializer[Any]):
    results = CardData(many=True)
    cursor = serializers.CharField(help_text="for the next cards; empty: there are none")
    hidden = serializers.IntegerField(help_text="documents hidden by what is muted")


class EventsData(serializers.Serializer[Any]):
    """Each event: `id`, `verb`, `document`, `at`, for a dwell `visible_ms` and `active_ms`."""

    events = serializers.ListField(child=serializers.DictField(), max_length=hearing.MOST_AT_ONCE)


class HeardData(serializers.Serializer[Any]):
    kept = serializers.IntegerField()
    refused = serializers.DictField(child=serializers.IntegerField())


class FollowData(serializers.ModelSerializer[Follow]):
    value = serializers.CharField(max_length=200)
    label = serializers.CharField(read_only=True)  # type: ignore[assignment]

    class Meta:
        model = Follow
        fields = ("kind", "value", "muted", "label", "created_at")
        read_only_fields = ("created_at",)


class OwnView(GenericAPIView[Any]):
    """What a person says of their own interests changes no document."""

    authentication_classes = [ReadingTokenAuthentication, SessionAuthentication]
    permission_classes = [Reads]
    parser_classes = [BoundedJSONParser]
    queryset = Document.objects.none()
    filter_backends = []
    pagination_class = None


class Feed(OwnView):
    """Your feed."""

    serializer_class = FeedData

    @extend_schema(
        operation_id="feed",
        parameters=[
            *(OpenApiParameter(name, OpenApiTypes.STR, many=name in NAMES[:4]) for name in NAMES),
            OpenApiParameter("cursor", OpenApiTypes.STR),
        ],
        responses=FeedData,
    )
    def get(self, request: Request) -> Response:
        """The next cards: companies and sources by id, topics by key."""
        _check(request.query_params)
        catch_up(profile_of(request.user), request.user)
        filters = read_filters(cast("QueryDict", request.query_params), request.user)
        try:
            page = reading.page(request.user, filters, request.query_params.get("cursor", ""))
        except BadCursor as error:
            raise ValidationError({"cursor": ["Invalid cursor."]}) from error
        found = {
            "results": [_data(card) for card in cards(page.slots, request.user)],
            "cursor": page.cursor,
            "hidden": reading.count_hidden(request.user, filters),
        }
        return Response(FeedData(found).data)


class Events(OwnView):
    """What became of the cards."""

    serializer_class = EventsData

    @extend_schema(operation_id="feed_events", request=EventsData, responses=HeardData)
    def post(self, request: Request) -> Response:
        """Keep events; says how many were kept and why the others were not."""
        said = EventsData(data=request.data)
        said.is_valid(raise_exception=True)
        try:
            heard = hearing.hear(request.user, said.validated_data["events"])
        except TooManyEvents as error:
            raise Throttled(error.seconds) from error
        return Response(HeardData(heard).data)


class Follows(OwnView):
    """What you follow and mute."""

    serializer_class = FollowData

    @extend_schema(operation_id="follows", responses=FollowData(many=True))
    def get(self, request: Request) -> Response:
        """All of it."""
        return Response(FollowData(said_by(request.user), many=True).data)

    @extend_schema(operation_id="follow", request=FollowData, responses={201: FollowData})
    def post(self, request: Request) -> Response:
        """Follow, or with `muted` mute, one thing; what was said of it before no longer holds."""
        said = FollowData(data=request.data)
        said.is_valid(raise_exception=True)
        wanted = said.validated_data
        try:
            row = follow(
                request.user, wanted["kind"], wanted["value"], muted=wanted.get("muted", False)
            )
        except CannotFollow as error:
            raise ValidationError({"value": [str(error)]}) from error
        return Response(FollowData(row).data, status=201)

    @extend_schema(
        operation_id="forget",
        parameters=[OpenApiParameter(name, required=True) for name in ("kind", "value")],
        responses={204: None},
    )
    def delete(self, request: Request) -> Response:
        """Neither follow nor mute it any more; the same answer where you did neither."""
        forget(
            request.user,
            request.query_params.get("kind", ""),
            request.query_params.get("value", ""),
        )
        return Response(status=204)


def _check(params: Any) -> None:
    """Raises ValidationError for a name or a choice that is not known."""
    unknown = set(params) - {*NAMES, "cursor"}
    errors = {name: ["Unknown parameter."] for name in sorted(unknown)}
    choices = {"period": PERIODS, "sort": SORTS, "kind": Document.Kind.values, "hidden": ("0", "1")}
    for name, allowed in choices.items():
        if any(value not in allowed for value in params.getlist(name)):
            errors[name] = ["No such choice."]
    if errors:
        raise ValidationError(errors)


def _data(card: Card) -> dict[str, Any]:
    slot, document = card.slot, card.slot.document
    return {
        "document": document.public_id, "title": str(document), "kind": document.kind,
        "source_name": document.source.name, "published_on": document.published_on,
        "received_at": document.received_at,
        "companies": [thing.label for thing in card.companies], "passage": card.passage,
        "reasons": [reason.text for reason in card.reasons], "position": slot.position,
        "exploring": slot.exploring, "read": slot.is_read, "saved": slot.is_saved,
        "near": [row.public_id for row in slot.near], "mark": slot.mark,
    }  # fmt: skip
