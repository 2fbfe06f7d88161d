"""Relevance scores over HTTP from a server with `/v1/rerank`: the inference role, vLLM."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from docintel import remote_encoder
from docintel.remote_encoder import DIGEST_HEADER

# A person waits, and the ranking without it is nearly as good.
TIMEOUT = httpx.Timeout(2.5, connect=1.0)
# After it went unanswered the next questions do not wait for as long as this.
SILENT_SECONDS = 30.0
_silent_until: dict[str, float] = {}  # URL -> time.monotonic()


class RerankerUnavailable(Exception):
    """No cross-encoder can answer now; the message says why."""


def rerank(
    query: str, passages: Sequence[str], *, url: str, token: str, digest: str
) -> NDArray[np.float32]:
    """(passages,) float32 scores as the server's model gives them.

    Asked once: there is no second try while somebody waits. Raises `RerankerUnavailable`, also when
    the server names other weights than `digest`.
    """
    if time.monotonic() < _silent_until.get(url, 0.0):
        raise RerankerUnavailable(f"{url} did not answer a moment ago")
    body = {"query": query, "documents": list(passages), "raw_scores": True}
    try:
        reply = remote_encoder.client(url, token).post(
            _address(url), json=body, timeout=TIMEOUT, headers={DIGEST_HEADER: digest}
        )
    except httpx.HTTPError as error:
        _silent_until[url] = time.monotonic() + SILENT_SECONDS
        raise RerankerUnavailable(f"{url}: {str(error) or type(error).__name__}") from error
    if reply.status_code != httpx.codes.OK:
        raise RerankerUnavailable(f"{url} gives no scores: {remote_encoder.reason(reply)}")
    served = reply.headers.get(DIGEST_HEADER, digest)
    if served != digest:
        raise RerankerUnavailable(
            f"{url} serves another reranker ({served[:12]}…) than RERANKER_MODEL names here "
            f"({digest[:12]}…); give both processes the same"
        )
    return _scores(reply, len(passages), url)


def _address(url: str) -> str:
    return f"{url.rstrip('/').removesuffix('/v1')}/v1/rerank"


def _scores(reply: httpx.Response, count: int, url: str) -> NDArray[np.float32]:
    try:
        rows: list[dict[str, Any]] = reply.json()["results"]
        found = {int(row["index"]): float(row["relevance_score"]) for row in rows}
        scores = np.array([found[index] for index in range(count)], dtype=np.float32)
    except (ValueError, KeyError, TypeError) as error:
        raise RerankerUnavailable(f"{url} answered in another shape than /v1/rerank's") from error
    if not np.isfinite(scores).all():
        raise RerankerUnavailable(f"{url} answered with scores that are no numbers")
    return scores
