"""`/v1/rerank` of the inference role, in the two shapes that rerank servers share.

With "documents" it answers as Jina, Cohere and vLLM do, with "texts" as TEI does.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST
from numpy.typing import NDArray
from prometheus_client import Counter

from docintel.inference.batching import QueueFull
from docintel.inference.pairing import Pairs, PairTooLong
from docintel.inference.refusing import (
    Refused,
    check_text,
    check_token,
    error_response,
    fields_of,
)
from docintel.inference.reranking import Reranker
from docintel.inference.serving import server
from docintel.remote_encoder import DIGEST_HEADER
from docintel.rerankers import is_off

MAX_DOCUMENTS = 512
MAX_TOKENS = 131_072

ANSWERS = Counter("docintel_rerank_requests", "Requests answered", ["status"])


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked request; `teis` is whether it is in TEI's shape."""

    query: str
    documents: list[str]
    top_n: int
    teis: bool
    raw: bool
    with_text: bool
    truncate: bool


@require_POST
async def rerank(request: HttpRequest) -> HttpResponse:
    """POST {"query", "documents", "top_n"} gives indices with relevance scores, best first.

    A score is between 0 and 1, or the model's own with "raw_scores". A document that is too long is
    read in windows and its best one counts; "truncate" reads only the first.
    """
    response: HttpResponse
    try:
        check_token(request)
        ready = _ready(request.headers.get(DIGEST_HEADER, ""))
        asked = _asked(fields_of(request), ready)
        response = await _answer(asked, ready)
    except Refused as refused:
        response = error_response(refused)
    ANSWERS.labels(str(response.status_code)).inc()
    return response


def _ready(wanted: str) -> Reranker:
    """What serves; a version that was promoted since is loaded for the next who asks."""
    found = server()
    if found.reranker is not None:
        if wanted and wanted != found.reranker.weights.digest:
            found.load_promoted_reranker(wanted)
        return found.reranker
    if is_off():
        raise Refused(404, "no reranker is served here: RERANKER_MODEL is off", "model_not_found")
    if found.reranker_failure:
        # Not retried: it will not load by itself.
        message = f"the reranker cannot be loaded: {found.reranker_failure}"
        raise Refused(500, message, "model_failed")
    raise Refused(503, "the reranker is still loading", "model_loading", retry_after=2)


def _asked(fields: dict[str, Any], ready: Reranker) -> Asked:
    name = fields.get("model", ready.weights.name)
    if name != ready.weights.name:
        raise Refused(404, f"this server has {ready.weights.name}, not {name}", "model_not_found")
    if ("documents" in fields) == ("texts" in fields):
        raise Refused(400, "send either documents or texts", "bad_input")
    teis = "texts" in fields
    documents = _documents(fields["texts" if teis else "documents"])
    top_n = fields.get("top_n")
    if top_n is None:
        top_n = len(documents)
    if isinstance(top_n, bool) or not isinstance(top_n, int) or top_n < 1:
        raise Refused(400, "top_n must be a whole number from 1", "bad_top_n")
    return Asked(
        query=check_text(fields.get("query"), "query"),
        documents=documents,
        top_n=min(top_n, len(documents)),
        teis=teis,
        raw=_flag(fields, "raw_scores"),
        with_text=_flag(fields, "return_text" if teis else "return_documents"),
        truncate=_flag(fields, "truncate"),
    )


def _flag(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise Refused(400, f"{name} must be true or false", f"bad_{name}")
    return value


def _documents(value: Any) -> list[str]:
    if not isinstance(value, list) or not value:
        raise Refused(400, "documents must be a list with at least one text", "bad_input")
    if len(value) > MAX_DOCUMENTS:
        message = f"there are {len(value)} documents; at most {MAX_DOCUMENTS}"
        raise Refused(400, message, "bad_input")
    # Jina's clients may send objects with a text.
    texts = [each.get("text") if isinstance(each, dict) else each for each in value]
    return [check_text(text, f"document {index}") for index, text in enumerate(texts)]


async def _answer(asked: Asked, ready: Reranker) -> HttpResponse:
    try:
        pairs = await asyncio.to_thread(
            ready.pairing.rows, asked.query, asked.documents, truncate=asked.truncate
        )
    except PairTooLong as error:
        raise Refused(400, str(error), "context_length_exceeded") from error
    if pairs.tokens > MAX_TOKENS:
        message = f"query and documents make {pairs.tokens:,} tokens; at most {MAX_TOKENS:,}"
        raise Refused(413, message, "request_too_large")
    try:
        scores = await ready.scores(pairs, len(asked.documents))
    except QueueFull as error:
        raise Refused(429, str(error), "overloaded", error.retry_after) from error
    except Exception as error:
        raise Refused(500, f"reranking failed: {error}", "reranking_failed") from error
    response = _response(asked, scores, pairs, ready)
    response[DIGEST_HEADER] = ready.weights.digest
    return response


def _response(
    asked: Asked, scores: NDArray[np.float32], pairs: Pairs, ready: Reranker
) -> JsonResponse:
    order = np.argsort(-scores, kind="stable")[: asked.top_n]
    shown = scores if asked.raw else 1.0 / (1.0 + np.exp(-scores.astype(np.float64)))
    rows: list[dict[str, Any]] = []
    for index in order.tolist():
        row: dict[str, Any] = {"index": index}
        row["score" if asked.teis else "relevance_score"] = float(shown[index])
        if asked.with_text:
            text = asked.documents[index]
            row |= {"text": text} if asked.teis else {"document": {"text": text}}
        if pairs.windows(index) > 1:
            row["windows"] = pairs.windows(index)
        rows.append(row)
    if asked.teis:
        return JsonResponse(rows, safe=False)
    return JsonResponse(
        {
            "id": f"rerank-{uuid.uuid4().hex}",
            "model": ready.weights.name,
            "usage": {"prompt_tokens": pairs.tokens, "total_tokens": pairs.tokens},
            "results": rows,
        }
    )
