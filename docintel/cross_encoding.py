"""Question and passages to relevance scores: over `INFERENCE_URL`, or in this process where its
role may load models.

Whoever ranks goes on without where it is unavailable, and says so.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from docintel import promoted_weights, registry, remote_reranker, rerankers
from docintel.encoders import EncoderUnavailable
from docintel.inference import loading
from docintel.inference.loading import Encoder
from docintel.inference.pairing import PairTooLong
from docintel.inference.reranking import Pairing, best_of
from docintel.models import ModelVersion
from docintel.remote_reranker import RerankerUnavailable
from docintel.rerankers import RerankerWeights
from docintel.roles import Role
from docintel.weights import WeightsUnavailable

__all__ = ["PairTooLong", "RerankerUnavailable", "live_reranker", "rerank", "rerank_by"]


def live_reranker() -> ModelVersion:
    """The row of what was promoted, or of `RERANKER_MODEL`'s weights, registered on first use.

    Loads no model. Raises `RerankerUnavailable`.
    """
    try:
        found = rerankers.describe()
    except WeightsUnavailable as error:
        raise RerankerUnavailable(str(error)) from error
    return registry.register(promoted_weights.RERANKER, found.name, found.digest)


def rerank(query: str, passages: Sequence[str]) -> NDArray[np.float32]:
    """(passages,) float32 scores, higher is better, comparable within one query only.

    A passage longer than the model reads is read in windows, the best of which counts. Raises
    `RerankerUnavailable`, also where `RERANKER_MODEL` is off or the query is too long to be read.
    """
    if not passages:
        return np.zeros(0, dtype=np.float32)
    try:
        found = promoted_weights.live_reranker()
        if settings.INFERENCE_URL and settings.ROLE is not Role.INFERENCE:
            return remote_reranker.rerank(
                query, passages, url=settings.INFERENCE_URL, token=settings.INFERENCE_TOKEN,
                digest=found.digest,
            )  # fmt: skip
        if not settings.ROLE.may_load_models:
            raise RerankerUnavailable(
                f"the role {settings.ROLE} loads no models; start the inference role and set "
                "INFERENCE_URL to its address"
            )
        return rerank_by(found, query, passages)
    except (WeightsUnavailable, PairTooLong, EncoderUnavailable) as error:
        raise RerankerUnavailable(str(error)) from error
    except (OSError, RuntimeError) as error:
        raise RerankerUnavailable(f"the reranker cannot be loaded: {error}") from error


def rerank_by(found: RerankerWeights, query: str, passages: Sequence[str]) -> NDArray[np.float32]:
    """The same by these weights in this process, live or not; its role must load models.

    Raises `WeightsUnavailable` and `PairTooLong`.
    """
    with _lock:
        pairing, model = _loaded(found)
    pairs = pairing.rows(query, passages)
    with _lock:
        scores = model.encode(pairs.rows)[:, 0]
    return best_of(scores, pairs, len(passages))


_lock = threading.Lock()


# Two, so that the gate has both at hand; those that served before are let go.
@lru_cache(maxsize=2)
def _loaded(found: RerankerWeights) -> tuple[Pairing, Encoder]:
    pairing = Pairing.of(found)
    return pairing, loading.load_reranker(found, pairing.sep)
