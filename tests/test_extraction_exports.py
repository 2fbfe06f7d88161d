"""Results as JSON lines, CSV and XLSX, by page and by command, for whom they are for."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from asgi_server import served
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from extraction_corpus import TEXT, go_live, kpis, put, tags_by
from openpyxl import load_workbook

from extraction import export_views, exporting, writing_exports
from extraction.changing_schemas import seed_schemas
from extraction.exporting import COLUMNS, of_documents
from extraction.extracting import extract
from extraction.ml.spans import FoundSpan
from ingestion.models import Document, Source
from tests.waiting import ENOUGH_SECONDS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def tagger(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    go_live()
    tags_by(monkeypatch)


def fetch(user: User, document: Document, **query: str) -> bytes:
    client = Client()
    client.force_login(user)
    response = client.get(reverse("extraction:export", args=[document.public_id]), query)
    assert response.status_code == 200, response.content
    assert response["Content-Disposition"].startswith("attachment")
    return b"".join(response.streaming_content)


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_json_lines_say_everything_of_spans_and_relations(alice: User) -> None:
    document = put(company="Acme", fiscal_year=2024)
    extract(document, kpis())
    rows = [json.loads(line) for line in fetch(alice, document).splitlines()]
    assert [row["type"] for row in rows] == ["span"] * 4 + ["relation"] * 2
    span, relation = rows[1], rows[4]
    assert set(COLUMNS["spans"]) == set(span) - {"type"}
    assert set(COLUMNS["relations"]) == set(relation) - {"type"}
    assert document.text[span["start"] : span["end"]] == span["text"] == "30.5"
    assert span["document"] == str(document.public_id)
    assert (span["company"], span["period"], span["confidence"]) == ("Acme", "FY2024", 0.94)
    assert (span["schema"], span["schema_version"], span["tagger"]) == ("kpis", 1, "1")
    assert (relation["head_text"], relation["tail_text"]) == ("30.5", "Revenue")
    evidence = document.text[relation["evidence_start"] : relation["evidence_end"]]
    assert relation["evidence"] == evidence


def test_csv_has_a_line_for_each_and_quotes_what_needs_it(alice: User) -> None:
    document = put('Revenue, "net"\nof tax was 30.5', title='Report, "2024"')
    extract(document, kpis())
    rows = table(fetch(alice, document, format="csv", what="spans"))
    assert [(row["label"], row["text"], row["title"]) for row in rows] == [
        ("kpi", "Revenue", 'Report, "2024"'), ("cy", "30.5", 'Report, "2024"'),
    ]  # fmt: skip
    assert len(table(fetch(alice, document, format="csv", what="relations"))) == 1


DANGEROUS = ["=1+1", "+1", "-2", "@SUM(A1)", "\t=1", "  =1", '=HYPERLINK("http://x","y")']


@pytest.mark.parametrize("text", DANGEROUS)
def test_no_cell_is_a_formula(
    alice: User, text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tags_by(monkeypatch, lambda *_: [FoundSpan(0, len(text), "kpi", 0.9)])
    document = put(text, title=text)
    extract(document, kpis())
    [row] = table(fetch(alice, document, format="csv"))
    assert row["text"] == row["title"] == f"'{text}"
    [row] = [json.loads(line) for line in fetch(alice, document).splitlines()]
    assert row["text"] == text, "JSON lines are exact"
    path = tmp_path / "a.xlsx"
    path.write_bytes(fetch(alice, document, format="xlsx"))
    sheet = load_workbook(path)["Spans"]
    cells = [cell for line in sheet.iter_rows(min_row=2) for cell in line]
    assert "f" not in {cell.data_type for cell in cells}
    assert text.strip() in {str(cell.value).strip() for cell in cells}


def test_a_workbook_has_both_and_numbers_as_numbers(alice: User, tmp_path: Path) -> None:
    document = put()
    extract(document, kpis())
    path = tmp_path / "a.xlsx"
    path.write_bytes(fetch(alice, document, format="xlsx"))
    book = load_workbook(path)
    assert book.sheetnames == ["Relations", "Spans"]
    head, first, *_ = book["Spans"].iter_rows(values_only=True)
    assert head == COLUMNS["spans"]
    said = dict(zip(head, first, strict=True))
    assert (said["text"], said["start"], said["confidence"]) == ("Revenue", 0, 0.95)
    assert book["Relations"].max_row == 3


def test_a_workbook_takes_what_xml_and_cells_do_not(
    alice: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = "a\x0bb\x1fc\ufffe " + "long " * 9_000
    tags_by(monkeypatch, lambda *_: [FoundSpan(0, len(text), "kpi", 0.9)])
    document = put(text)
    extract(document, kpis())
    path = tmp_path / "a.xlsx"
    path.write_bytes(fetch(alice, document, format="xlsx"))
    column = COLUMNS["spans"].index("text")
    [value] = [row[column] for row in load_workbook(path)["Spans"].iter_rows(2, values_only=True)]
    assert value.startswith("abc long")
    assert len(value) == writing_exports.LONGEST_CELL


def test_more_rows_than_a_sheet_holds_go_on_in_the_next(
    alice: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(writing_exports, "MOST_ROWS", 3)
    document = put()
    extract(document, kpis())
    path = tmp_path / "a.xlsx"
    path.write_bytes(fetch(alice, document, format="xlsx"))
    assert load_workbook(path).sheetnames == ["Relations", "Spans", "Spans 2"]


def test_nothing_found_is_an_empty_table_and_not_an_error(alice: User, tmp_path: Path) -> None:
    document = put("nothing here")
    extract(document, kpis())
    assert fetch(alice, document) == b""
    assert table(fetch(alice, document, format="csv")) == []
    path = tmp_path / "a.xlsx"
    path.write_bytes(fetch(alice, document, format="xlsx"))
    assert load_workbook(path).sheetnames == ["Relations", "Spans"]


def test_unknown_formats_are_a_400(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    place = reverse("extraction:export", args=[put().public_id])
    for query in ({"format": "exe"}, {"what": "users"}):
        assert client.get(place, query).status_code == 400
    scope = reverse("extraction:export_scope")
    assert client.get(scope, {"schema": "nothing"}).status_code == 400


def test_a_scope_holds_only_what_the_person_may_see(alice: User) -> None:
    vault = Source.objects.create(name="Vault", kind=Source.Kind.UPLOAD)
    vault.groups.add(Group.objects.create(name="deal team"))
    for document in (put(kind="news"), put(kind="news", source=vault), put()):
        extract(document, kpis())
    client = Client()
    client.force_login(alice)
    query = {"schema": "kpis", "kind": "news", "format": "csv"}
    response = client.get(reverse("extraction:export_scope"), query)
    assert len(table(b"".join(response.streaming_content))) == 4


def test_many_documents_come_in_batches_and_no_row_is_lost(
    adam: User,
) -> None:
    for _ in range(exporting.RUNS_AT_ONCE + 5):
        extract(put(), kpis())
    wanted = of_documents(Document.objects.all(), kpis(), adam)
    rows = list(exporting.rows(wanted, "spans"))
    assert len(rows) == 4 * (exporting.RUNS_AT_ONCE + 5)
    assert len({row["document"] for row in rows}) == exporting.RUNS_AT_ONCE + 5


@pytest.mark.django_db(transaction=True)
def test_it_is_streamed_by_the_server_that_serves_it(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first rows are out before the last are made, and whoever goes away stops the rest."""
    document = put()
    ended, go_on = threading.Event(), threading.Event()

    def lines(_: object) -> Iterator[bytes]:
        try:
            yield from [b"{}\n"] * 200
            assert go_on.wait(ENOUGH_SECONDS)
            yield from [b"{}\n"] * 300
        finally:
            ended.set()

    monkeypatch.setattr(export_views, "json_lines", lines)
    client = Client()
    client.force_login(alice)
    cookies = {"sessionid": client.cookies["sessionid"].value}
    place = reverse("extraction:export", args=[document.public_id])
    with (
        served() as url,
        httpx.Client(base_url=url, cookies=cookies, timeout=ENOUGH_SECONDS) as reader,
    ):
        with reader.stream("GET", place) as response:
            pieces = response.iter_bytes()
            assert next(pieces) == b"{}\n" * 200
            assert not ended.is_set()
            go_on.set()
            assert b"".join(pieces) == b"{}\n" * 300
        assert ended.wait(ENOUGH_SECONDS)
        ended.clear()
        go_on.clear()
        with reader.stream("GET", place) as response:
            next(response.iter_bytes())
        go_on.set()
        assert ended.wait(ENOUGH_SECONDS)


@pytest.mark.django_db(transaction=True)
def test_the_real_rows_come_through_that_server_too(alice: User) -> None:
    seed_schemas()
    document = put(TEXT * 300)
    extract(document, kpis())
    client = Client()
    client.force_login(alice)
    cookies = {"sessionid": client.cookies["sessionid"].value}
    place = reverse("extraction:export", args=[document.public_id])
    with (
        served() as url,
        httpx.Client(base_url=url, cookies=cookies, timeout=ENOUGH_SECONDS) as reader,
    ):
        assert len(reader.get(place).content.splitlines()) == 1_200 + 600
        book = reader.get(place, params={"format": "xlsx"})
        assert load_workbook(io.BytesIO(book.content))["Spans"].max_row == 1_201


# By command


def test_the_command_extracts_and_exports(tmp_path: Path) -> None:
    for _ in range(2):
        put()
    put(kind="news")
    file = tmp_path / "out.jsonl"
    call_command("extract", "kpis", export=str(file))
    assert len(file.read_bytes().splitlines()) == 12
    folder = Source.objects.create(name="F", kind=Source.Kind.FOLDER, location=str(tmp_path))
    put(source=folder, external_id="2024/a.txt", kind="other")
    (tmp_path / "2024").mkdir()
    call_command("extract", "kpis", folder=str(tmp_path / "2024"), export=str(tmp_path / "a.csv"))
    assert len(table((tmp_path / "a.csv").read_bytes())) == 4
    assert len(table((tmp_path / "a.relations.csv").read_bytes())) == 2
    one = Document.objects.filter(kind="news").get()
    call_command("extract", "kpis", document=str(one.public_id), export=str(tmp_path / "b.xlsx"))
    assert load_workbook(tmp_path / "b.xlsx")["Spans"].max_row == 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"schema": "nothing"}, "There is no schema 'nothing'"),
        ({"export": "a.exe"}, "ends in .jsonl, .csv or .xlsx"),
        ({"document": "x"}, "is no document's id"),
        ({"document": "00000000-0000-4000-8000-000000000000"}, "There is no document"),
        ({"folder": "/nowhere"}, "No source has this folder"),
        ({"source": "nothing"}, "There is no source"),
        ({"schema": "contracts", "source": "Reports"}, "no tagger is live"),
    ],
)
def test_the_command_says_what_is_wrong(options: dict[str, str], words: str) -> None:
    put(kind="other")
    with pytest.raises(CommandError, match=words):
        call_command("extract", options.pop("schema", "kpis"), **options)
