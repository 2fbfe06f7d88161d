"""A worker killed in the middle of any stage costs nothing: every document arrives exactly once."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.db.models import Count
from django.utils import timezone
from killed_workers import kill_when_there, said, start

from ingestion import claiming
from ingestion.models import Chunk, ChunkVector, Document, Source
from ingestion.receiving import source_of_kind, take_in
from tests.waiting import ENOUGH_SECONDS

DOCUMENTS = 3

WORKER = """
import os, sys
import django
django.setup()
from ingestion import freezing, indexing, pipeline, topics

indexing.CHUNKS_PER_COMMIT = 4

def stop_here(*_, **__):
    print("here", flush=True)
    sys.stdin.read()
    os._exit(3)

def second_time(verb):
    calls = []
    def wrapped(*args):
        calls.append(args)
        return stop_here() if len(calls) == 2 else verb(*args)
    return wrapped

def stopping_for(word, verb):
    def wrapped(path, file_name, **limits):
        return stop_here() if word in file_name else verb(path, file_name, **limits)
    return wrapped
"""
STOP = {
    "parse": "freezing.finish = stop_here",
    "index": "indexing.finish = stop_here",
    "embed": "indexing._embed_batch = second_time(indexing._embed_batch)",
    "classify": "topics.finish = stop_here",
    "poison": 'freezing.isolation.parse = stopping_for("poison", freezing.isolation.parse)',
    "never": "",
}
RUN = """
while pipeline.work_once(60):
    pass
print("done", flush=True)
"""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def files(tmp_path: Path, settings: object) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]


def worker(stop: str, tmp_path: Path) -> subprocess.Popen[str]:
    return start(WORKER + STOP[stop] + RUN, tmp_path)


def let_leases_end() -> None:
    past = timezone.now() - timedelta(seconds=1)
    Document.objects.filter(claim__isnull=False).update(claimed_until=past)


def send(name: str, n_words: int = 800) -> Document:
    words = " ".join(f"{name}{n} revenue" for n in range(n_words))
    return take_in(
        source_of_kind(Source.Kind.UPLOAD), f"{name}.txt", BytesIO(words.encode())
    ).document


def assert_all_embedded_once() -> None:
    for document in Document.objects.all():
        assert document.state == "embedded", document.failed_reason
        assert document.claim is None
        assert document.attempts == 0
        assert document.classifier is not None
        assert document.chunk_count == document.chunks.count() > 0
        spans = list(document.chunks.values_list("start", "end"))
        assert len(spans) == len(set(spans))
    twice = Chunk.objects.values("document", "ordinal").annotate(n=Count("pk")).filter(n__gt=1)
    assert not twice
    assert ChunkVector.objects.count() == Chunk.objects.count()


@pytest.mark.parametrize("stage", ["parse", "index", "embed", "classify"])
def test_killed_in_the_middle_of_a_stage(stage: str, tmp_path: Path) -> None:
    for number in range(DOCUMENTS):
        send(f"report{number}")
    kill_when_there(worker(stage, tmp_path))
    held = Document.objects.filter(claim__isnull=False)
    assert held.count() == 1
    assert held.get().attempts == 1
    let_leases_end()

    again = worker("never", tmp_path)
    assert said(again) == "done"
    assert again.wait(timeout=ENOUGH_SECONDS) == 0
    assert Document.objects.count() == DOCUMENTS
    assert_all_embedded_once()


def test_vectors_made_before_the_kill_are_kept(tmp_path: Path) -> None:
    send("report")
    kill_when_there(worker("embed", tmp_path))
    assert ChunkVector.objects.count() == 4
    assert Chunk.objects.count() > 4


def test_a_file_that_kills_its_worker_is_quarantined_and_its_neighbours_are_not(
    tmp_path: Path,
) -> None:
    send("first", 50)
    poison = send("poison", 50)
    send("last", 50)
    for _ in range(3):
        kill_when_there(worker("poison", tmp_path))
        let_leases_end()

    again = worker("never", tmp_path)
    assert said(again) == "done"
    assert again.wait(timeout=ENOUGH_SECONDS) == 0
    poison.refresh_from_db()
    assert poison.state == "quarantined"
    assert poison.failed_stage == "parse"
    assert poison.failed_reason == claiming.KILLED
    others = Document.objects.exclude(pk=poison.pk)
    assert {document.state for document in others} == {"embedded"}


def test_two_workers_share_the_work(tmp_path: Path) -> None:
    for number in range(6):
        send(f"note{number}", 200)
    send("note0", 200)
    workers = [worker("never", tmp_path) for _ in range(2)]
    assert [said(process) for process in workers] == ["done", "done"]
    assert [process.wait(timeout=ENOUGH_SECONDS) for process in workers] == [0, 0]
    assert Document.objects.count() == 6
    assert_all_embedded_once()
