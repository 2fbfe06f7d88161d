"""What changing embedders costs at size, and whether a search meanwhile sees a mixture of both.

Vectors are made up, so that what is nearest to the question tells whose they are; documents, marks,
switch, way back and searches are the real ones, by the weights of two real encoders.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.db import connection

from benchmarks.filling_two_spaces import Space, fill
from benchmarks.place import TABLES, fresh_place, said
from docintel.scoring import CannotScore, Score
from ingestion import reembedding
from qa.retrieval import search

QUESTION = "What became of freight costs?"
MAIN = TABLES + "from benchmarks.switching import main; main()"
MIXED, NOTHING = "of both or of neither", "without vectors"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--passages", type=int, default=10, help="of each document")
    parser.add_argument("--to", default="all-mpnet-base-v2", help="the next embedder")
    parser.add_argument("--searchers", type=int, default=2, help="that search without a pause")
    parser.add_argument("--quiet", type=float, default=5.0, help="seconds between two changes")


def run(
    documents: int = 10_000, passages: int = 10, to: str = "all-mpnet-base-v2",
    searchers: int = 2, quiet: float = 5.0, **_: Any,
) -> Score:  # fmt: skip
    """Seconds of the switch; searches and what they saw in `detail`. Raises CannotScore."""
    if min(documents, passages, searchers) < 1:
        raise CannotScore("there must be a document, a passage and a searcher at least")
    started = time.perf_counter()
    with fresh_place() as environment:
        told = said(MAIN, environment, "switched", documents, passages, searchers, quiet, to)
    return Score(
        headline="seconds of the switch to another embedder",
        value=told["seconds"]["switch"],
        higher_is_better=False,
        n=told["vectors"],
        interval=None,
        seconds=time.perf_counter() - started,
        detail=told,
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """One search: when it began and ended, whose vectors it read, and what it noted."""

    began: float
    ended: float
    whose: str
    notes: tuple[str, ...]


@dataclass(slots=True)
class Searcher:
    """Searches until it is told to end."""

    spaces: Sequence[Space]
    ended: threading.Event
    seen: list[Seen] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def run(self) -> None:
        everyone = User(username="benchmark", is_superuser=True)
        while not self.ended.is_set():
            began = time.perf_counter()
            try:
                found = search(QUESTION, everyone)
            except Exception as error:  # noqa: BLE001  whatever a reader would have met counts
                self.errors.append(repr(error))
                continue
            read = whose([hit.chunk_id for hit in found.dense], self.spaces)
            self.seen.append(Seen(began, time.perf_counter(), read, tuple(found.notes)))
        connection.close()


def measure(documents: int, passages: int, searchers: int, quiet: float, to: str) -> dict[str, Any]:
    """Complete, switch, back: each timed while others search. Raises CannotScore."""
    began = time.perf_counter()
    row, spaces = fill(documents, passages, QUESTION, to)
    filled = time.perf_counter() - began
    ended = threading.Event()
    people = [Searcher(spaces, ended) for _ in range(searchers)]
    threads = [threading.Thread(target=each.run) for each in people]
    for thread in threads:
        thread.start()
    steps: dict[str, tuple[float, float]] = {}
    try:
        for name, step in (
            ("progress", lambda: reembedding.progress(row)),
            ("complete", lambda: reembedding.complete(row)),
            ("switch", lambda: reembedding.switch(row, who="bench")),
            ("roll_back", lambda: reembedding.roll_back(row, who="bench")),
        ):
            time.sleep(quiet)
            steps[name] = _timed(step)
        time.sleep(quiet)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    return {
        "documents": documents,
        "vectors": 2 * documents * passages,
        "filled_in_s": filled,
        "seconds": {name: end - start for name, (start, end) in steps.items()},
        **summed_up(people, steps),
    }


def whose(chunks: Sequence[int], spaces: Sequence[Space]) -> str:
    if not chunks:
        return NOTHING
    for space in spaces:
        if space.nearest.issuperset(chunks):
            return space.embedder.version
    return MIXED


def _timed(step: Callable[[], object]) -> tuple[float, float]:
    began = time.perf_counter()
    step()
    return began, time.perf_counter()


def summed_up(people: Sequence[Searcher], steps: dict[str, tuple[float, float]]) -> dict[str, Any]:
    seen = [each for person in people for each in person.seen]
    over = {
        name: [each for each in seen if each.began < end and start < each.ended]
        for name, (start, end) in steps.items()
    }
    busy = {id(each) for rows in over.values() for each in rows}
    over["between"] = [each for each in seen if id(each) not in busy]
    return {
        "searches": {name: _told(rows) for name, rows in over.items()},
        "errors": [error for person in people for error in person.errors],
    }


def _told(rows: Sequence[Seen]) -> dict[str, Any]:
    taken = [1_000 * (each.ended - each.began) for each in rows]
    p50, p95, most = np.percentile(taken, [50, 95, 100]) if taken else (None, None, None)
    return {
        "n": len(rows),
        "p50_ms": p50,
        "p95_ms": p95,
        "most_ms": most,
        "whose": dict(Counter(each.whose for each in rows)),
        "notes": dict(Counter(note for each in rows for note in each.notes)),
    }


def main() -> None:
    """Sizes and the next embedder from the command line; prints what `measure` returns as JSON."""
    documents, passages, searchers = map(int, sys.argv[1:4])
    told = measure(documents, passages, searchers, float(sys.argv[4]), sys.argv[5])
    print("switched " + json.dumps(told), flush=True)
