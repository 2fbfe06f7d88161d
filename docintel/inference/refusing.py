"""How a route of the inference role refuses, and what every route asks for."""

from __future__ import annotations

import json
import secrets
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse

MAX_BYTES = 2_000_000


class Refused(Exception):
    """The request gets `status` and OpenAI's error body."""

    def __init__(self, status: int, message: str, code: str, retry_after: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.retry_after = retry_after


def check_token(request: HttpRequest) -> None:
    """Raises Refused without the token that both processes were given."""
    if not settings.INFERENCE_TOKEN:
        raise Refused(403, "INFERENCE_TOKEN is not set here; nothing is served", "no_token_set")
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
    if not secrets.compare_digest(given, settings.INFERENCE_TOKEN.encode()):
        raise Refused(401, "the token is missing or wrong", "invalid_api_key")


def fields_of(request: HttpRequest) -> dict[str, Any]:
    """The body's JSON object. Raises Refused."""
    body = request.body
    if len(body) > MAX_BYTES:
        raise Refused(413, f"a request has at most {MAX_BYTES:,} bytes", "request_too_large")
    try:
        fields: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "the body is not JSON", "invalid_json") from error
    if not isinstance(fields, dict):
        raise Refused(400, "the body is not a JSON object", "invalid_json")
    return fields


def check_text(value: Any, name: str, code: str = "bad_input") -> str:
    """A text that says something, in valid Unicode. Raises Refused."""
    if not isinstance(value, str) or not value.strip():
        raise Refused(400, f"{name} is not a text or is empty", code)
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise Refused(400, f"{name} is not valid Unicode", code)
    return value


def error_response(refused: Refused) -> JsonResponse:
    """OpenAI's error body, with Retry-After where another try may succeed."""
    kind = "invalid_request_error" if refused.status < 429 else "server_error"
    error = {"message": refused.message, "type": kind, "param": None, "code": refused.code}
    response = JsonResponse({"error": error}, status=refused.status)
    if refused.retry_after:
        response["Retry-After"] = str(refused.retry_after)
    return response
