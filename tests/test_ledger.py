"""The ledger adds up, a terminal says the same, and one stage can be done again by itself."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from docintel import measuring
from ingestion import pipeline, rerunning
from ingestion.fetching import scan_folder
from ingestion.ledger import SEARCHABLE_ALERT_SECONDS, ledger
from ingestion.lexical import rarest
from ingestion.models import ChunkVector, CorpusStatistics, Document, Source
from ingestion.receiving import take_in
from ingestion.withdrawing import withdraw_for
from qa.retrieval import search
from tests.reading_corpus import process

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stored(tmp_path: Path, settings: LazySettings) -> None:
    settings.MEDIA_ROOT = tmp_path / "stored"


@pytest.fixture
def library() -> Source:
    return Source.objects.create(name="Library", kind=Source.Kind.API)


def put(source: Source, words: str, external_id: str = "") -> Document:
    return take_in(source, "a.txt", io.BytesIO(words.encode()), external_id=external_id).document


@pytest.fixture
def mixed(library, olga) -> Source:
    """Two embedded, one of them a sighting elsewhere; a revision, a withdrawal, a wreck, a wait."""
    first = put(library, "Salt was shipped from nine quays in March.", "a")
    wire = Source.objects.create(name="Wire", kind=Source.Kind.API)
    process()
    put(wire, "Salt was shipped from nine quays in March.", "w")
    put(library, "Rope was sold to the navy, as before.", "b")
    take_in(library, "torn.pdf", io.BytesIO(b"%PDF-1.4 torn"), external_id="c")
    gone = put(library, "Tar was dear all summer long.", "d")
    process(embed=True)
    put(library, "Rope was sold to nobody, unlike before.", "b")
    withdraw_for(gone, olga)
    process(embed=True)
    put(library, "This one still waits for its turn.", "e")
    assert first.pk
    return library


def test_the_numbers_add_up(mixed) -> None:
    kept = ledger()
    lines = {line.source.name: line for line in kept.lines if line.source}
    own = lines["Library"]
    assert (own.fetched, own.searchable, own.embedded) == (4, 2, 2)
    assert (own.waiting, own.quarantined, own.withdrawn, own.superseded) == (1, 1, 1, 1)
    assert own.oldest_waiting is not None
    # A sighting is as searchable as the text that it shares.
    assert (lines["Wire"].fetched, lines["Wire"].embedded, lines["Wire"].waiting) == (1, 1, 0)
    for line in [*kept.lines, kept.total]:
        assert line.fetched == line.searchable + line.waiting + line.quarantined
    assert kept.total.fetched == 5


def test_what_a_folder_offers_is_expected(tmp_path) -> None:
    folder = tmp_path / "filings"
    folder.mkdir()
    for n in range(3):
        (folder / f"{n}.txt").write_text(f"Quay {n} shipped salt.")
    source = Source.objects.create(name="F", kind=Source.Kind.FOLDER, location=str(folder))
    scan_folder(source)
    Document.objects.filter(external_id="2.txt").delete()
    (line,) = ledger().lines
    assert (line.expected, line.fetched, line.not_fetched, line.waiting) == (3, 2, 1, 2)


def test_a_file_that_another_one_amends_has_been_fetched(tmp_path) -> None:
    folder = tmp_path / "filings"
    folder.mkdir()
    for name in ("10K.txt", "10KA.txt"):
        (folder / name).write_text(f"The {name} of Quay.")
    source = Source.objects.create(name="F", kind=Source.Kind.FOLDER, location=str(folder))
    scan_folder(source)
    first = Document.objects.get(external_id="10K.txt")
    Document.objects.filter(pk=first.pk).update(superseded_at=timezone.now())
    Document.objects.filter(external_id="10KA.txt").update(supersedes=first)
    (line,) = ledger().lines
    assert (line.expected, line.fetched, line.superseded, line.not_fetched) == (2, 1, 1, 0)


def test_lags_are_percentiles_of_measurements(library) -> None:
    other = Source.objects.create(name="Slow", kind=Source.Kind.API)
    for seconds in range(1, 101):
        measuring.record("searchable_lag_seconds", seconds, source=library.pk)
    measuring.record("searchable_lag_seconds", SEARCHABLE_ALERT_SECONDS + 60, source=other.pk)
    kept = ledger()
    first, slow = kept.lines
    assert (first.p50, round(first.p95 or 0, 2)) == (50.5, 95.05)
    assert first.alerts == []
    assert slow.alerts == ["Documents become searchable too late (p95 over 45 minutes)."]
    assert kept.total.p50 == 51


def test_a_real_document_is_measured_once(library) -> None:
    document = put(library, "Salt was shipped from nine quays in March.")
    process(embed=True)
    (line,) = ledger().lines
    assert line.p50 is not None
    assert line.vector_p95 is not None
    rerunning.rerun_document(document, "index")
    Document.objects.update(received_at=timezone.now() - timedelta(hours=5))
    process()
    assert ledger().lines[0].p95 == line.p95


def test_the_page_shows_visible_sources_only(mixed, olga, client: Client) -> None:
    closed = Source.objects.create(name="Vault", kind=Source.Kind.API)
    closed.groups.add(Group.objects.create(name="desk"))
    put(closed, "Nobody may know of this.")
    client.force_login(olga)
    page = client.get("/ledger/").content.decode()
    assert "Library" in page
    assert "Vault" not in page
    for address in ("/ledger/rerun/", "/ledger/absent/"):
        answers = [
            client.post(address, {"source": number, "stage": "index"}, follow=True).content.decode()
            for number in (closed.pk, 999_999, "x")
        ]
        assert all("There is no source of this number." in answer for answer in answers)


def test_the_terminal_says_the_same(mixed, capsys) -> None:
    call_command("ingest", "status", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["ledger"] == ledger().total.as_dict()
    assert [line["source"] for line in told["sources"]] == ["Library", "Wire"]
    call_command("ingest", "status")
    printed = capsys.readouterr().out
    assert "Library" in printed
    assert "withdrawn" in printed


# One stage again


def found(user: User, question: str = "salt quays") -> list[int]:
    return [hit.document.pk for hit in search(question, user).documents]


def test_indexing_again_keeps_the_document_in_search(library, alice) -> None:
    document = put(library, "Salt was shipped from nine quays in March.")
    process(embed=True)
    before = set(document.chunks.values_list("pk", flat=True))
    rerunning.rerun_document(document, "index")
    assert found(alice) == [document.pk]
    process()
    assert found(alice) == [document.pk]
    assert not before & set(document.chunks.values_list("pk", flat=True))
    assert not Document.objects.unindexed().exists()


def test_embedding_again_makes_new_vectors_and_no_new_passages(library) -> None:
    document = put(library, "Salt was shipped from nine quays in March.")
    process(embed=True)
    chunks = list(document.chunks.values_list("pk", flat=True))
    rerunning.rerun_document(document, "embed")
    assert not ChunkVector.objects.exists()
    pipeline.embed_pending(60)
    document.refresh_from_db()
    assert document.state == "embedded"
    assert list(document.chunks.values_list("pk", flat=True)) == chunks
    assert ChunkVector.objects.count() == len(chunks)


def test_reading_again_leaves_nothing_where_nothing_changed(library, alice) -> None:
    document = put(library, "Salt was shipped from nine quays in March.", "a")
    process()
    rerunning.rerun_document(document, "parse")
    assert Document.objects.count() == 2
    process()
    assert [row.pk for row in Document.objects.all()] == [document.pk]
    assert found(alice) == [document.pk]


def test_reading_again_otherwise_is_a_revision(library, alice) -> None:
    document = put(library, "Salt was shipped from nine quays in March.", "a")
    process()
    # As an older parser read it.
    Document.objects.filter(pk=document.pk).update(text="Salt.", text_sha256="0" * 64)
    rerunning.rerun_document(document, "parse")
    process()
    document.refresh_from_db()
    newer = document.successors.get()
    assert (document.text, document.state) == ("Salt.", "superseded")
    assert newer.text.startswith("Salt was shipped")
    assert found(alice) == [newer.pk]


def test_only_what_failed_there_is_retried(library) -> None:
    take_in(library, "torn.pdf", io.BytesIO(b"%PDF-1.4 torn"))
    process()
    assert rerunning.rerun(Document.objects.all(), "index") == 0
    assert rerunning.rerun(Document.objects.all(), "parse") == 1
    assert Document.objects.get().state == "received"


def test_one_source_and_everything(mixed) -> None:
    assert rerunning.rerun_source(mixed, "index").startswith("2 documents of Library")
    with pytest.raises(rerunning.Refused):
        rerunning.rerun_source(mixed, "dance")
    call_command("ingest", "rerun", "--stage", "embed")
    assert Document.objects.filter(embedded_at=None, searchable_at__isnull=False).count() == 2
    with pytest.raises(CommandError):
        call_command("ingest", "rerun", "--stage", "embed", "--document", "x")


def test_buttons_of_a_document(library, olga, alice, client: Client) -> None:
    document = put(library, "Salt was shipped from nine quays in March.")
    process()
    client.force_login(olga)
    address = document.get_absolute_url()
    assert "Redo" in client.get(address).content.decode()
    answer = client.post(f"{address}rerun/", {"stage": "index"}, follow=True)
    assert "is being indexed again" in answer.content.decode()
    assert "no stage" in client.post(f"{address}rerun/", follow=True).content.decode()
    page = client.post(f"{address}withdraw/", follow=True).content.decode()
    assert "its source no longer has it" in page
    assert found(alice) == []
    client.force_login(alice)
    assert "Redo" not in client.get(address).content.decode()


# The pages of revisions


def test_both_revisions_point_at_each_other_and_at_what_changed(library, alice, client) -> None:
    old = put(library, "Revenue was 412.0 million in March.\n\nWe have no debt.", "a")
    process()
    new = put(library, "Revenue was 388.0 million in March.\n\nWe have a loan.", "a")
    process()
    client.force_login(alice)
    earlier = client.get(old.get_absolute_url()).content.decode()
    assert "Superseded by" in earlier
    assert new.get_absolute_url() in earlier
    assert "412.0" in earlier
    later = client.get(new.get_absolute_url()).content.decode()
    assert "Supersedes" in later
    assert old.get_absolute_url() in later
    page = client.get(f"{new.get_absolute_url()}changes/").content.decode()
    figures, passages = page.split("Figures restated")[1].split("Passages changed")
    assert ">412.0</a>" in figures
    assert ">388.0</a>" in figures
    assert "<del>no debt.</del>" in passages
    assert "style=" not in page


def test_nothing_is_told_of_a_hidden_earlier_revision(library, alice, client) -> None:
    closed = Source.objects.create(name="Vault", kind=Source.Kind.API)
    closed.groups.add(Group.objects.create(name="desk"))
    old = put(closed, "Revenue was 412.0 million in secret.", "a")
    new = put(library, "Revenue was 388.0 million in March.", "b")
    process()
    Document.objects.filter(pk=new.pk).update(supersedes=old)
    client.force_login(alice)
    for address in (new.get_absolute_url(), f"{new.get_absolute_url()}changes/"):
        page = client.get(address).content.decode()
        assert "412.0" not in page
        assert str(old.public_id) not in page
    assert client.get(f"{old.get_absolute_url()}changes/").status_code == 404


def test_lateness_is_alerted_on_the_health_page_and_in_the_terminal(
    library, olga, client: Client, capsys
) -> None:
    from docintel import measuring
    from ingestion import health

    def late() -> list[str]:
        return [row.message for row in health._lateness() if not row.ok]

    assert late() == []
    measuring.record("searchable_lag_seconds", 46 * 60.0, source=library.pk)
    measuring.record("vector_lag_seconds", 61 * 60.0, source=library.pk)
    assert [message.split(" Sources: ") for message in late()] == [
        ["Documents become searchable too late (p95 over 45 minutes).", f"{library.name}."],
        ["Vectors follow too late (p95 over 60 minutes).", f"{library.name}."],
    ]
    client.force_login(olga)
    assert b"p95 over 45 minutes" in client.get("/health/").content
    call_command("ingest", "status")
    assert "alert: Vectors follow too late" in capsys.readouterr().out


def test_a_folder_taken_in_without_a_worker_can_be_looked_up_word_for_word(
    tmp_path: Path, olga
) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "a.txt").write_text("Salt was shipped from nine quays in March.")
    assert not CorpusStatistics.current().n_chunks
    call_command("ingest", str(folder), "--wait")
    assert CorpusStatistics.current().n_chunks == 1
    assert rarest("nine quays")
