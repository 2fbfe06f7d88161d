"""What a model's reply is held to: how long it may be, and the format that the server enforces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.conf import settings


class Reply(NamedTuple):
    """`most_tokens` bounds it; `response_format` goes into the request as it is, or is empty."""

    most_tokens: int
    response_format: Mapping[str, Any]


# A letter, and what little a model may put around it.
LETTER = Reply(most_tokens=8, response_format={})


def sentences() -> Reply:
    """Of a model that writes: one JSON object per sentence, in the format that the server knows."""
    return Reply(settings.LLM_ANSWER_TOKENS, _response_format())


def _response_format() -> dict[str, Any]:
    if settings.LLM_RESPONSE_FORMAT == "json_object":
        return {"response_format": {"type": "json_object"}}
    if settings.LLM_RESPONSE_FORMAT == "json_schema":
        schema = {"name": "answer", "strict": True, "schema": SCHEMA}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    return {}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object", "properties": properties, "required": list(properties),
        "additionalProperties": False,
    }  # fmt: skip


_STRING = {"type": "string"}
_CITATIONS = {"type": "array", "items": _object(passage=_STRING, quote=_STRING)}
SCHEMA = _object(sentences={"type": "array", "items": _object(text=_STRING, citations=_CITATIONS)})
