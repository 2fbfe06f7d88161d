"""Amend and withdraw documents while searching for them all the time: how long old ones are found.

`main` runs in a process of its own, in a place with working workers and with Django set up. It
prints "ready" when its own documents are searchable, changes half of them one after another over
SECONDS once a line arrives, and ends with a line of JSON. Times are seconds by this clock.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Any

from django.contrib.auth.models import User
from django.db import connection

from benchmarks.simulated_texts import sentences
from ingestion.models import Document, Source
from ingestion.receiving import take_in
from ingestion.revising import withdraw
from qa.retrieval import search

SETUP_SECONDS = 300
WATCHED_SECONDS = 60.0
SETTLING_SECONDS = 90.0
# Between two searches: often enough to see a second, and not the load itself.
PAUSE_SECONDS = 0.1
AMENDED = "amended"
WITHDRAWN = "withdrawn"


@dataclass(slots=True)
class Change:
    """One change to one document: when it was asked for, and the last answer that was stale."""

    marker: str
    document: int
    how: str
    asked_at: float
    last_stale: float = 0.0
    searches: int = 0


@dataclass(slots=True)
class Prober:
    """Searches for each watched document in turn, and for the others in between."""

    markers: list[tuple[str, int]]
    changes: list[Change] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:

        turn = 0
        try:
            while not self.ended.is_set():
                recent = time.time() - WATCHED_SECONDS
                watched = [
                    each
                    for each in list(self.changes)
                    if max(each.asked_at, each.last_stale) > recent
                ]
                if watched:
                    change = watched[turn % len(watched)]
                    self._look(change.marker, change)
                else:
                    self._look(self.markers[turn % len(self.markers)][0], None)
                turn += 1
                self.ended.wait(PAUSE_SECONDS)
        except Exception as error:
            self.errors.append(f"{type(error).__name__}: {error}")
            raise
        finally:
            connection.close()

    def _look(self, marker: str, change: Change | None) -> None:

        everyone = User(username="prober", is_superuser=True)
        began = time.perf_counter()
        found = search(f"What did {marker} report about revenue?", everyone)
        self.seconds.append(time.perf_counter() - began)
        if change is None:
            return
        change.searches += 1
        if any(passage.document_id == change.document for passage in found.passages):
            change.last_stale = time.time()


def text_of(marker: str, version: int) -> bytes:
    """A note that only this marker finds; versions differ in what they say."""

    seed = int.from_bytes(marker.encode()[-6:], "big") * 100 + version
    lines = [f"{marker} reported revenue of {version + 1} million."]
    return "\n".join(lines + sentences(seed, 12)).encode()


def send(source: Source, marker: str, version: int) -> Document:

    file = BytesIO(text_of(marker, version))
    return take_in(source, f"{marker}.txt", file, external_id=marker).document


def prepare(count: int) -> tuple[Source, list[tuple[str, int]]]:
    """The source and (marker, document id) of `count` documents, all searchable."""

    source = Source.objects.create(name="Pushed while measured", kind=Source.Kind.API)
    markers = [f"quellmark{number:03d}" for number in range(count)]
    sent = [(marker, send(source, marker, 0).pk) for marker in markers]
    ends = time.monotonic() + SETUP_SECONDS
    while Document.objects.filter(source=source, searchable_at=None).exists():
        if time.monotonic() > ends:
            sys.exit("the documents to be changed did not become searchable")
        time.sleep(0.5)
    return source, sent


def change_over(seconds: float, source: Source, prober: Prober) -> None:
    """Each document amended or withdrawn, in turn, evenly over these seconds."""

    began = time.monotonic()
    for number, (marker, pk) in enumerate(prober.markers):
        time.sleep(max(0.0, began + seconds * number / len(prober.markers) - time.monotonic()))
        how = WITHDRAWN if number % 2 else AMENDED
        prober.changes.append(Change(marker, pk, how, time.time()))
        if how == AMENDED:
            send(source, marker, 1)
        else:
            withdraw(Document.objects.filter(pk=pk))


def outcome(prober: Prober) -> dict[str, Any]:
    """Per change: seconds of stale answers after it was asked for, and after its switch."""

    rows = []
    for change in prober.changes:
        old = Document.objects.only("superseded_at", "withdrawn_at").get(pk=change.document)
        moment: datetime | None = old.superseded_at or old.withdrawn_at
        switched = moment.timestamp() if moment else None
        rows.append(
            {
                "how": change.how,
                "searches": change.searches,
                "done": switched is not None,
                "seconds_to_switch": (switched or time.time()) - change.asked_at,
                "stale_after_asked": max(0.0, change.last_stale - change.asked_at),
                "stale_after_switch": max(0.0, change.last_stale - switched) if switched else None,
            }
        )
    return {"changes": rows, "search_seconds": prober.seconds, "errors": prober.errors}


def main(count: int, seconds: float) -> None:

    source, markers = prepare(count)
    print("ready", flush=True)
    sys.stdin.readline()
    prober = Prober(markers)
    thread = threading.Thread(target=prober.run, name="prober")
    thread.start()
    try:
        change_over(seconds, source, prober)
        ends = time.monotonic() + SETTLING_SECONDS
        waiting = Document.objects.filter(
            pk__in=[pk for _, pk in markers], superseded_at=None, withdrawn_at=None
        )
        while waiting.exists() and time.monotonic() < ends:
            time.sleep(0.2)
        time.sleep(2.0)
    finally:
        prober.ended.set()
        thread.join()
    print(json.dumps(outcome(prober)), flush=True)
