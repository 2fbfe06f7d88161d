"""The inference role's model: loaded in the background at start, then served by two lanes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.db import DatabaseError, connections

from docintel import encoders, promoted_weights, registry, weights
from docintel.inference import loading
from docintel.inference.batching import Lane
from docintel.inference.reranking import Reranker, load_reranker
from docintel.rerankers import is_off

log = logging.getLogger(__name__)

BULK_CAPACITY = 262_144  # tokens: two of the largest requests
URGENT_CAPACITY = 16_384


@dataclass(frozen=True)
class Ready:
    """The loaded model and its lanes; `source` is what `weights` knows it by."""

    source: str
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
        self._asked_for: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to load, once; returns at once."""
        with self._lock:
            if self._thread is None:
                logging.getLogger("django.request").addFilter(_is_news)
                self._thread = threading.Thread(target=self._load, name="load", daemon=True)
                self._thread.start()

    def load_promoted_reranker(self, digest: str) -> threading.Thread:
        """Begin, once, to load the version of this digest if it is live; the other serves on."""
        return self._begun(digest, self._replace_reranker)

    def is_loading_promoted(self, digest: str) -> bool:
        """Begin, once, to load the embedder of this digest if it is live; whether that goes on."""
        return self._begun(digest, self._replace_embedder).is_alive()

    def _begun(self, digest: str, replace: Callable[[str], bool]) -> threading.Thread:
        with self._lock:
            begun = self._asked_for.get(digest)
            if begun is None:
                begun = threading.Thread(target=self._replace, args=(digest, replace), daemon=True)
                self._asked_for[digest] = begun
                begun.start()
            return begun

    def _replace(self, digest: str, replace: Callable[[str], bool]) -> None:
        try:
            done = replace(digest)
        except (weights.WeightsUnavailable, DatabaseError):
            log.exception("what was promoted cannot be loaded")
            return
        finally:
            connections.close_all()
        if done:
            with self._lock:
                # What served before may be asked for again: it may be rolled back to.
                self._asked_for.clear()

    def _replace_reranker(self, digest: str) -> bool:
        found = promoted_weights.live_reranker()
        if found.digest != digest:
            return False
        before, self.reranker = self.reranker, load_reranker(found)
        if before is not None:
            before.stop()
        return True

    def _replace_embedder(self, digest: str) -> bool:
        found = registry.live(registry.EMBEDDER)
        if found is None or found.digest != digest:
            return False
        before, self.ready = self.ready, _load(promoted_weights.embedder_source(found))
        if before is not None:
            before.urgent.stop()
            before.bulk.stop()
        return True

    def _load(self) -> None:
        try:
            self.ready = _load(str(settings.EMBEDDING_MODEL))
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


def _load(source: str) -> Ready:
    found = weights.describe(source)
    bulk = loading.load(found)
    # On a CPU, a second compiled copy (220 MB for MPNet) answers a question while a document is
    # being encoded: p95 41 ms instead of 232 ms. A GPU's batches are too short to matter.
    urgent = bulk if bulk.device == "cuda" else loading.load(found)
    # The first call allocates; no question should wait for that.
    rows = encoders.token_rows(["How did revenue change?"], "query", source)
    for encoder in (bulk, urgent):
        encoder.encode(rows)
    lanes = (
        Lane("urgent", urgent, capacity=URGENT_CAPACITY, take=bulk.budget),
        Lane("bulk", bulk, capacity=BULK_CAPACITY, take=4 * bulk.budget),
    )
    for lane in lanes:
        lane.start()
    log.info("%s is ready on %s in %s", found.name, bulk.device, bulk.precision)
    return Ready(source, found, bulk.device, bulk.precision, *lanes)
