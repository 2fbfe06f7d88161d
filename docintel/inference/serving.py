"""The inference role's model: loaded in the background at start, then served by two lanes."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.db import DatabaseError, connections

from docintel import encoders, promoted_weights, weights
from docintel.inference import loading
from docintel.inference.batching import Lane
from docintel.inference.reranking import Reranker, load_reranker
from docintel.rerankers import is_off

log = logging.getLogger(__name__)

BULK_CAPACITY = 262_144  # tokens: two of the largest requests
URGENT_CAPACITY = 16_384


@dataclass(frozen=True)
class Ready:
    """The loaded model and its lanes."""

    weights: weights.Weights
    device: str
    precision: str
    urgent: Lane
    bulk: Lane


class Server:
    """Holds the model from "loading" to ready; `failure` says why it will not be."""

    def __init__(self) -> None:
        self.ready: Ready | None = None
        self.failure = ""
        self.reranker: Reranker | None = None
        self.reranker_failure = ""
        self._asked_for: set[str] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to load, once; returns at once."""
        with self._lock:
            if self._thread is None:
                logging.getLogger("django.request").addFilter(_is_news)
                self._thread = threading.Thread(target=self._load, name="load", daemon=True)
                self._thread.start()

    def load_promoted_reranker(self, digest: str) -> threading.Thread | None:
        """Begin to load the version with this digest if it is live; the one at hand serves on.

        None where that was begun before.
        """
        with self._lock:
            if digest in self._asked_for:
                return None
            self._asked_for.add(digest)
        loading = threading.Thread(target=self._replace_reranker, args=(digest,), daemon=True)
        loading.start()
        return loading

    def _replace_reranker(self, digest: str) -> None:
        try:
            found = promoted_weights.live_reranker()
            if found.digest != digest:
                return
            before, self.reranker = self.reranker, load_reranker(found)
        except (weights.WeightsUnavailable, DatabaseError):
            log.exception("the promoted reranker cannot be loaded")
            return
        finally:
            connections.close_all()
        with self._lock:
            # What served before may be asked for again: it may be rolled back to.
            self._asked_for.clear()
        if before is not None:
            before.stop()

    def _load(self) -> None:
        try:
            self.ready = _load()
        except weights.WeightsUnavailable as error:
            log.error("%s", error)  # noqa: TRY400  the message says it all
            self.failure = str(error)
        except Exception as error:
            log.exception("the embedder cannot be loaded")
            self.failure = str(error) or type(error).__name__
        # After the embedder, which every question needs; without a reranker ranking goes on.
        try:
            self.reranker = load_reranker()
        except weights.WeightsUnavailable as error:
            log.log(logging.INFO if is_off() else logging.ERROR, "%s", error)
            self.reranker_failure = str(error)
        except Exception as error:
            log.exception("the reranker cannot be loaded")
            self.reranker_failure = str(error) or type(error).__name__


@cache
def server() -> Server:
    """This process's server; `start()` it before it can be asked."""
    return Server()


def _is_news(record: logging.LogRecord) -> bool:
    # Django logs every 503 as an error; a health check before the model is loaded is none.
    return getattr(record, "status_code", 0) != 503


def _load() -> Ready:
    found = weights.describe(settings.EMBEDDING_MODEL)
    bulk = loading.load(found)
    # On a CPU, a second compiled copy (220 MB for MPNet) answers a question while a document is
    # being encoded: p95 41 ms instead of 232 ms. A GPU's batches are too short to matter.
    urgent = bulk if bulk.device == "cuda" else loading.load(found)
    # The first call allocates; no question should wait for that.
    rows = encoders.token_rows(["How did revenue change?"], "query")
    for encoder in (bulk, urgent):
        encoder.encode(rows)
    lanes = (
        Lane("urgent", urgent, capacity=URGENT_CAPACITY, take=bulk.budget),
        Lane("bulk", bulk, capacity=BULK_CAPACITY, take=4 * bulk.budget),
    )
    for lane in lanes:
        lane.start()
    log.info("%s is ready on %s in %s", found.name, bulk.device, bulk.precision)
    return Ready(found, bulk.device, bulk.precision, *lanes)
