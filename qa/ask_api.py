"""The API's questions and answers: as JSON when complete, or as server-sent events."""

from __future__ import annotations

import json
from functools import partial
from typing import Any
from uuid import UUID

from django.http import Http404
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import Throttled, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from docintel.api_errors import BoundedJSONParser
from docintel.tokens import ReadingTokenAuthentication, Reads
from ingestion.models import Document
from qa import streaming
from qa.answer_tables import Ask
from qa.ask_serializers import Answer, Feedback, Question
from qa.asking import ask, checked
from qa.asking_rate import TooMany, admit
from qa.citing import kept_sentences, shown_passages
from qa.feedback import BadFeedback, give
from qa.reading_answers import NoAnswer, read
from qa.retrieval import BadQuery


class EventStream(BaseRenderer):
    """Only says that events can be had; they are streamed past it."""

    media_type = "text/event-stream"
    format = "events"
    charset = "utf-8"

    def render(self, data: Any, *_: Any, **__: Any) -> bytes:
        return json.dumps(data).encode()


class Asks(GenericAPIView[Document]):
    """One question, answered."""

    authentication_classes = [ReadingTokenAuthentication, SessionAuthentication]
    permission_classes = [Reads]
    renderer_classes = [JSONRenderer, EventStream]
    parser_classes = [BoundedJSONParser]
    queryset = Document.objects.none()
    serializer_class = Question
    filter_backends = []
    pagination_class = None

    @extend_schema(
        operation_id="ask",
        request=Question,
        responses={
            (200, "application/json"): Answer,
            (200, "text/event-stream"): OpenApiResponse(
                OpenApiTypes.STR,
                description="understood, route, searching, found, sentence, …, done",
            ),
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Ask a question; with `Accept: text/event-stream` its sentences come one by one."""
        said = Question(data=request.data)
        said.is_valid(raise_exception=True)
        scope = said.scope(request)
        try:
            question = checked(said.validated_data["question"])
            admit(request.user)
            asking = partial(ask, question, request.user, scope=scope, **said.options())
            if isinstance(request.accepted_renderer, EventStream):
                return streaming.respond(
                    lambda on_event, cancelled: asking(on_event=on_event, cancelled=cancelled)
                )
            row = streaming.wait_for(asking)
        except BadQuery as error:
            raise ValidationError({"question": [str(error)]}) from error
        except TooMany as error:
            raise Throttled(error.seconds) from error
        return Response(_answer(row, request))

    def handle_exception(self, exc: Exception) -> Response:
        """An error before the first event is JSON, whatever was asked for."""
        self.request.accepted_renderer = JSONRenderer()
        self.request.accepted_media_type = JSONRenderer.media_type
        return super().handle_exception(exc)


class AnswerById(GenericAPIView[Any]):
    """An answer given before."""

    permission_classes = [Reads]
    queryset = Document.objects.none()
    serializer_class = Answer
    filter_backends = []
    pagination_class = None

    @extend_schema(operation_id="get_answer", responses=Answer)
    def get(self, request: Request, public_id: UUID) -> Response:
        """Your own answer, or another's where you may read every document that it cites."""
        row = Ask.objects.filter(public_id=public_id).first()
        if row is None:
            raise Http404
        return Response(_answer(row, request))


class FeedbackById(GenericAPIView[Any]):
    """What a reader made of an answer."""

    authentication_classes = [ReadingTokenAuthentication, SessionAuthentication]
    permission_classes = [Reads]
    parser_classes = [BoundedJSONParser]
    queryset = Document.objects.none()
    serializer_class = Feedback
    filter_backends = []
    pagination_class = None

    @extend_schema(operation_id="give_feedback", request=Feedback, responses={201: Feedback})
    def post(self, request: Request, public_id: UUID) -> Response:
        """Add a verdict on an answer that you may read; your newest one holds.

        Whoever may not read the answer gets a 404.
        """
        try:
            row = read(public_id, request.user).ask
        except NoAnswer as error:
            raise Http404 from error
        said = Feedback(data=request.data)
        said.is_valid(raise_exception=True)
        try:
            given = give(row, request.user, **said.validated_data)
        except BadFeedback as error:
            raise ValidationError({"detail": [str(error)]}) from error
        return Response(Feedback(given).data, status=201)


def _answer(row: Ask, request: Request) -> dict[str, Any]:
    """Raises Http404 where this person may not read it."""
    own = row.asker_id is not None and row.asker_id == request.user.pk
    sentences = kept_sentences(row, request.user)
    if sentences is None or not (own or sentences):
        raise Http404
    passages = shown_passages(row, request.user) if own else []
    context = {"request": request, "sentences": sentences, "passages": passages}
    found: dict[str, Any] = Answer(row, context=context).data
    return found
