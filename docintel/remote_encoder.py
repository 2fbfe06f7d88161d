"""Embeddings over HTTP from any server of OpenAI's shape: the inference role, TEI, vLLM."""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

BATCH = 32
# A full batch takes a CPU some ten seconds, and others may be waiting before it.
TIMEOUT = {"document": httpx.Timeout(180, connect=5), "query": httpx.Timeout(6, connect=2)}
# After a question went unanswered, the next ones do not wait for as long as this.
SILENT_SECONDS = 30.0
# A person waits for a question, and keyword matches answer meanwhile.
ATTEMPTS = {"document": 6, "query": 2}
RETRIED = {429, 502, 503, 504}
LONGEST_WAIT = 15.0
_silent_until: dict[str, float] = {}  # URL -> time.monotonic()
DIGEST_HEADER = "X-Model-Digest"


class EncoderUnavailable(Exception):
    """No encoder can answer now; the message says why and what to do."""


def embed(
    texts: Sequence[str], *, url: str, token: str, model: str, kind: str, digest: str
) -> NDArray[np.float32]:
    """(n, the model's width) vectors, in batches of 32 texts.

    Waits and tries again a bounded number of times when the server is busy, loading or away.
    Raises `EncoderUnavailable`, also when the server names other weights than `digest`.
    """
    batches = [list(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]

    def one(batch: list[str]) -> NDArray[np.float32]:
        return _embed_batch(batch, url=url, token=token, model=model, kind=kind, digest=digest)

    if len(batches) == 1:
        return one(batches[0])
    # Two on their way, so that the encoder has work while the other one travels.
    with ThreadPoolExecutor(2) as senders:
        parts = list(senders.map(one, batches))
    if len({part.shape[1] for part in parts}) != 1:
        raise EncoderUnavailable(f"{url} answered with vectors of different widths")
    return np.concatenate(parts)


def _embed_batch(
    batch: list[str], *, url: str, token: str, model: str, kind: str, digest: str
) -> NDArray[np.float32]:
    body = {"input": batch, "model": model, "encoding_format": "base64", "input_type": kind}
    reply = _post(url, token, body, kind, digest)
    served = reply.headers.get(DIGEST_HEADER, digest)
    if served != digest:
        raise EncoderUnavailable(
            f"{url} serves other weights ({served[:12]}…) than EMBEDDING_MODEL names here "
            f"({digest[:12]}…); give both processes the same model"
        )
    return _vectors(reply, len(batch), url)


def _post(url: str, token: str, body: dict[str, Any], kind: str, digest: str) -> httpx.Response:
    sender = client(url, token)
    if kind == "query" and time.monotonic() < _silent_until.get(url, 0.0):
        raise EncoderUnavailable(f"{url} did not answer a moment ago")
    last = ""
    for attempt in range(ATTEMPTS[kind]):
        wait = 0.25 * 2**attempt
        try:
            reply = sender.post(
                _address(url), json=body, timeout=TIMEOUT[kind], headers={DIGEST_HEADER: digest}
            )
        except httpx.TimeoutException as error:
            last = f"{str(error) or type(error).__name__}; is the inference role running?"
            if kind == "query":
                _silent_until[url] = time.monotonic() + SILENT_SECONDS
                break
        except httpx.HTTPError as error:
            last = f"{str(error) or type(error).__name__}; is the inference role running?"
        else:
            if reply.status_code == httpx.codes.OK:
                return reply
            last = reason(reply)
            if reply.status_code not in RETRIED:
                raise EncoderUnavailable(f"{url} refused: {last}")
            wait = _asked_wait(reply, wait)
        if attempt + 1 < ATTEMPTS[kind]:
            time.sleep(min(wait, LONGEST_WAIT if kind == "document" else 1.0))
    raise EncoderUnavailable(f"{url} gives no vectors: {last}")


def _address(url: str) -> str:
    base = url.rstrip("/").removesuffix("/v1")
    return f"{base}/v1/embeddings"


@cache
def client(url: str, token: str) -> httpx.Client:
    """The one client of this address; it keeps connections."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    # A proxy that the environment names cannot reach this machine's own address.
    local = httpx.URL(url).host in {"127.0.0.1", "localhost", "::1"}
    return httpx.Client(headers=headers, trust_env=not local)


def reason(reply: httpx.Response) -> str:
    """Status and message of a refusal."""
    try:
        message = reply.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = reply.text[:200].strip()
    return f"{reply.status_code} {message}".strip()


def _asked_wait(reply: httpx.Response, otherwise: float) -> float:
    try:
        return float(reply.headers["Retry-After"])
    except (KeyError, ValueError):
        return otherwise


def _vectors(reply: httpx.Response, count: int, url: str) -> NDArray[np.float32]:
    try:
        rows = sorted(reply.json()["data"], key=lambda row: row["index"])
        vectors = np.array([_vector(row["embedding"]) for row in rows], dtype=np.float32)
    except (ValueError, KeyError, TypeError) as error:
        raise EncoderUnavailable(f"{url} answered in another shape than OpenAI's") from error
    if vectors.ndim != 2 or len(vectors) != count:
        raise EncoderUnavailable(f"{url} answered {len(vectors)} vectors for {count} texts")
    if not np.isfinite(vectors).all() or not vectors.any(axis=1).all():
        raise EncoderUnavailable(f"{url} answered with empty or infinite vectors")
    return vectors


def _vector(value: str | list[float]) -> NDArray[np.float32]:
    if isinstance(value, str):
        return np.frombuffer(base64.b64decode(value), dtype="<f4")
    return np.array(value, dtype=np.float32)
