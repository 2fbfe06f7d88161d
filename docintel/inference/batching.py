"""Rows of token ids from many requests, encoded together: one thread and one queue per lane.

Questions have a lane of their own beside the bulk, so that they never wait behind a document.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future

import numpy as np
from numpy.typing import NDArray
from prometheus_client import Counter, Gauge, Histogram

from docintel.inference.loading import Encoder

Vector = NDArray[np.float32]
log = logging.getLogger(__name__)

TOKENS = Counter("docintel_encoded_tokens", "Tokens encoded, padding not counted", ["lane"])
WAITING = Gauge("docintel_waiting_tokens", "Tokens accepted and not yet encoded", ["lane"])
BATCH_SECONDS = Histogram("docintel_batch_seconds", "Seconds to encode what was taken", ["lane"])


class QueueFull(Exception):
    """Too much waits already; `retry_after` is about how many seconds until it has room."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many texts are waiting; try again in {retry_after} s")
        self.retry_after = retry_after


class Lane:
    """One queue before one encoder. `capacity` is how many tokens may wait.

    `take` tokens are taken at once and sorted by length into the encoder's batches.
    """

    def __init__(self, name: str, encoder: Encoder, *, capacity: int, take: int) -> None:
        self.name = name
        self.encoder = encoder
        self.capacity = capacity
        self.take = take
        self.waiting = 0
        self.rate = 2_000.0  # tokens a second, corrected by each batch
        self._rows: deque[tuple[Sequence[int], Future[Vector]]] = deque()
        self._condition = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"lane-{name}", daemon=True)

    def start(self) -> None:
        """Start its thread; it ends with the process, after the batch at hand."""
        self._thread.start()
        atexit.register(self.stop)

    def stop(self) -> None:
        """Finish the batch at hand and encode no more; waiting rows get an error."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        self._thread.join(timeout=10)

    def submit(self, rows: Sequence[Sequence[int]]) -> list[Future[Vector]]:
        """A future of a vector per row. Raises `QueueFull`; an empty queue takes any request."""
        tokens = sum(len(row) for row in rows)
        with self._condition:
            if self.waiting and self.waiting + tokens > self.capacity:
                raise QueueFull(int(min(30.0, max(1.0, self.waiting / self.rate))))
            if self._stopping:
                raise QueueFull(1)
            futures: list[Future[Vector]] = [Future() for _ in rows]
            self._rows.extend(zip(rows, futures, strict=True))
            self._count(tokens)
            self._condition.notify_all()
        return futures

    def _run(self) -> None:
        while (taken := self._next()) is not None:
            self._encode(taken)

    def _next(self) -> list[tuple[Sequence[int], Future[Vector]]] | None:
        """The next rows whose askers still wait; None when the lane stops."""
        with self._condition:
            self._condition.wait_for(lambda: self._rows or self._stopping)
            if self._stopping:
                while self._rows:
                    self._rows.popleft()[1].set_exception(QueueFull(1))
                return None
            taken, tokens = [], 0
            while self._rows and (tokens == 0 or tokens + len(self._rows[0][0]) <= self.take):
                row, future = self._rows.popleft()
                if future.set_running_or_notify_cancel():
                    taken.append((row, future))
                    tokens += len(row)
                else:
                    self._count(-len(row))
            return taken

    def _encode(self, taken: Sequence[tuple[Sequence[int], Future[Vector]]]) -> None:
        if not taken:
            return
        tokens = sum(len(row) for row, _ in taken)
        start = time.perf_counter()
        try:
            vectors = self.encoder.encode([row for row, _ in taken])
        except Exception as error:
            log.exception("a batch of %d rows could not be encoded", len(taken))
            for _, future in taken:
                future.set_exception(error)
        else:
            for (_, future), vector in zip(taken, vectors, strict=True):
                future.set_result(vector)
        seconds = time.perf_counter() - start
        BATCH_SECONDS.labels(self.name).observe(seconds)
        TOKENS.labels(self.name).inc(tokens)
        with self._condition:
            self._count(-tokens)
            self.rate = 0.7 * self.rate + 0.3 * tokens / max(seconds, 1e-4)

    def _count(self, tokens: int) -> None:
        self.waiting += tokens
        WAITING.labels(self.name).set(self.waiting)
