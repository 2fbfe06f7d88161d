"""From bytes to vectors: every document arrives or says why not, and neighbours never suffer."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from types import ModuleType

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.utils import timezone

from docintel import encoders, registry
from docintel.models import Measurement, ModelVersion
from ingestion import claiming, indexing, pipeline
from ingestion.editing import edit
from ingestion.freezing import text_digest
from ingestion.models import MAX_ATTEMPTS, Chunk, ChunkVector, Company, Document, Source
from ingestion.parsing import Parsed, ParserFailed, isolation
from ingestion.receiving import source_of_kind, take_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def stored(tmp_path: Path, settings: LazySettings) -> None:
    settings.MEDIA_ROOT = tmp_path


def send(words: str | bytes, name: str = "a.txt", **more: object) -> Document:
    source = more.pop("source", None) or source_of_kind(Source.Kind.UPLOAD)
    data = words if isinstance(words, bytes) else words.encode()
    return take_in(source, name, BytesIO(data), **more).document  # type: ignore[arg-type]


def fresh(document: Document) -> Document:
    return Document.objects.get(pk=document.pk)


def run_until_nothing_is_left() -> None:
    while pipeline.work_once(60):
        pass


def test_a_document_becomes_searchable_then_embedded() -> None:
    text = "Revenue rose by 4.5%.\n\n" + "Costs fell in the segment. " * 600
    pushed = {"company": "Acme Corp.", "kind": "annual_report", "fiscal_year": 2024}
    document = send(text, pushed=pushed)
    assert pipeline.parse_pending() == 1
    assert fresh(document).state == "parsed"
    assert pipeline.index_pending() == 1
    found = fresh(document)
    assert found.state == "searchable"
    chunks = list(found.chunks.all())
    assert found.chunk_count == len(chunks) > 3
    for chunk in chunks:
        assert chunk.text == found.text[chunk.start : chunk.end]
        assert chunk.body.startswith("Acme Corp. · Annual report · FY2024\n")
        assert chunk.n_tokens <= 512
    assert Chunk.objects.lexical("costs segment", None, 3)
    assert pipeline.embed_pending() == 1
    found = fresh(document)
    assert found.state == "embedded"
    assert found.embedder == encoders.live_embedder()
    assert ChunkVector.objects.count() == len(chunks)
    names = set(Measurement.objects.values_list("name", flat=True))
    assert {"parse_seconds", "index_seconds", "embed_seconds"} <= names
    assert {"searchable_lag_seconds", "vector_lag_seconds"} <= names


def test_the_same_text_in_another_file_is_a_sighting() -> None:
    first = send("Revenue rose.  Costs\nfell.", "a.txt")
    run_until_nothing_is_left()
    second = send("Revenue rose. Costs fell.\n", "b.txt")
    run_until_nothing_is_left()
    assert fresh(second).duplicate_of == first
    assert fresh(second).text == ""
    assert fresh(first).state == "embedded"
    assert Chunk.objects.count() == 1


def test_what_counts_as_the_same_text() -> None:
    assert text_digest("cafe\u0301  au\nlait ") == text_digest("café au lait")
    assert text_digest("Revenue") != text_digest("REVENUE")


def test_a_sighting_dropped_with_its_original_is_parsed_for_itself() -> None:
    first = send("Revenue rose.", "a.txt")
    run_until_nothing_is_left()
    second = send("Revenue rose.", "b.txt", external_id="b")
    assert second.duplicate_of == first
    Document.objects.filter(pk=first.pk).update(quarantined_at=timezone.now())
    assert claiming.drop(fresh(first))
    run_until_nothing_is_left()
    assert fresh(second).state == "embedded"


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("empty.txt", b"", "empty"),
        ("damaged.pdf", b"%PDF-1.7 nonsense", ""),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(2_000), ""),
        ("bare.html", b"<html><head></head></html>", ""),
    ],
)
def test_an_unreadable_file_is_quarantined_with_its_reason(
    name: str, data: bytes, words: str
) -> None:
    bad = send(data, name)
    good = send("Revenue rose.")
    run_until_nothing_is_left()
    bad, good = fresh(bad), fresh(good)
    assert bad.state == "quarantined"
    assert words in bad.failed_reason
    assert bad.failed_reason
    assert "Traceback" not in bad.failed_reason
    assert good.state == "embedded"


def test_a_parser_that_fails_is_tried_three_times(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def failing(path: Path, file_name: str, **limits: int) -> Parsed:
        tries.append(file_name)
        raise ParserFailed("The parser crashed (SIGSEGV).")

    monkeypatch.setattr(isolation, "parse", failing)
    document = send("Revenue rose.")
    for _ in range(MAX_ATTEMPTS + 2):
        pipeline.parse_pending()
        Document.objects.update(retry_after=None)
    assert len(tries) == MAX_ATTEMPTS
    assert fresh(document).state == "quarantined"
    assert fresh(document).failed_reason == "The parser crashed (SIGSEGV)."


def test_an_unexpected_error_ends_only_its_own_document(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good = send("Revenue rose.", "good.txt")
    bad = send("Costs fell.", "bad.txt")
    parse = isolation.parse

    def sometimes(path: Path, file_name: str, **limits: int) -> Parsed:
        return 1 / 0 if file_name == "bad.txt" else parse(path, file_name, **limits)  # type: ignore[return-value]

    monkeypatch.setattr(isolation, "parse", sometimes)
    run_until_nothing_is_left()
    assert fresh(good).state == "embedded"
    assert fresh(bad).failed_reason == pipeline.UNEXPECTED
    assert fresh(bad).retry_after


def test_a_missing_stored_file_is_said_in_words() -> None:
    document = send("Revenue rose.")
    document.file.storage.delete(document.file.name)
    pipeline.parse_pending()
    assert fresh(document).failed_reason == "The stored file is missing; send it again."


def test_text_beyond_the_limit_and_control_characters(settings: LazySettings) -> None:
    settings.MAX_TEXT_CHARACTERS = 100_000
    long = send("Revenue rose. " * 10_000, "long.txt")
    plain = "Revenue rose. 한국어 עברית 中文 " + "Costs fell. " * 50
    odd = send(plain.replace("rose", "ro\0se").strip(), "odd.txt")
    binary = send("\0\1\2\3" * 40, "binary.txt")
    run_until_nothing_is_left()
    assert fresh(long).state == "quarantined"
    assert "too long" in fresh(long).failed_reason
    assert fresh(odd).state == "embedded"
    assert fresh(odd).text.strip() == plain.strip()
    assert fresh(binary).state == "quarantined"
    assert "binary" in fresh(binary).failed_reason


def test_fifty_megabytes_of_text_end_with_a_reason_and_harm_no_neighbour() -> None:
    line = b"Revenue rose by 4.5 percent in the second quarter and costs fell again.\n"
    huge = send(line * (50 * 1_048_576 // len(line)), "huge.txt")
    small = send("Revenue rose.", "small.txt")
    run_until_nothing_is_left()
    assert fresh(huge).state == "quarantined"
    assert "too long" in fresh(huge).failed_reason
    assert fresh(small).state == "embedded"


def test_vectors_wait_for_an_encoder_without_using_up_attempts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document = send("Revenue rose.")
    pipeline.parse_pending()
    pipeline.index_pending()

    def absent(texts: list[str]) -> None:
        raise encoders.EncoderUnavailable("the inference role does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(encoders, "embed", absent)
        for _ in range(MAX_ATTEMPTS + 1):
            assert pipeline.embed_pending() == 0
    assert fresh(document).attempts == 0
    assert fresh(document).claim is None
    assert pipeline.embed_pending() == 1
    assert fresh(document).state == "embedded"


def test_another_live_embedder_makes_its_own_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    document = send("Revenue rose.")
    run_until_nothing_is_left()
    other = ModelVersion.objects.create(name="embedder", version="tuned", digest="e" * 64)
    registry.make_live(other, prepared=True)
    monkeypatch.setattr(encoders, "live_embedder", lambda: other)
    assert pipeline.embed_pending() == 1
    assert fresh(document).embedder == other
    assert ChunkVector.objects.get().embedder == other
    assert pipeline.embed_pending() == 0


def test_embedding_gives_way_to_what_waits_for_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "CHUNKS_PER_COMMIT", 2)
    document = send("Costs fell in the segment. " * 600)
    pipeline.parse_pending()
    pipeline.index_pending()
    send("Revenue rose.", "urgent.txt")
    assert pipeline.embed_pending() == 1
    assert ChunkVector.objects.count() == 2
    assert fresh(document).state == "searchable"
    assert (fresh(document).claim, fresh(document).attempts) == (None, 0)
    run_until_nothing_is_left()
    assert fresh(document).state == "embedded"


def test_an_edited_company_is_written_into_every_header(eve: User) -> None:
    document = send("Revenue rose.", pushed={"company": "Acme"})
    run_until_nothing_is_left()
    published = fresh(document)
    assert edit(published, {"title": "Report"}, eve)
    assert not edit(published, {"title": "Report"}, eve)
    assert edit(published, {"company": "Globex", "fiscal_year": 2023}, eve)
    run_until_nothing_is_left()
    found = fresh(document)
    assert found.state == "embedded"
    assert found.provenance["company"] == found.provenance["title"] == "edited"
    chunk = found.chunks.get()
    assert chunk.body == "Globex · FY2023\nRevenue rose."
    assert ChunkVector.objects.get().chunk == chunk


def test_an_edit_during_a_stage_wins(eve: User, monkeypatch: pytest.MonkeyPatch) -> None:
    document = send("Revenue rose.", pushed={"company": "Acme"})
    pipeline.parse_pending()
    pipeline.index_pending()
    embed = encoders.embed

    def meanwhile(texts: list[str]) -> object:
        edit(fresh(document), {"company": "Globex"}, eve)
        return embed(texts)

    with monkeypatch.context() as patch:
        patch.setattr(encoders, "embed", meanwhile)
        pipeline.embed_pending()
    assert ChunkVector.objects.count() == 0
    run_until_nothing_is_left()
    assert fresh(document).chunks.get().body.startswith("Globex")


@pytest.mark.parametrize(("module", "verb"), [(isolation, "parse"), (indexing, "passages")])
def test_an_edit_before_a_document_is_searchable_wins(
    eve: User, monkeypatch: pytest.MonkeyPatch, module: ModuleType, verb: str
) -> None:
    document = send("Revenue rose.", pushed={"company": "Acme", "title": "Sent"})
    changes = [{"company": "Globex", "title": "Edited"}]
    original = getattr(module, verb)

    def meanwhile(*args: object, **options: object) -> object:
        if changes:
            edit(fresh(document), changes.pop(), eve)
        return original(*args, **options)

    monkeypatch.setattr(module, verb, meanwhile)
    run_until_nothing_is_left()
    found = fresh(document)
    assert (found.title, found.state) == ("Edited", "embedded")
    assert found.chunks.get().body.startswith("Globex")


def test_one_company_for_its_spellings() -> None:
    send("Revenue rose.", pushed={"company": "Acme Corporation"})
    send("Costs fell.", pushed={"company": "ACME CORP", "ticker": "ACM"})
    assert Company.objects.get().ticker == "ACM"


def test_progress_counts_every_document_once() -> None:
    send("Revenue rose.", "a.txt")
    send("Revenue rose. ", "b.txt")
    send(b"", "c.txt")
    run_until_nothing_is_left()
    send("Costs fell.", "d.txt")
    counts = pipeline.progress()
    assert (counts["total"], counts["received"], counts["searchable"]) == (4, 1, 1)
    assert (counts["embedded"], counts["duplicate"], counts["quarantined"]) == (1, 1, 1)
    assert (counts["chunks_embedded"], counts["chunks_total"]) == (1, 1)
    assert counts["chunks_per_second"] > 0
    assert counts["seconds_left"] == 0
