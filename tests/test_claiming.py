"""A document is one worker's at a time; attempts run out; nothing is decided without the claim."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pgvector import SparseVector

from ingestion import claiming
from ingestion.claiming import ClaimLost, claim, drop, fail, finish, lock, release, renew, retry
from ingestion.models import MAX_ATTEMPTS, TERM_DIMENSIONS, Chunk, Document, Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def source() -> Source:
    return Source.objects.create(name="Files", kind=Source.Kind.FOLDER)


def arrive(source: Source, **fields: object) -> Document:
    return Document.objects.create(source=source, file="none", file_name="a.txt", **fields)


def taken() -> Document:
    document = claim(Document.objects.unparsed(), stage="parse")
    assert document
    return document


def make_due(document: Document) -> None:
    Document.objects.filter(pk=document.pk).update(retry_after=None)


def test_the_newest_comes_first_and_none_twice(source: Source) -> None:
    old, new = arrive(source), arrive(source)
    assert [taken(), taken()] == [new, old]
    assert claim(Document.objects.unparsed()) is None


def test_a_lease_that_ended_is_taken_over_and_the_first_holder_decides_nothing(
    source: Source,
) -> None:
    arrive(source)
    first = taken()
    Document.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    second = taken()
    assert not finish(first, title="late")
    assert not renew(first)
    with pytest.raises(ClaimLost):
        lock(first)
    assert finish(second, title="right")
    second.refresh_from_db()
    assert (second.title, second.claim, second.attempts) == ("right", None, 0)


def test_failures_wait_longer_each_time_and_the_last_quarantines(source: Source) -> None:
    document = arrive(source)
    waits = []
    for _ in range(MAX_ATTEMPTS - 1):
        held = taken()
        fail(held, "parse", "The parser crashed.")
        assert held.retry_after
        waits.append((held.retry_after - timezone.now()).total_seconds())
        assert claim(Document.objects.unparsed()) is None
        make_due(document)
    assert waits[1] > 3 * waits[0] > 30
    held = taken()
    fail(held, "parse", "The parser crashed\0.")
    document.refresh_from_db()
    assert document.state == "quarantined"
    assert (document.failed_stage, document.failed_reason) == ("parse", "The parser crashed.")
    assert claim(Document.objects.unparsed()) is None


def test_a_permanent_failure_quarantines_at_once(source: Source) -> None:
    arrive(source)
    held = taken()
    fail(held, "parse", "The file is encrypted.", permanent=True)
    assert held.state == "quarantined"


def test_a_worker_killed_again_and_again_by_one_file_ends(source: Source) -> None:
    document = arrive(source)
    for _ in range(MAX_ATTEMPTS):
        taken()
        Document.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert claim(Document.objects.unparsed(), stage="parse") is None
    document.refresh_from_db()
    assert document.state == "quarantined"
    assert document.failed_reason == claiming.KILLED


def test_progress_forgives_earlier_attempts_and_release_counts_none(source: Source) -> None:
    document = arrive(source, attempts=2)
    held = taken()
    assert renew(held, progress=True)
    document.refresh_from_db()
    assert document.attempts == 1
    release(held)
    document.refresh_from_db()
    assert (document.attempts, document.claim) == (0, None)


def test_retry_by_hand_gives_all_attempts_back(source: Source) -> None:
    document = arrive(source)
    assert not retry(document)
    fail(taken(), "parse", "The file is damaged.", permanent=True)
    assert retry(document)
    document.refresh_from_db()
    assert (document.state, document.attempts, document.failed_reason) == ("received", 0, "")
    assert taken() == document


def test_dropping_an_original_loses_no_sighting(source: Source) -> None:
    original = arrive(
        source, text="text", text_sha256="d" * 64, parsed_at=timezone.now(), chunk_count=1
    )
    Chunk.objects.create(
        document=original,
        ordinal=0,
        start=0,
        end=4,
        page=1,
        n_tokens=1,
        body="text",
        header_length=0,
        terms=SparseVector({1: 1.0}, TERM_DIMENSIONS),
    )
    older = arrive(source, duplicate_of=original, parsed_at=timezone.now())
    younger = arrive(source, duplicate_of=original)
    assert not drop(original)
    Document.objects.filter(pk=original.pk).update(quarantined_at=timezone.now())
    assert drop(original)
    assert not retry(original)
    for document in (original, older, younger):
        document.refresh_from_db()
    assert original.state == "dropped"
    assert original.chunks.count() == 0
    assert (older.state, younger.duplicate_of) == ("received", older)
    assert taken() == older
