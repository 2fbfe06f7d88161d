"""The keyword index is compared with its table, and built again only when it lost something."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from pgvector import SparseVector

from docintel.models import Measurement
from ingestion import health, index_health
from ingestion.index_health import check_and_repair, inspect
from ingestion.models import TERM_DIMENSIONS, Chunk, Document, Source

pytestmark = pytest.mark.django_db(transaction=True)


def add(n_chunks: int, first: int = 0) -> None:
    source, _ = Source.objects.get_or_create(name="Files", kind=Source.Kind.FOLDER)
    document = Document.objects.create(source=source, file="none", file_name="a.txt")
    Chunk.objects.bulk_create(
        Chunk(
            document=document,
            ordinal=n,
            start=n,
            end=n + 1,
            page=1,
            n_tokens=1,
            body=f"segment sales marker{n}",
            header_length=0,
            terms=SparseVector({n: 1.0}, TERM_DIMENSIONS),
        )
        for n in range(first, first + n_chunks)
    )


def rebuilds() -> int:
    return Measurement.objects.filter(name=index_health.REBUILD).count()


def test_an_empty_table_is_healthy() -> None:
    report = check_and_repair()
    assert report.ok
    assert (report.rows, report.entries) == (0, 0)
    assert rebuilds() == 0


def test_deleted_and_undone_rows_are_no_loss() -> None:
    add(300)
    Chunk.objects.filter(ordinal__lt=100).delete()
    with transaction.atomic():
        add(50, first=1_000)
        transaction.set_rollback(True)
    connection.close()
    assert inspect().ok
    for _ in range(3):
        assert check_and_repair().ok
    assert rebuilds() == 0


def test_the_first_check_after_a_start_counts_no_deleted_row() -> None:
    add(300)
    Chunk.objects.filter(ordinal__lt=100).delete()
    report = check_and_repair()
    assert (report.rows, report.entries) == (200, 200)


def test_a_passage_that_others_outrank_is_no_loss() -> None:
    add(3)
    alike = Chunk.objects.get(ordinal=0)
    common = "sales growth " * 35
    bodies = [common + f"row{n}" for n in range(40)]
    filler = " ".join(f"filler{n}" for n in range(800))
    Chunk.objects.bulk_create(
        Chunk(
            document=alike.document,
            ordinal=200 + n,
            start=n,
            end=n + 1,
            page=1,
            n_tokens=1,
            body=body,
            header_length=0,
            terms=alike.terms,
        )
        for n, body in enumerate([*bodies, f"{filler} {common}"])
    )
    assert check_and_repair().missed == 0
    assert rebuilds() == 0


def test_an_index_that_is_short_is_rebuilt_once(monkeypatch: pytest.MonkeyPatch) -> None:
    add(300)
    check_and_repair()
    real = index_health.entries
    counts = iter([100, 100])
    monkeypatch.setattr(index_health, "entries", lambda text: next(counts, None) or real(text))
    report = check_and_repair()
    assert report.rebuilt
    assert report.ok
    assert rebuilds() == 1


def test_a_rebuild_that_does_not_help_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    add(300)
    monkeypatch.setattr(index_health, "entries", lambda _: 100)
    for _ in range(3):
        report = check_and_repair()
        assert not report.ok
    assert rebuilds() == 1


def test_passages_that_are_not_found_are_a_loss_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add(30)
    assert index_health._missed() == 0
    monkeypatch.setattr(index_health, "_found", lambda *_: False)
    assert inspect().missed == 2 * index_health.PROBES
    assert not inspect().ok


def test_two_at_once_do_not_both_check() -> None:
    add(10)
    other = connection.copy()
    key = "hashtextextended(%s, 0)"
    with other.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_lock({key})", [index_health.LOCK])
        assert check_and_repair().skipped
        cursor.execute(f"SELECT pg_advisory_unlock({key})", [index_health.LOCK])
    other.close()
    assert not check_and_repair().skipped


def test_what_an_interrupted_rebuild_left_is_removed() -> None:
    add(10)
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX chunk_bm25_ccnew ON ingestion_chunk (ordinal)")
        cursor.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'chunk_bm25_ccnew'::regclass"
        )
    check_and_repair()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('chunk_bm25_ccnew')")
        assert cursor.fetchone() == (None,)


def test_the_health_report_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    add(30)
    good = next(iter(health.findings()))
    assert good.ok
    assert inspect().entries == 30
    monkeypatch.setattr(index_health, "entries", lambda _: 3)
    bad = next(iter(health.findings()))
    assert not bad.ok
    assert "3 entries for 30 passages" in bad.message
    assert "check_indexes" in bad.hint
