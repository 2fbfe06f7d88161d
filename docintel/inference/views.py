"""The inference role's routes: embeddings in OpenAI's shape, health, metrics."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET, require_POST
from prometheus_client import CONTENT_TYPE_LATEST, Counter, generate_latest

from docintel import encoders
from docintel.inference.batching import QueueFull, Vector
from docintel.inference.refusing import (
    Refused,
    check_text,
    check_token,
    error_response,
    fields_of,
)
from docintel.inference.serving import Ready, server
from docintel.remote_encoder import DIGEST_HEADER

MAX_INPUTS = 256
# An unmarked request this short is someone's question.
SHORT_REQUEST = 128

ANSWERS = Counter("docintel_embedding_requests", "Requests answered", ["status"])


@dataclass(frozen=True)
class Asked:
    """A checked request."""

    texts: list[str]
    kind: encoders.Kind
    marked: bool
    as_base64: bool


@require_POST
async def embeddings(request: HttpRequest) -> HttpResponse:
    """POST {"input": [...]} gives a unit vector per text, of the model's own width."""
    try:
        check_token(request)
        ready = _ready(request.headers.get(DIGEST_HEADER, ""))
        asked = _asked(request, ready)
        response = await _answer(asked, ready)
    except Refused as refused:
        response = error_response(refused)
    ANSWERS.labels(str(response.status_code)).inc()
    return response


@require_GET
async def health(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """200 with the model's facts once it answers; 503 while it loads or when it cannot."""
    found = server()
    if found.ready is None:
        state = {"status": "failed", "message": found.failure} if found.failure else {}
        return JsonResponse(state or {"status": "loading"}, status=503)
    ready = found.ready
    return JsonResponse(
        {
            "status": "ready",
            "model": ready.weights.name,
            "digest": ready.weights.digest,
            "dimensions": ready.weights.dimensions,
            "max_tokens": encoders.MAX_TOKENS,
            "device": ready.device,
            "precision": ready.precision,
            "waiting_tokens": ready.urgent.waiting + ready.bulk.waiting,
            "reranker": _reranker_facts(),
        }
    )


def _reranker_facts() -> dict[str, object]:
    found = server()
    if found.reranker is None:
        return {"status": "failed" if found.reranker_failure else "loading",
                "message": found.reranker_failure}  # fmt: skip
    ready = found.reranker
    return {
        "status": "ready",
        "model": ready.weights.name,
        "digest": ready.weights.digest,
        "max_tokens": ready.weights.tokens,
        "precision": ready.precision,
        "waiting_tokens": ready.urgent.waiting + ready.bulk.waiting,
    }


@require_GET
async def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus's text; wants the same token as the embeddings."""
    try:
        check_token(request)
    except Refused as refused:
        return error_response(refused)
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _ready(wanted: str) -> Ready:
    """What serves. Another version that is asked for is loaded if it was promoted since."""
    found = server()
    if found.ready is not None:
        if wanted and wanted != found.ready.weights.digest and found.is_loading_promoted(wanted):
            raise Refused(503, "a promoted model is loading", "model_loading", retry_after=2)
        return found.ready
    if found.failure:
        # Not retried: it will not load by itself.
        raise Refused(500, f"the model cannot be loaded: {found.failure}", "model_failed")
    raise Refused(503, "the model is still loading", "model_loading", retry_after=2)


def _asked(request: HttpRequest, ready: Ready) -> Asked:
    fields = fields_of(request)
    name = fields.get("model", ready.weights.name)
    if name != ready.weights.name:
        raise Refused(404, f"this server has {ready.weights.name}, not {name}", "model_not_found")
    if fields.get("dimensions", ready.weights.dimensions) != ready.weights.dimensions:
        raise Refused(400, f"vectors have {ready.weights.dimensions} dimensions", "bad_dimensions")
    encoding = fields.get("encoding_format", "float")
    if encoding not in {"float", "base64"}:
        raise Refused(400, "encoding_format may be float or base64", "bad_encoding_format")
    kind = fields.get("input_type")
    if kind not in {None, "query", "document"}:
        raise Refused(400, "input_type may be query or document", "bad_input_type")
    return Asked(
        texts=_texts(fields.get("input")),
        kind=kind or "document",
        marked=kind is not None,
        as_base64=encoding == "base64",
    )


def _texts(value: Any) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts:
        raise Refused(400, "input must be a text or a list of texts", "bad_input")
    if len(texts) > MAX_INPUTS:
        raise Refused(400, f"input has {len(texts)} texts; at most {MAX_INPUTS}", "bad_input")
    for index, text in enumerate(texts):
        check_text(text, f"input {index}")
    return texts


async def _answer(asked: Asked, ready: Ready) -> JsonResponse:
    try:
        rows = await asyncio.to_thread(encoders.token_rows, asked.texts, asked.kind, ready.source)
    except encoders.TextTooLong as error:
        raise Refused(400, str(error), "context_length_exceeded") from error
    tokens = sum(len(row) for row in rows)
    urgent = asked.kind == "query" or (not asked.marked and tokens <= SHORT_REQUEST)
    lane = ready.urgent if urgent else ready.bulk
    try:
        futures = lane.submit(rows)
        vectors = await asyncio.gather(*map(asyncio.wrap_future, futures))
    except QueueFull as error:
        raise Refused(429, str(error), "overloaded", error.retry_after) from error
    except Exception as error:
        raise Refused(500, f"encoding failed: {error}", "encoding_failed") from error
    data = [
        {"object": "embedding", "index": index, "embedding": _plain(vector, asked.as_base64)}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    response = JsonResponse(
        {"object": "list", "data": data, "model": ready.weights.name, "usage": usage}
    )
    response[DIGEST_HEADER] = ready.weights.digest
    return response


def _plain(vector: Vector, as_base64: bool) -> str | list[float]:
    if as_base64:
        return base64.b64encode(np.ascontiguousarray(vector, dtype="<f4").tobytes()).decode()
    return [float(x) for x in vector]
