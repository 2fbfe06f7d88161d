"""What arrives: stored once, named safely, refused in words; folders looked through for news."""

from __future__ import annotations

import io
import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group
from django.core.files.storage import default_storage
from django.utils import timezone
from django_q.models import OrmQ

from ingestion import receiving
from ingestion.fetching import open_folder, scan_folder
from ingestion.models import Document, Source
from ingestion.receiving import Refused, display_name, source_of_kind, take_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stored(tmp_path: Path, settings: LazySettings) -> Path:
    settings.MEDIA_ROOT = tmp_path / "stored"
    return tmp_path / "stored"


@pytest.fixture
def uploads() -> Source:
    return source_of_kind(Source.Kind.UPLOAD)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "filings"
    path.mkdir()
    return path


def blobs(stored: Path) -> list[Path]:
    return [path for path in stored.rglob("*") if path.is_file()]


def test_bytes_and_row_agree(uploads: Source) -> None:
    document = take_in(uploads, "a.txt", io.BytesIO(b"Revenue rose.")).document
    assert default_storage.open(document.file.name).read() == b"Revenue rose."
    assert document.file_size == 13
    assert document.state == "received"


@pytest.mark.django_db(transaction=True)
def test_parsing_is_enqueued_once(uploads: Source) -> None:
    take_in(uploads, "a.txt", io.BytesIO(b"one"))
    take_in(uploads, "b.txt", io.BytesIO(b"two"))
    assert [row.func() for row in OrmQ.objects.all()] == ["ingestion.tasks.parse_pending"]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("a\0b.pdf", "ab.pdf"),
        ("..", "document"),
        ("", "document"),
        ("\u202egnp.exe", "gnp.exe"),
        ("年报 2024.pdf", "年报 2024.pdf"),
        ("x" * 400 + ".pdf", "x" * 251 + ".pdf"),
        ("<script>.html", "<script>.html"),
    ],
)
def test_a_hostile_name_does_no_harm(uploads: Source, stored: Path, sent: str, shown: str) -> None:
    document = take_in(uploads, sent, io.BytesIO(b"text"), external_id=sent).document
    assert document.file_name == shown == display_name(sent)
    assert [path.resolve().is_relative_to(stored) for path in blobs(stored)] == [True]
    document.refresh_from_db()


def test_a_file_over_the_limit_leaves_nothing(
    uploads: Source, stored: Path, settings: LazySettings
) -> None:
    settings.MAX_FILE_BYTES = 1_048_576
    with pytest.raises(Refused, match="larger than 1 MB"):
        take_in(uploads, "big.txt", io.BytesIO(b"x" * 1_048_577))
    assert Document.objects.count() == 0
    assert blobs(stored) == []


def test_no_blob_is_left_when_the_row_cannot_be_made(
    uploads: Source, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(receiving, "_record", broken)
    with pytest.raises(RuntimeError):
        take_in(uploads, "a.txt", io.BytesIO(b"text"))
    assert blobs(stored) == []


def test_the_same_push_again_is_the_same_document(uploads: Source, stored: Path) -> None:
    first = take_in(uploads, "a.txt", io.BytesIO(b"text"), external_id="1").document
    assert take_in(uploads, "a.txt", io.BytesIO(b"text"), external_id="1").document == first
    assert take_in(uploads, "a.txt", io.BytesIO(b"other"), external_id="1").document != first
    assert len(blobs(stored)) == 2


def test_the_same_bytes_elsewhere_are_a_sighting_once_parsed(uploads: Source) -> None:
    first = take_in(uploads, "a.txt", io.BytesIO(b"text")).document
    waiting = take_in(source_of_kind(Source.Kind.API), "a.txt", io.BytesIO(b"text")).document
    assert waiting.duplicate_of is None
    Document.objects.filter(pk=first.pk).update(parsed_at=timezone.now())
    sighting = take_in(uploads, "copy.txt", io.BytesIO(b"text"), external_id="copy").document
    assert sighting.duplicate_of == first


def test_what_was_pushed_is_kept_with_its_provenance(uploads: Source) -> None:
    pushed = {"title": "Q1\0", "company": "Acme Corp.", "fiscal_year": 2024, "kind": "news"}
    document = take_in(uploads, "a.txt", io.BytesIO(b"text"), pushed=pushed).document
    document.refresh_from_db()
    assert (document.title, document.company.name) == ("Q1", "Acme Corp.")  # type: ignore[union-attr]
    assert document.provenance == dict.fromkeys(("title", "company", "fiscal_year", "kind"), "push")


def test_a_folder_is_looked_through_for_what_is_new_or_changed(folder: Path) -> None:
    (folder / "2024").mkdir()
    (folder / "2024" / "a.txt").write_text("one")
    (folder / ".hidden.txt").write_text("no")
    (folder / ".git").mkdir()
    (folder / ".git" / "b.txt").write_text("no")
    source = open_folder(folder)[0]
    assert [d.external_id for d in scan_folder(source)] == ["2024/a.txt"]
    assert scan_folder(source) == []

    later = (timezone.now() + timedelta(seconds=5)).timestamp()
    (folder / "2024" / "a.txt").write_text("uno")
    os.utime(folder / "2024" / "a.txt", (later, later))
    assert len(scan_folder(source)) == 1
    # Touched, not changed.
    os.utime(folder / "2024" / "a.txt", (later + 5, later + 5))
    assert scan_folder(source) == []


def test_of_two_files_with_one_text_the_first_is_the_original(folder: Path) -> None:
    for name in ("c (copy).txt", "a.txt", "b.txt"):
        (folder / name).write_text("text " + name)
    scan_folder(open_folder(folder)[0])
    due = Document.objects.unparsed().due()
    assert [document.file_name for document in due] == ["a.txt", "b.txt", "c (copy).txt"]


def test_links_that_lead_outside_are_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "key.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "linked").symlink_to(tmp_path / "private")
    assert scan_folder(open_folder(folder)[0]) == []


def test_a_missing_folder_is_said_in_words(folder: Path) -> None:
    source = open_folder(folder)[0]
    folder.rmdir()
    assert scan_folder(source) == []
    source.refresh_from_db()
    assert source.last_error == f"There is no folder {folder}."
    with pytest.raises(Refused, match="There is no folder"):
        open_folder(folder)


def test_a_file_too_large_is_named_and_its_neighbours_come_in(
    folder: Path, settings: LazySettings
) -> None:
    settings.MAX_FILE_BYTES = 10
    (folder / "big.txt").write_text("x" * 11)
    (folder / "small.txt").write_text("x")
    source = open_folder(folder)[0]
    assert [d.file_name for d in scan_folder(source)] == ["small.txt"]
    assert "big.txt" in source.last_error


def test_a_name_that_is_no_text_comes_in(folder: Path) -> None:
    (folder / os.fsdecode(b"bad\xff.txt")).write_text("text")
    assert len(scan_folder(open_folder(folder)[0])) == 1


def test_a_folder_may_list_several_sources(folder: Path) -> None:
    group, _ = Group.objects.get_or_create(name="analyst")
    for name in ("wire", "research"):
        (folder / name).mkdir()
    listed = [
        {"folder": "wire", "name": "Wire", "kind_default": "news", "credibility": 0.9},
        {"folder": "research", "name": "Research", "groups": ["analyst"]},
    ]
    (folder / "sources.json").write_text(json.dumps(listed))
    wire, research = open_folder(folder)
    assert (wire.name, wire.default_kind, wire.credibility) == ("Wire", "news", 0.9)
    assert list(research.groups.all()) == [group]
    assert open_folder(folder) == [wire, research]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"folder": "../.."}, "no folder"),
        ({"folder": ".", "groups": ["nobody"]}, "unknown groups: nobody"),
        ({"folder": ".", "kind_default": "poem"}, "unknown kind"),
        ({"folder": ".", "credibility": "high"}, "credibility"),
    ],
)
def test_a_wrong_list_of_sources_is_refused(
    folder: Path, entry: dict[str, object], words: str
) -> None:
    (folder / "sources.json").write_text(json.dumps([entry]))
    with pytest.raises(Refused, match=words):
        open_folder(folder)
    assert not Source.objects.filter(kind=Source.Kind.FOLDER).exists()
