"""The cross-encoder that the inference role serves, and how a request becomes scores."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from docintel import rerankers
from docintel.inference import loading
from docintel.inference.batching import Lane
from docintel.inference.pairing import Pairs, pair
from docintel.rerankers import RerankerWeights

log = logging.getLogger(__name__)

# Tokens: what a person's question asks for at once, and what may wait.
URGENT_REQUEST = 12_288
URGENT_CAPACITY = 65_536
BULK_CAPACITY = 524_288


@dataclass(frozen=True, slots=True)
class Pairing:
    """The tokenizer of a cross-encoder and the ids of its special tokens."""

    tokenizer: Tokenizer
    cls: int
    sep: int
    tokens: int

    @classmethod
    def of(cls, found: RerankerWeights) -> Pairing:
        """Raises `WeightsUnavailable`."""
        folder = rerankers.encoder_of(found).folder
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        first, between = (tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]"))
        if first is None or between is None:
            raise rerankers.WeightsUnavailable(f"{folder} has no [CLS] and [SEP]")
        return cls(tokenizer, first, between, found.tokens)

    def rows(self, query: str, passages: Sequence[str], *, truncate: bool = False) -> Pairs:
        """Raises `PairTooLong`."""
        return pair(
            query, passages, self.tokenizer, tokens=self.tokens, cls=self.cls, sep=self.sep,
            truncate=truncate,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reranker:
    """The loaded model and its lanes: one for a question's candidates, one for more."""

    weights: RerankerWeights
    pairing: Pairing
    device: str
    precision: str
    urgent: Lane
    bulk: Lane

    async def scores(self, pairs: Pairs, passages: int) -> NDArray[np.float32]:
        """(passages,) float32: of each the best of its windows. Raises `QueueFull`."""
        lane = self.urgent if pairs.tokens <= URGENT_REQUEST else self.bulk
        futures = lane.submit(pairs.rows)
        found = await asyncio.gather(*map(asyncio.wrap_future, futures))
        return best_of(np.array([row[0] for row in found], dtype=np.float32), pairs, passages)

    def stop(self) -> None:
        """Finish the batches at hand and score no more."""
        self.urgent.stop()
        self.bulk.stop()


def best_of(scores: NDArray[np.float32], pairs: Pairs, passages: int) -> NDArray[np.float32]:
    """(passages,): the best score among each passage's windows."""
    best = np.full(passages, -np.inf, dtype=np.float32)
    np.maximum.at(best, np.array(pairs.owners), scores)
    return best


def load_reranker(found: RerankerWeights | None = None) -> Reranker:
    """These weights with started lanes, by default the configured ones.

    Raises `WeightsUnavailable`.
    """
    found = found or rerankers.describe()
    pairing = Pairing.of(found)
    bulk = loading.load_reranker(found, pairing.sep)
    # As with the embedder: a question's candidates never wait for another's bulk on a CPU.
    urgent = bulk if bulk.device == "cuda" else loading.load_reranker(found, pairing.sep)
    rows = pairing.rows("How did revenue change?", ["Revenue rose by 4 percent."]).rows
    for encoder in (bulk, urgent):
        encoder.encode(rows)
    lanes = (
        Lane("rerank", urgent, capacity=URGENT_CAPACITY, take=URGENT_REQUEST),
        Lane("rerank-bulk", bulk, capacity=BULK_CAPACITY, take=2 * bulk.budget),
    )
    for lane in lanes:
        lane.start()
    log.info("%s is ready on %s in %s", found.name, bulk.device, bulk.precision)
    return Reranker(found, pairing, bulk.device, bulk.precision, *lanes)
