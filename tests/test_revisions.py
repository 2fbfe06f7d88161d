"""Other content under a known id is a revision; what is superseded or withdrawn leaves search."""

from __future__ import annotations

import io
import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.utils import timezone

from docintel.models import ApiToken
from ingestion import pipeline, revising
from ingestion.amending import is_amendment
from ingestion.fetching import scan_folder
from ingestion.models import Document, Source
from ingestion.receiving import take_in
from ingestion.withdrawing import LOOKS_BEFORE_WITHDRAWAL, confirm_absent
from qa.retrieval import search
from tests.reading_corpus import process
from tests.waiting import until

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stored(tmp_path: Path, settings: LazySettings) -> None:
    settings.MEDIA_ROOT = tmp_path / "stored"


@pytest.fixture
def library() -> Source:
    return Source.objects.create(name="Library", kind=Source.Kind.API)


def put(source: Source, words: str, external_id: str = "", name: str = "a.txt", **said) -> Document:
    file = io.BytesIO(words.encode())
    return take_in(source, name, file, external_id=external_id, pushed=said).document


def found(question: str, user: User) -> list[int]:
    return [hit.document.pk for hit in search(question, user).documents]


FIRST = "Harbour revenue was 412 million in the year. Margins held at nine percent."
SECOND = "Harbour revenue was 388 million in the year. Margins held at nine percent."


def test_the_old_one_leaves_search_when_the_new_one_is_there(library, alice) -> None:
    first = put(library, FIRST, "h-1")
    process(embed=True)
    second = put(library, SECOND, "h-1")
    pipeline.parse_pending(60)
    # Not before: a revision that cannot be read must not empty the search.
    assert found("Harbour revenue", alice) == [first.pk]
    process(embed=True)
    assert found("Harbour revenue", alice) == [second.pk]
    first.refresh_from_db()
    second.refresh_from_db()
    assert second.supersedes_id == first.pk
    assert (first.state, second.state) == ("superseded", "embedded")
    assert first.superseded_at is not None
    assert first.text == FIRST
    assert first.chunks.exists()
    assert first.embedded_at is not None


def test_a_revision_that_cannot_be_read_leaves_the_old_one(library, alice) -> None:
    first = put(library, FIRST, "h-1")
    process()
    file = io.BytesIO(b"%PDF-1.4 torn")
    torn = take_in(library, "a.pdf", file, external_id="h-1").document
    process()
    torn.refresh_from_db()
    assert torn.state == "quarantined"
    assert found("Harbour revenue", alice) == [first.pk]


def test_a_chain_of_unread_revisions_retires_them_all(library, alice) -> None:
    first = put(library, FIRST, "h-1")
    process()
    second = put(library, SECOND, "h-1")
    third = put(library, SECOND.replace("388", "371"), "h-1")
    process()
    assert found("Harbour revenue", alice) == [third.pk]
    states = [Document.objects.get(pk=row.pk).state for row in (first, second, third)]
    assert states == ["superseded", "superseded", "searchable"]
    assert Document.objects.get(pk=second.pk).text == SECOND


def test_a_text_that_comes_back_is_searchable_again(library, alice) -> None:
    put(library, FIRST, "h-1")
    process()
    put(library, SECOND, "h-1")
    process()
    third = put(library, FIRST, "h-1")
    process()
    assert found("Harbour revenue", alice) == [third.pk]
    assert put(library, FIRST, "h-1").pk == third.pk


def test_the_same_text_in_other_bytes_is_no_amendment(library, alice) -> None:
    first = put(library, FIRST, "h-1")
    process()
    again = put(library, FIRST.replace(" ", "  "), "h-1")
    process()
    again.refresh_from_db()
    assert again.state == "duplicate"
    assert found("Harbour revenue", alice) == [first.pk]


def test_a_sighting_elsewhere_keeps_the_text_in_search(library, alice) -> None:
    wire = Source.objects.create(name="Wire", kind=Source.Kind.API)
    put(library, FIRST, "h-1")
    process()
    elsewhere = put(wire, FIRST, "w-9")
    process()
    second = put(library, SECOND, "h-1")
    process()
    process()
    assert set(found("Harbour revenue", alice)) == {elsewhere.pk, second.pk}


def test_a_superseded_sighting_shows_the_original_to_nobody(library, alice, bob) -> None:
    desk = Group.objects.create(name="desk")
    bob.groups.add(desk)
    closed = Source.objects.create(name="Closed", kind=Source.Kind.API)
    closed.groups.add(desk)
    original = put(closed, FIRST, "c-1")
    process()
    put(library, FIRST, "h-1")
    process()
    assert found("Harbour revenue", alice) == [original.pk]
    second = put(library, SECOND, "h-1")
    process()
    assert found("Harbour revenue", alice) == [second.pk]
    assert original.pk in found("Harbour revenue", bob)


@pytest.mark.parametrize(
    ("name", "title", "text", "expected"),
    [
        ("acme-10-K_A-2023.htm", "", "", True),
        ("acme_10ka_2023.pdf", "", "", True),
        ("acme.htm", "Form 10-K/A for fiscal 2023", "", True),
        ("acme.htm", "", "FORM 10-K/A\nAmendment No. 1\nAcme Inc.", True),
        ("acme.htm", "", "FORM 10-K\nAcme Inc.\n" + "word " * 900 + "\nForm 10-K/A", False),
        ("acme-10-k-annual.htm", "10-K annual", "FORM 10-K", False),
        ("acme.htm", "Why a 10-K a day helps", "", False),
        ("b.htm", "", "In 2022 we amended by a Form 10-K/A the report for that year, see Note 2.",
         False),
    ],
)  # fmt: skip
def test_what_says_that_it_amends(name, title, text, expected) -> None:
    assert is_amendment(name, title, text) is expected


REPORT = "FORM 10-K\n\nAcme annual report for fiscal 2023.\n\n" + "\n\n".join(
    f"Paragraph {n} about the business of Acme and its plants." for n in range(40)
)
AMENDED = REPORT.replace("FORM 10-K", "FORM 10-K/A\n\nAmendment No. 1").replace("n 7 a", "n 7 b")
SAID = {"company": "Acme", "kind": "annual_report", "fiscal_year": 2023}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["report first", "amendment first"])
def test_an_amended_report_supersedes_the_report(library, order) -> None:
    rows = [None, None]
    for which in order:
        name, text = (("acme-10k.txt", REPORT), ("acme-10ka.txt", AMENDED))[which]
        rows[which] = put(library, text, name, name, **SAID)
        process()
    report, amendment = (Document.objects.get(pk=row.pk) for row in rows)
    assert amendment.supersedes_id == report.pk
    assert (report.state, amendment.state) == ("superseded", "searchable")


@pytest.mark.parametrize(
    "change",
    [
        {"fiscal_year": 2022},
        {"company": "Bolt"},
        {"text": "FORM 10-K/A\n\nAmendment No. 1\n\nPart III only."},
        {"groups": True},
    ],
    ids=["another year", "another company", "a part only", "not open to all"],
)
def test_an_amendment_of_something_else_supersedes_nothing(library, change) -> None:
    report = put(library, REPORT, "k", "acme-10k.txt", **SAID)
    closed = Source.objects.create(name="Closed", kind=Source.Kind.API)
    if change.pop("groups", False):
        closed.groups.add(Group.objects.create(name="desk"))
    text = change.pop("text", AMENDED)
    amendment = put(closed, text, "ka", "acme-10ka.txt", **{**SAID, **change})
    process()
    states = {Document.objects.get(pk=row.pk).state for row in (report, amendment)}
    assert states == {"searchable"}


def test_two_candidates_are_as_good_as_none(library) -> None:
    put(library, REPORT, "k", "acme-10k.txt", **SAID)
    put(library, REPORT.replace("plants", "shops"), "k2", "acme-10k-2.txt", **SAID)
    process()
    amendment = put(library, AMENDED, "ka", "acme-10ka.txt", **SAID)
    process()
    assert Document.objects.get(pk=amendment.pk).supersedes_id is None


# Folders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "filings"
    path.mkdir()
    for n in range(5):
        (path / f"{n}.txt").write_text(f"Quay number {n} shipped {n + 3} thousand crates of salt.")
    return path


@pytest.fixture
def watched(folder: Path) -> Source:
    source = Source.objects.create(name="Watched", kind=Source.Kind.FOLDER, location=str(folder))
    scan_folder(source)
    process()
    return source


def names(user: User) -> set[str]:
    return {hit.document.file_name for hit in search("crates of salt", user).documents}


def test_a_changed_file_is_a_revision(watched, folder, alice) -> None:
    path = folder / "2.txt"
    path.write_text("Quay number 2 shipped 77 thousand crates of salt, restated.")
    later = (timezone.now() + timedelta(minutes=1)).timestamp()
    os.utime(path, (later, later))
    (created,) = scan_folder(watched)
    process()
    assert created.supersedes.external_id == "2.txt"
    assert [hit.document.pk for hit in search("Quay number 2", alice).documents].count(
        created.pk
    ) == 1
    assert created.supersedes_id not in found("crates of salt", alice)


def test_a_deleted_file_is_withdrawn_after_several_looks_and_comes_back(
    watched, folder, alice
) -> None:
    text = (folder / "3.txt").read_text()
    (folder / "3.txt").unlink()
    for _ in range(LOOKS_BEFORE_WITHDRAWAL - 1):
        scan_folder(watched)
    assert "3.txt" in names(alice)
    scan_folder(watched)
    assert names(alice) == {"0.txt", "1.txt", "2.txt", "4.txt"}
    gone = Document.objects.get(external_id="3.txt")
    assert gone.state == "withdrawn"
    assert gone.text == text
    (folder / "3.txt").write_text(text)
    assert scan_folder(watched) == []
    assert "3.txt" in names(alice)


def test_a_short_absence_withdraws_nothing(watched, folder, alice) -> None:
    text = (folder / "3.txt").read_text()
    for _ in range(3):
        (folder / "3.txt").unlink()
        for _ in range(LOOKS_BEFORE_WITHDRAWAL - 1):
            scan_folder(watched)
        (folder / "3.txt").write_text(text)
        scan_folder(watched)
    assert len(names(alice)) == 5


@pytest.mark.parametrize("how", ["missing", "empty", "most"])
def test_a_folder_that_vanished_withdraws_nothing(watched, folder, alice, how) -> None:
    if how == "missing":
        folder.rename(folder.with_name("elsewhere"))
    else:
        for path in sorted(folder.iterdir())[: 5 if how == "empty" else 3]:
            path.unlink()
    for _ in range(LOOKS_BEFORE_WITHDRAWAL + 2):
        scan_folder(watched)
    watched.refresh_from_db()
    assert watched.last_error
    assert len(names(alice)) == 5
    # Only a person can say that they were deleted, and not of a folder that cannot be read.
    assert confirm_absent(watched) == {"missing": 0, "empty": 5, "most": 3}[how]
    assert len(names(alice)) == {"missing": 5, "empty": 0, "most": 2}[how]


# The API


def client_of(user: User) -> Client:
    _, token = ApiToken.issue(user, "test", may_write=True)
    return Client(headers={"authorization": f"Bearer {token}"})


def push(client: Client, text: str) -> dict:
    body = {"text": text, "title": "Harbour", "external_id": "h-1"}
    response = client.post("/api/v1/documents/", body, content_type="application/json")
    assert response.status_code == 202, response.content
    return response.json()


def test_a_push_with_other_content_is_an_amendment(ian, alice) -> None:
    client = client_of(ian)
    first = push(client, FIRST)
    process()
    second = push(client, SECOND)
    process()
    assert first["id"] != second["id"]
    assert [str(h.document.public_id) for h in search("Harbour", alice).documents] == [second["id"]]
    told = client.get(f"/api/v1/documents/{first['id']}/").json()
    assert told["state"] == "superseded"
    assert told["superseded_by"] == second["id"]
    assert client.get(f"/api/v1/documents/{second['id']}/").json()["supersedes"] == first["id"]


def test_delete_withdraws_what_one_sent(ian, alice, olga) -> None:
    client = client_of(ian)
    address = f"/api/v1/documents/{push(client, FIRST)['id']}/"
    process()
    assert found("Harbour", alice)
    assert client_of(alice).delete(address).status_code == 403
    assert client.delete(address).status_code == 204
    assert client.delete(address).status_code == 204
    assert found("Harbour", alice) == []
    assert client.get(address).json()["state"] == "withdrawn"
    assert client.get(address + "?include=text").json()["text"] == FIRST


def test_a_hidden_document_cannot_be_withdrawn_and_looks_missing(ian, alice) -> None:
    closed = Source.objects.create(name="Closed", kind=Source.Kind.API)
    closed.groups.add(Group.objects.create(name="desk"))
    hidden = put(closed, FIRST, "c-1")
    client = client_of(ian)
    there = client.delete(f"/api/v1/documents/{hidden.public_id}/")
    missing = client.delete("/api/v1/documents/00000000-0000-4000-8000-000000000000/")
    assert (there.status_code, there.json()) == (missing.status_code, missing.json())
    assert there.status_code == 404


# Under load


@pytest.mark.django_db(transaction=True)
def test_no_search_shows_two_revisions_while_revisions_arrive(alice) -> None:
    library = Source.objects.create(name="Library", kind=Source.Kind.API)
    put(library, FIRST, "h-1")
    process()
    ended = threading.Event()
    seen: list[list[int]] = []

    def keep_searching() -> None:
        try:
            while not ended.is_set():
                seen.append(found("Harbour revenue", alice))
        finally:
            connection.close()

    searcher = threading.Thread(target=keep_searching)
    searcher.start()
    try:
        for number in range(5):
            newest = put(library, FIRST.replace("412", str(500 + number)), "h-1")
            process()
            assert found("Harbour revenue", alice) == [newest.pk]
            until(lambda least=number: len(seen) > least, "somebody searched meanwhile")
    finally:
        ended.set()
        searcher.join()
    assert [hits for hits in seen if len(hits) > 1] == []


# What two workers may leave between them


def test_mending_retires_what_a_late_link_left(library) -> None:
    first = put(library, FIRST, "h-1")
    second = put(library, SECOND, "h-2")
    process()
    Document.objects.filter(pk=second.pk).update(supersedes=first)
    assert revising.mend() == 1
    first.refresh_from_db()
    assert first.state == "superseded"
    assert revising.mend() == 0
