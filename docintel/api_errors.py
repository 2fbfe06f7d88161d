"""Errors under /api/ as JSON with field names, whatever raised them; pages keep their HTML."""

from __future__ import annotations

import sys
from typing import IO, Any, cast

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.views import defaults
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.response import Response
from rest_framework.views import exception_handler

MISSING = "Not found."
RETRY_SECONDS = 10


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The request is too large."
    default_code = "too_large"


class BoundedJSONParser(JSONParser):
    """JSON of at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes, which Django checks for forms only."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """The parsed body; 413 when it is too long, 400 when it is no JSON or nested too deep."""
        try:
            return super().parse(cast("IO[Any]", _Bounded(stream)), media_type, parser_context)
        except RecursionError as error:
            raise ParseError("JSON parse error - nested too deeply") from error


class _Bounded:
    """A stream that refuses to hand out more than the limit."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def read(self, size: int = -1) -> bytes:
        from django.conf import settings  # noqa: PLC0415  tests override it

        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body: bytes = self.stream.read(limit + 1 if size < 0 else min(size, limit + 1))
        if len(body) > limit:
            raise TooLarge
        return body


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler, which also knows Django's ways to say that a request is bad."""
    if isinstance(error, RequestDataTooBig):
        error = TooLarge()
    elif isinstance(error, ModelValidationError):
        error = ValidationError(getattr(error, "message_dict", error.messages))
    elif isinstance(error, SuspiciousOperation):
        error = ParseError("The request is malformed or has too many parts.")
    return exception_handler(error, context)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not is_api(request):
        return defaults.bad_request(request, exception)
    return JsonResponse({"detail": "Bad request."}, status=400)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The same body for a route, a row and a row of others that is not there."""
    if not is_api(request):
        return defaults.page_not_found(request, exception)
    return JsonResponse({"detail": MISSING}, status=404)


def failed(request: HttpRequest) -> HttpResponse:
    """Never what went wrong: that is in the log. 503 while the database is away."""
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return _unavailable(request)
    if not is_api(request):
        return defaults.server_error(request)
    return JsonResponse({"detail": "Internal error; it has been logged."}, status=500)


def _unavailable(request: HttpRequest) -> HttpResponse:
    headers = {"Retry-After": str(RETRY_SECONDS)}
    if is_api(request):
        body = {"detail": "The database does not answer; try again in a moment."}
        return JsonResponse(body, status=503, headers=headers)
    page = loader.get_template("503.html").render()
    return HttpResponse(page, status=503, headers=headers)


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
