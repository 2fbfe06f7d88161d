"""What readers see of extraction: the panel, the coloured text, the tables, and bulk runs."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from extraction_corpus import TEXT, find, go_live, kpis, put, tags_by

from extraction import claiming_runs
from extraction.catching_up import extract_pending
from extraction.extracting import extract, versions_of
from extraction.marking import Mark, marked
from extraction.ml.spans import FoundSpan
from extraction.result_tables import BulkRun, ExtractionRun
from extraction.schema_tables import Schema
from ingestion.models import Document, Source
from ingestion.reading import Block, Piece, Window

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def tagger(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    go_live()
    tags_by(monkeypatch)


def get(user: User, name: str, document: Document, **query: object) -> str:
    client = Client()
    client.force_login(user)
    response = client.get(reverse(f"extraction:{name}", args=[document.public_id]), query)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# The spans over the text


def mark(start: int, end: int, colour: int = 0) -> Mark:
    return Mark(start * 1000 + end, start, end, colour, f"L{colour}", 0.9, sure=True, by="t 1")


def laid(text: str, *over: Mark, pieces: list[Piece] | None = None) -> list[tuple[str, list[int]]]:
    block = Block(100, pieces or [Piece(text)])
    shifted = [mark(m.start + 100, m.end + 100, m.colour) for m in over]
    [made] = marked(Window(100, 100 + len(text), [block]), shifted)
    assert "".join(piece.text for piece in made.pieces) == text
    return [(piece.text, [m.colour for m in piece.marks]) for piece in made.pieces]


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ([], [("abcdef", [])]),
        ([mark(0, 6)], [("abcdef", [0])]),
        ([mark(2, 4)], [("ab", []), ("cd", [0]), ("ef", [])]),
        ([mark(0, 6, 0), mark(2, 4, 1)], [("ab", [0]), ("cd", [0, 1]), ("ef", [0])]),
        ([mark(0, 4, 0), mark(2, 6, 1)], [("ab", [0]), ("cd", [0, 1]), ("ef", [1])]),
        ([mark(0, 3, 0), mark(0, 3, 1)], [("abc", [0, 1]), ("def", [])]),
        ([mark(0, 3, 0), mark(3, 6, 1)], [("abc", [0]), ("def", [1])]),
    ],
)
def test_spans_nest_cross_and_touch(
    over: list[Mark], expected: list[tuple[str, list[int]]]
) -> None:
    assert laid("abcdef", *over) == expected


def test_a_span_that_began_before_the_window_or_ends_after_it() -> None:
    block = Block(100, [Piece("abcdef")])
    [made] = marked(Window(100, 106, [block]), [mark(90, 103, 0), mark(105, 200, 1)])
    assert [(p.text, [m.colour for m in p.marks], len(p.begins)) for p in made.pieces] == [
        ("abc", [0], 0), ("de", [], 0), ("f", [1], 1),
    ]  # fmt: skip


def test_the_passage_that_was_asked_for_keeps_its_mark_and_its_one_anchor() -> None:
    pieces = [Piece("ab"), Piece("cdef", "focus", first=True)]
    block = Block(100, pieces)
    [made] = marked(Window(100, 106, [block]), [mark(101, 104)])
    shown = [(p.text, p.tone, p.first, bool(p.marks)) for p in made.pieces]
    assert shown == [
        ("a", "", False, False), ("b", "", False, True),
        ("cd", "focus", True, True), ("ef", "focus", False, False),
    ]  # fmt: skip


# The panel


def test_the_panel_lists_by_label_with_confidence_place_and_version(alice: User) -> None:
    document = put()
    extract(document, kpis())
    said = words(get(alice, "panel", document))
    assert "Key figure 2" in said
    assert "Revenue 95 %" in said
    assert "All 4 spans and 2 relations as tables" in said
    assert "tagger:kpis 1, schema version 1" in said
    html = get(alice, "panel", document)
    assert (
        f"{document.get_absolute_url()}?view=page&amp;schema=kpis&amp;start=0&amp;end=7#passage"
        in html
    )
    assert "hx-swap-oob" not in html


def test_in_the_text_view_the_text_comes_with_its_colours(alice: User) -> None:
    document = put()
    extract(document, kpis())
    html = get(alice, "panel", document, view="text", at="0", start="0", end="7")
    assert 'id="prose" hx-swap-oob="innerHTML"' in html
    assert 'id="passage"' in html
    marks = re.findall(r'<mark class="(x[^"]*)"[^>]*data-said="([^"]*)"[^>]*>([^<]*)</mark>', html)
    assert [text for _, _, text in marks] == ["Revenue", "30.5", "Net income", "4.25"]
    assert marks[0][1] == "Key figure, 95% (tagger:kpis 1)"


def test_hostile_text_stays_text(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'Revenue "><script>alert(1)</script> 30.5 million'
    tags_by(monkeypatch, lambda *_: [FoundSpan(0, len(text), "kpi", 0.9)])
    document = put(text, title="<b>bold</b>")
    extract(document, kpis())
    for name in ("panel", "document"):
        html = get(alice, name, document, view="text")
        assert "<script>alert" not in html
        assert "<b>bold" not in html


def test_a_long_text_comes_window_by_window_with_only_its_own_spans(alice: User) -> None:
    document = put(TEXT * 2_000)
    extract(document, kpis())
    html = get(alice, "panel", document, view="text")
    assert 300 < html.count('<mark class="x') < 2_000
    at = re.search(r"way=next&amp;schema=kpis&amp;at=(\d+)", html)
    assert at
    further = get(alice, "text", document, way="next", at=at[1], schema="kpis")
    assert further.count('<mark class="x') > 300
    assert "Earlier text" not in further


def test_what_waits_fails_or_is_not_read_is_said(
    alice: User, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = put()
    assert "Not read by this schema yet" in get(alice, "panel", document)
    tags_by(monkeypatch, lambda *_: [FoundSpan(0, 9_999, "kpi", 0.9)])
    extract(document, kpis())
    assert "Extraction failed: The tagger found kpi" in words(get(alice, "panel", document))
    assert "Try again" not in get(alice, "panel", document)
    assert "Try again" in get(olga, "panel", document)
    assert "No schema reads documents like this one" in get(alice, "panel", put(kind="news"))
    other = put(kind="other")
    assert "No tagger is live for this schema" in get(alice, "panel", other)
    tags_by(monkeypatch)
    empty = put("nothing here")
    extract(empty, kpis())
    assert "Nothing was found in this document" in get(alice, "panel", empty)


def test_results_stay_while_a_newer_version_reads(alice: User) -> None:
    document = put()
    extract(document, kpis())
    go_live("2")
    claiming_runs.begin(document.pk, versions_of(kpis()))
    said = words(get(alice, "panel", document))
    assert "Being read again; these are the results so far" in said
    assert "tagger:kpis 1" in said


def test_of_two_schemas_the_one_that_was_asked_for(alice: User) -> None:
    go_live(schema="contracts")
    document = put()
    extract(document, kpis())
    contracts = Schema.objects.get(name="contracts")
    extract(document, contracts)
    said = words(get(alice, "panel", document, schema="contracts"))
    assert "Clauses of contracts" in said
    assert "Nothing was found in this document" in said, "its tagger knows other labels only"
    assert "spans of kpi were left out" in said
    assert "Key figure 2" in words(get(alice, "panel", document, schema="nothing like it"))


def test_a_sighting_shows_what_was_found_in_its_original(alice: User) -> None:
    vault = Source.objects.create(name="Vault", kind=Source.Kind.UPLOAD)
    vault.groups.add(Group.objects.create(name="deal team"))
    original = put(source=vault)
    extract(original, kpis())
    copy = put("", duplicate_of=original, title="Copy")
    html = get(alice, "panel", copy)
    assert "Revenue" in html
    assert str(original.public_id) not in html
    assert str(original.public_id) not in get(alice, "document", copy)


# The tables


def test_the_tables_lead_to_the_place_in_the_document(alice: User) -> None:
    document = put()
    extract(document, kpis())
    html = get(alice, "document", document, schema="kpis")
    said = words(html)
    assert "Relations 2" in said
    assert "Spans 4" in said
    assert "start=0&amp;end=34&amp;from=12&amp;to=16#passage" in html or "from=14" in html
    one = get(alice, "document", document, schema="kpis", label="cy")
    assert "Spans 2" in words(one)


def test_many_rows_come_in_pages(alice: User) -> None:
    document = put(TEXT * 100)
    extract(document, kpis())
    html = get(alice, "document", document, schema="kpis", page="2", rpage="2")
    assert "Page 2 of 4" in html
    assert "Page 2 of 2" in html
    assert "Page 4 of 4" in get(alice, "document", document, schema="kpis", page="9" * 30)


def test_colours_are_those_of_the_schema(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    sheet = client.get(reverse("extraction:colours", args=["kpis"]))
    assert sheet["Content-Type"].startswith("text/css")
    assert f".x-0 {{ --x: {kpis().spec['labels'][0]['colour']}; }}" in sheet.content.decode()
    assert client.get(reverse("extraction:colours", args=["nothing"])).status_code == 404


def test_an_operator_has_a_document_read_again(olga: User) -> None:
    document = put()
    run = extract(document, kpis())
    client = Client()
    client.force_login(olga)
    again = reverse("extraction:again", args=[document.public_id])
    client.post(again, {"schema": "kpis"})
    run.refresh_from_db()
    assert run.state == ExtractionRun.State.WAITING
    assert run.shown
    client.post(again, {"schema": "nothing"})
    assert "Nothing was extracted" in client.get("/documents/").content.decode()


def test_values_that_no_database_takes(olga: User) -> None:
    document = put()
    extract(document, kpis())
    for name in ("document", "panel", "text", "export"):
        client = Client()
        client.force_login(olga)
        query = {"schema": "\0", "label": "\0", "at": "\0", "page": "\0", "format": "\0"}
        place = reverse(f"extraction:{name}", args=[document.public_id])
        assert client.get(place, query).status_code < 500, name
        assert client.get(place, {"schema": "\0"}).status_code < 500, name
    assert client.post(f"{document.get_absolute_url()}extracted/again/", {"schema": "\0"})
    page = reverse("extraction:bulk_runs")
    for values in ({"schema": "\0"}, {"schema": "kpis", "company": "\0", "folder": "\0"}):
        assert client.post(page, values).status_code == 422
        assert client.get(page, values).status_code == 200
        assert client.get(reverse("extraction:expected"), values).status_code == 200


# Bulk runs


def test_a_run_from_its_form_to_its_end(eve: User) -> None:
    Schema.objects.update(active=False)
    for _ in range(3):
        put(kind="news", company="Acme", fiscal_year=2024)
    put(kind="news", fiscal_year=2023)
    client = Client()
    client.force_login(eve)
    values = {"schema": "kpis", "kind": "news", "company": "acme", "year": "2024"}
    expected = words(client.get(reverse("extraction:expected"), values).content.decode())
    assert expected == "3 documents in this scope."
    started = client.post(reverse("extraction:bulk_runs"), values)
    assert started.status_code == 302
    assert "are being listed" in client.get(started["Location"]).content.decode()
    extract_pending(600)
    said = words(client.get(started["Location"]).content.decode())
    assert "News · Acme · FY2024" in said
    assert "Finished" in said
    assert "Documents 3 Read now 3" in said
    assert "Key figure 6" in said
    again = words(client.get(reverse("extraction:expected"), values).content.decode())
    assert "3 documents in this scope, 0 not read yet" in again
    assert "every 2s" not in client.get(started["Location"]).content.decode()
    listed = words(client.get(reverse("extraction:bulk_runs")).content.decode())
    assert "News · Acme · FY2024 Key figures in filings Finished 3 3 0 0" in listed
    html = client.get(started["Location"]).content.decode()
    same = re.search(r'href="(/extraction/\?schema=[^"]+)"', html)
    assert same
    filled = client.get(same[1].replace("&amp;", "&")).content.decode()
    assert 'value="Acme"' in filled
    assert 'value="2024"' in filled


def test_bad_scopes_are_answered_with_what_is_wrong(eve: User) -> None:
    put()
    client = Client()
    client.force_login(eve)
    page = reverse("extraction:bulk_runs")
    for values, words_ in [
        ({"schema": "nothing"}, "Select a valid choice"),
        ({"schema": "kpis", "year": "12"}, "greater than or equal to 1900"),
        ({"schema": "kpis", "company": "Nobody"}, "No document that you may see is in this scope"),
        ({"schema": "contracts"}, "no tagger is live"),
    ]:
        response = client.post(page, values)
        assert response.status_code == 422, values
        assert words_ in response.content.decode()
    assert not BulkRun.objects.exists()


def test_changes_that_are_not_possible_are_refused_and_others_do(eve: User) -> None:
    put()
    client = Client()
    client.force_login(eve)
    place = client.post(reverse("extraction:bulk_runs"), {"schema": "kpis"})["Location"]
    client.post(f"{place}change/", {"action": "resume"})
    assert "not possible now" in client.get(place).content.decode()
    client.post(f"{place}change/", {"action": "cancel"})
    assert "Cancelled" in client.get(place).content.decode()
    assert client.get(reverse("extraction:bulk", args=[uuid4()])).status_code == 404


def test_what_failed_is_listed_with_its_reason_and_tried_again(
    olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Source.objects.create(name="Vault", kind=Source.Kind.UPLOAD)
    vault.groups.add(Group.objects.create(name="deal team"))
    tags_by(monkeypatch, lambda *_: [FoundSpan(0, 9_999, "kpi", 0.9)])
    run = extract(put(title="Broken one"), kpis())
    hidden = extract(put(title="Secret one", source=vault), kpis())
    client = Client()
    client.force_login(olga)
    page = reverse("extraction:failed")
    html = client.get(page).content.decode()
    assert "Broken one" in html
    assert "The tagger found kpi at 0 to 9999" in html
    assert "Secret one" not in html
    client.post(page, {"run": hidden.pk})
    hidden.refresh_from_db()
    assert hidden.state == ExtractionRun.State.FAILED
    client.post(page, {"run": run.pk})
    tags_by(monkeypatch, find)
    Document.objects.filter(title="Secret one").update(withdrawn_at=timezone.now())
    extract_pending(600)
    run.refresh_from_db()
    assert run.state == ExtractionRun.State.FINISHED
