"""A worker killed while it fetches, reads, switches or withdraws: nothing lost, double or stale."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.utils import timezone
from killed_workers import kill_when_there, start
from web_server import Web, web

from docintel import encoders
from ingestion import fetching, pipeline
from ingestion.models import Document, Mention, Source
from ingestion.receiving import take_in
from qa.retrieval import search

WORKER = """
import os, sys
import django
django.setup()
from django.utils import timezone
from ingestion import (entities, fetching, fetching_items, indexing, pipeline, polling, revising,
                       withdrawing)
from ingestion.models import Source

def stop_here(*_, **__):
    print("here", flush=True)
    sys.stdin.read()
    os._exit(3)

def stop_after(verb):
    def wrapped(*args, **more):
        verb(*args, **more)
        return stop_here()
    return wrapped

def second_time(verb):
    calls = []
    def wrapped(*args):
        calls.append(args)
        return stop_here() if len(calls) == 2 else verb(*args)
    return wrapped
"""
STOP = {
    "the bytes are here": "fetching_items.take_in = stop_here",
    "the document is made": "fetching_items.take_in = stop_after(fetching_items.take_in)",
    "a part is read": "entities._keep = second_time(entities._keep)",
    "all is read": "entities.finish = stop_here",
    "before the old one leaves": "indexing.retire_predecessors = stop_here",
    "the old one left": "indexing.retire_predecessors = stop_after(indexing.retire_predecessors)",
    "all is switched": "indexing.make_searchable = stop_after(indexing.make_searchable)",
    "before the withdrawal": "withdrawing.withdraw = stop_here",
    "in the withdrawal": "revising.pass_on = stop_here",
    "after the withdrawal": "withdrawing.withdraw = stop_after(withdrawing.withdraw)",
    "never": "",
}
DO = {
    "poll": "polling.poll_sources(5)",
    "index": "pipeline.parse_pending(); pipeline.index_pending()",
    "recognise": "pipeline.recognise_pending(300)",
    "scan": "[fetching.scan_folder(source) for source in Source.objects.filter(kind='folder')]",
}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def files(tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Path:
    def unavailable() -> None:
        raise encoders.EncoderUnavailable("no model in this test")

    monkeypatch.setattr(encoders, "live_embedder", unavailable)
    settings.MEDIA_ROOT = tmp_path / "stored"
    return tmp_path / "stored"


@pytest.fixture
def server(settings: LazySettings) -> Iterator[Web]:
    with web() as served:
        settings.ALLOWED_FETCH_HOSTS = [f"127.0.0.1:{served.port}"]
        yield served


def killed(stop: str, verb: str, files: Path, port: int = 0) -> None:
    """A worker that does this until it is there, and is killed with all its connections."""
    code = f"{WORKER}\n{STOP[stop]}\n{DO[verb]}\n"
    hosts = f"127.0.0.1:{port}"
    kill_when_there(start(code, files, ALLOWED_FETCH_HOSTS=hosts, FETCH_THREADS="1"))
    past = timezone.now() - timedelta(seconds=1)
    Document.objects.filter(claim__isnull=False).update(claimed_until=past)
    Source.objects.filter(claim__isnull=False).update(claimed_until=past)


def found(question: str) -> list[int]:
    """The documents that a search shows passages of."""
    everyone = User(username="everyone", is_superuser=True)
    return sorted({passage.document_id for passage in search(question, everyone).passages})


def make_searchable() -> None:
    while pipeline.parse_pending() + pipeline.index_pending():
        pass


def words(marker: str, count: int = 120) -> bytes:
    return " ".join(f"{marker} word{number} revenue" for number in range(count)).encode()


@pytest.mark.parametrize("stop", ["the bytes are here", "the document is made"])
def test_killed_while_fetching_an_item(stop: str, server: Web, files: Path) -> None:
    items = "".join(
        f"<item><guid>{n}</guid><title>S {n}</title><link>/{n}.txt</link></item>" for n in range(3)
    )
    server.says("/feed", f'<rss version="2.0"><channel><title>W</title>{items}</channel></rss>')
    for number in range(3):
        server.says(f"/{number}.txt", words(f"story{number}"), Content_Type="text/plain")
    source = Source.objects.create(name="Wire", kind=Source.Kind.RSS, location=server.url("/feed"))
    killed(stop, "poll", files, server.port)
    source.refresh_from_db()
    assert source.claim is not None
    assert source.items.get(attempts=1).fetched_at is None
    assert source.documents.count() == (stop == "the document is made")

    fetching_again(source)
    assert source.documents.count() == 3
    assert set(source.documents.values_list("external_id", flat=True)) == {"0", "1", "2"}
    assert {item.document.external_id for item in source.items.all()} == {"0", "1", "2"}
    assert not source.items.exclude(attempts=0).exists()
    make_searchable()
    assert [len(found(f"story{number}")) for number in range(3)] == [1, 1, 1]
    stored = [path for path in (files / "documents").rglob("*") if path.is_file()]
    # The file of a document whose row was never made may be left; none is missing.
    assert len(stored) >= 3


def fetching_again(source: Source) -> None:
    from ingestion import polling

    polling.poll_sources(30)
    source.refresh_from_db()
    assert (source.claim, source.last_error) == (None, "")


@pytest.mark.parametrize("stop", ["a part is read", "all is read"])
def test_killed_while_mentions_are_found(stop: str, files: Path) -> None:
    pushed = Source.objects.create(name="Pushed", kind=Source.Kind.API)
    story = "Apple Inc. said revenue rose by 12 percent to $30 million in March 2024.\n"
    take_in(pushed, "long.txt", BytesIO((story * 1_500).encode()))
    make_searchable()
    killed(stop, "recognise", files)
    document = Document.objects.get()
    assert document.recognised_at is None
    before = document.mentions.count()
    assert before > 0

    while pipeline.recognise_pending(300):
        pass
    document.refresh_from_db()
    assert document.recognised_at is not None
    spans = list(Mention.objects.values_list("start", "end", "kind"))
    assert len(spans) == len(set(spans)) >= before
    for first, end, _ in spans[:50]:
        assert document.text[first:end].strip()
    amounts = Mention.objects.filter(kind="money").count()
    assert amounts == document.text.count("$30 million")


@pytest.mark.parametrize(
    ("stop", "switched"),
    [
        ("before the old one leaves", False),
        ("the old one left", False),
        ("all is switched", True),
    ],
)
def test_killed_in_the_switch_of_an_amendment(stop: str, switched: bool, files: Path) -> None:
    pushed = Source.objects.create(name="Pushed", kind=Source.Kind.API)
    old = take_in(pushed, "a.txt", BytesIO(words("quellmark old")), external_id="a").document
    make_searchable()
    new = take_in(pushed, "a.txt", BytesIO(words("quellmark new")), external_id="a").document
    assert found("quellmark") == [old.pk]
    killed(stop, "index", files)
    # One of the two, never both and never none.
    assert found("quellmark") == [new.pk if switched else old.pk]

    make_searchable()
    assert found("quellmark") == [new.pk]
    old.refresh_from_db()
    new.refresh_from_db()
    assert old.state == "superseded"
    assert old.text.startswith("quellmark old")
    assert (new.searchable_at is not None, new.claim) == (True, None)
    assert new.chunks.count() == new.chunk_count == len(set(new.chunks.values_list("start")))


@pytest.mark.parametrize(
    ("stop", "gone"),
    [
        ("before the withdrawal", False),
        ("in the withdrawal", False),
        ("after the withdrawal", True),
    ],
)
def test_killed_while_a_folder_withdraws(
    stop: str, gone: bool, files: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "filings"
    folder.mkdir()
    for name in ("kept", "deleted", "other"):
        (folder / f"{name}.txt").write_bytes(words(f"{name}mark"))
    source = Source.objects.create(name="Filings", kind=Source.Kind.FOLDER, location=str(folder))
    fetching.scan_folder(source)
    elsewhere = Source.objects.create(name="Pushed", kind=Source.Kind.API)
    make_searchable()
    sighting = take_in(elsewhere, "same.txt", BytesIO(words("deletedmark"))).document
    make_searchable()
    deleted = source.documents.get(file_name="deleted.txt")
    assert found("deletedmark") == [deleted.pk]
    (folder / "deleted.txt").unlink()
    for _ in range(2):
        fetching.scan_folder(source)
    killed(stop, "scan", files)
    deleted.refresh_from_db()
    assert (deleted.withdrawn_at is not None) is gone
    make_searchable()
    assert found("deletedmark") == [sighting.pk if gone else deleted.pk]

    fetching.scan_folder(source)
    make_searchable()
    # What stood behind the withdrawn one stands for itself; the neighbours never moved.
    assert found("deletedmark") == [sighting.pk]
    assert len(found("keptmark")) == len(found("othermark")) == 1
    deleted.refresh_from_db()
    assert deleted.state == "withdrawn"
    assert source.documents.filter(withdrawn_at=None).count() == 2
