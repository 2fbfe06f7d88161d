"""Documents by API: list, push, upload, detail, status; and nothing of what is hidden."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from docintel.models import ApiToken
from ingestion.freezing import text_digest
from ingestion.models import Company, Document, Source

LIST = "/api/v1/documents/"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def library():
    return Source.objects.create(name="Library", kind=Source.Kind.FOLDER)


@pytest.fixture
def vault():
    """A source of a group that nobody of the cast is in."""
    source = Source.objects.create(name="Vault", kind=Source.Kind.API)
    source.groups.add(Group.objects.create(name="deal team"))
    return source


@pytest.fixture
def integrator(client, ian):
    _, token = ApiToken.issue(ian, "test", may_write=True)
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def make(source, text="Some words.", **fields):
    digest = text_digest(text) if text else ""
    values = {
        "file_name": "report.txt",
        "file_sha256": digest,
        "text": text,
        "text_sha256": digest,
        "parsed_at": timezone.now(),
        "searchable_at": timezone.now(),
        "embedded_at": timezone.now(),
        "chunk_count": 3,
    }
    return Document.objects.create(source=source, **{**values, **fields})


def sighting(source, original, **fields):
    """A later arrival of the original's text."""
    return make(
        source,
        "",
        duplicate_of=original,
        chunk_count=0,
        searchable_at=None,
        embedded_at=None,
        **fields,
    )


def push(client, **fields):
    body = {"title": "A note", "text": "Margins fell.", **fields}
    return client.post(LIST, json.dumps(body), content_type="application/json")


# The list


def test_the_list_has_no_bodies_and_does_not_load_them(integrator, library):
    make(library, "A very particular sentence.", sections=[{"title": "A"}])
    from django.db import connection

    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = integrator.get(LIST).json()
    assert "text" not in answer["results"][0]
    assert "sections" not in answer["results"][0]
    assert all('"ingestion_document"."text"' not in query["sql"] for query in queries)
    assert b"particular" not in integrator.get(LIST).content


def test_the_list_pages_by_cursor_newest_first_and_caps_the_page(integrator, library):
    now = timezone.now()
    rows = [make(library, f"Text {n}.", received_at=now - timedelta(hours=n)) for n in range(5)]
    seen, address = [], LIST + "?page_size=2"
    while address:
        answer = integrator.get(address).json()
        assert len(answer["results"]) <= 2
        seen += [line["id"] for line in answer["results"]]
        address = answer["next"]
    assert seen == [str(row.public_id) for row in rows]
    Document.objects.bulk_create(
        Document(source=library, file_name="a", file_sha256="a") for _ in range(120)
    )
    assert len(integrator.get(LIST + "?page_size=1000000").json()["results"]) == 100


def test_the_number_of_queries_does_not_grow_with_the_page(
    integrator, library, django_assert_max_num_queries
):
    company = Company.objects.create(name="Acme", key="acme")
    for n in range(30):
        make(library, f"Text {n}.", company=company)
    with django_assert_max_num_queries(14):
        assert len(integrator.get(LIST).json()["results"]) == 30


def test_filters_confine_the_list(integrator, library):
    acme = Company.objects.create(name="Acme Corp", key="acme", ticker="ACM")
    one = make(
        library,
        "One.",
        company=acme,
        kind="news",
        fiscal_year=2024,
        fiscal_quarter=2,
        published_on="2024-05-01",
    )
    make(library, "Two.", kind="annual_report", fiscal_year=2023, published_on="2023-05-01")
    for query in (
        "company=Acme Corp",
        "company=acm",
        "kind=news",
        "fiscal_year=2024&fiscal_year=2025",
        "fiscal_quarter=2",
        "published_from=2024-01-01&published_to=2024-12-31",
        "source=Library&kind=news",
    ):
        answer = integrator.get(f"{LIST}?{query}").json()
        assert [line["id"] for line in answer["results"]] == [str(one.public_id)], query
    assert len(integrator.get(LIST + "?state=embedded").json()["results"]) == 2
    assert integrator.get(LIST + "?state=quarantined").json()["results"] == []
    assert integrator.get(LIST + "?company=Nobody").json()["results"] == []
    later = (timezone.now() + timedelta(hours=1)).isoformat().replace("+", "%2B")
    assert integrator.get(f"{LIST}?received_from={later}").json()["results"] == []


@pytest.mark.parametrize(
    "query",
    [
        "x__owner__password__startswith=a",
        "uploaded_by__password__startswith=p",
        "source__groups__name=deal team",
        "text__contains=a",
        "ordering=-text",
    ],
)
def test_what_is_not_on_the_allow_list_is_an_error_that_names_it(integrator, query):
    response = integrator.get(f"{LIST}?{query}")
    assert response.status_code == 400
    assert list(response.json()) == [query.partition("=")[0]]


HOSTILE = [
    "\0",
    "%00",
    "9" * 400,
    "-1",
    "1e400",
    "NaN",
    "' OR 1=1 --",
    "\u202e\U0001f600",
    "a" * 5000,
    "{{7*7}}",
    "../../etc/passwd",
    "[]",
    "2024-13-45",
    "٣",
    "\ud800".encode("utf8", "replace").decode(),
]
PARAMETERS = [
    "company", "kind", "state", "source", "fiscal_year", "fiscal_quarter", "published_from",
    "received_from", "received_to", "page_size", "cursor",
]  # fmt: skip


@pytest.mark.parametrize("name", PARAMETERS)
def test_hostile_values_are_never_a_500(integrator, library, name):
    make(library)
    for value in HOSTILE:
        response = integrator.get(LIST, {name: value})
        assert response.status_code in {200, 400}, (name, value)
        if response.status_code == 400:
            assert list(response.json()) == [name], (name, value)


@pytest.mark.parametrize("inside", ["p=abc", "p=2024-13-01", "o=-1", "r=x", "p=%00", "p=9999999"])
def test_a_forged_cursor_is_a_400(integrator, inside):
    cursor = base64.b64encode(inside.encode()).decode()
    assert integrator.get(LIST, {"cursor": cursor}).status_code == 400


# Push


def test_a_push_is_accepted_with_a_status_to_follow(integrator, ian):
    response = push(
        integrator, kind="research_note", company="Acme Corp", fiscal_year=2024, fiscal_quarter=1,
        published_on="2024-04-30", external_id="n-1",
    )  # fmt: skip
    assert response.status_code == 202
    answer = response.json()
    assert response["Location"] == answer["status_url"]
    status = integrator.get(answer["status_url"]).json()
    assert (status["state"], status["finished"]) == ("received", False)
    row = Document.objects.get(public_id=answer["id"])
    assert (row.title, row.kind, row.company.name) == ("A note", "research_note", "Acme Corp")
    assert (row.fiscal_year, row.fiscal_quarter, row.uploaded_by) == (2024, 1, ian)
    assert row.file.read() == b"Margins fell."
    assert row.source.kind == Source.Kind.API


def test_the_same_push_again_is_the_same_document(integrator):
    first = push(integrator, external_id="n-1").json()
    again = push(integrator, external_id="n-1")
    assert again.status_code == 202
    assert (first["created"], again.json()["created"]) == (True, False)
    assert again.json()["id"] == first["id"]
    assert Document.objects.count() == 1


def test_other_content_under_a_known_id_is_a_revision(integrator):
    first = push(integrator, external_id="n-1").json()
    response = push(integrator, external_id="n-1", text="Margins rose.")
    assert response.status_code == 202
    row = Document.objects.get(public_id=response.json()["id"])
    assert str(row.supersedes.public_id) == first["id"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""), ("title", "x" * 501), ("title", "a\0b"), ("text", ""), ("text", 5),
        ("text", "a\0b"), ("kind", "poem"), ("fiscal_year", 10**30), ("fiscal_year", "x"),
        ("fiscal_quarter", 5), ("published_on", "yesterday"), ("external_id", "x" * 501),
        ("external_id", "a\nb"), ("source", "No such source"), ("file_name", "../../x.exe"),
        ("title", {"a": 1}), ("company", ["a"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(integrator, field, value):
    response = push(integrator, **{"fiscal_year": 2024, field: value})
    if (field, value) == ("text", 5):  # A number is read as the text it is written as.
        assert response.status_code == 202
        return
    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert Document.objects.count() == 0


def test_bodies_that_are_no_json_are_a_400(integrator, settings):
    for body in (
        "{",
        "[]",
        '"a"',
        "[" * 100_000,
        "\xff",
        '{"title": NaN, "text": 1e999}',
        "9" * 9999,
    ):
        response = integrator.post(LIST, body, content_type="application/json")
        assert response.status_code == 400, body[:20]
        assert response["Content-Type"] == "application/json"
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    assert push(integrator, text="long " * 100).status_code == 413


def test_an_unsupported_type_and_method_are_told_in_json(integrator):
    response = integrator.post(LIST, "<a/>", content_type="application/xml")
    assert (response.status_code, response["Content-Type"]) == (415, "application/json")
    assert integrator.delete(LIST).status_code in {403, 405}


def test_an_invisible_source_is_refused_as_an_unknown_one(integrator, vault, library):
    unknown = push(integrator, source="No such source")
    invisible = push(integrator, source="Vault")
    folder = push(integrator, source="Library")
    assert unknown.status_code == invisible.status_code == folder.status_code == 400
    assert unknown.json() == invisible.json() == folder.json()
    listed = [integrator.get(LIST, {"source": name}) for name in ("Vault", "Nowhere")]
    texts = [answer.content.replace(b"Vault", b"Nowhere") for answer in listed]
    assert [answer.status_code for answer in listed] == [400, 400]
    assert texts[0] == texts[1]


# Upload


def upload(client, *files, **fields):
    return client.post(LIST + "upload/", {"file": list(files), **fields})


def test_each_file_of_an_upload_is_accepted_or_refused_by_itself(integrator, settings):
    settings.MAX_FILE_BYTES = 100
    response = upload(
        integrator,
        SimpleUploadedFile("a.txt", b"Words."),
        SimpleUploadedFile("empty.txt", b""),
        SimpleUploadedFile("big.txt", b"x" * 101),
        SimpleUploadedFile("../../b.txt", b"Other words."),
        kind="news",
    )
    assert response.status_code == 202
    answer = response.json()
    assert (answer["accepted"], answer["refused"]) == (2, 2)
    assert [result["accepted"] for result in answer["results"]] == [True, False, False, True]
    assert answer["results"][1]["errors"] == {"file": ["The file is empty."]}
    assert "larger" in answer["results"][2]["errors"]["file"][0]
    assert {row.file_name for row in Document.objects.all()} == {"a.txt", "b.txt"}
    assert {row.kind for row in Document.objects.all()} == {"news"}


def test_an_upload_of_nothing_useful_is_a_400(integrator):
    assert list(upload(integrator).json()) == ["file"]
    assert upload(integrator).status_code == 400
    response = upload(integrator, SimpleUploadedFile("empty.txt", b""))
    assert response.status_code == 400
    assert response.json()["results"][0]["accepted"] is False
    two = [SimpleUploadedFile(f"{n}.txt", b"%d" % n) for n in range(2)]
    assert list(upload(integrator, *two, title="One title").json()) == ["title"]
    assert list(upload(integrator, two[0], fiscal_quarter="9").json()) == ["fiscal_quarter"]


def test_too_many_files_are_a_400_in_json(integrator, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 1
    response = upload(integrator, *[SimpleUploadedFile(f"{n}.txt", b"a") for n in range(3)])
    assert (response.status_code, response["Content-Type"]) == (400, "application/json")


# Detail and status


def test_text_comes_only_when_asked_for(integrator, library):
    row = make(library, "The whole text.", pages=[0], sections=[{"title": "A", "start": 0}])
    address = f"{LIST}{row.public_id}/"
    assert "text" not in integrator.get(address).json()
    answer = integrator.get(address + "?include=text").json()
    assert (answer["text"], answer["pages"]) == ("The whole text.", [0])
    assert integrator.get(address + "?include=groups").status_code == 400
    assert integrator.get(address + "?fields=text").status_code == 400


def test_a_failure_is_told_with_its_reason(integrator, library):
    row = make(
        library, "", parsed_at=None, searchable_at=None, embedded_at=None, attempts=3,
        failed_stage="parse", failed_reason="The file is encrypted.", quarantined_at=timezone.now(),
    )  # fmt: skip
    status = integrator.get(f"{LIST}{row.public_id}/status/").json()
    assert (status["state"], status["stage"], status["attempts"]) == ("quarantined", "parse", 3)
    assert (status["reason"], status["finished"]) == ("The file is encrypted.", True)


def test_a_duplicate_points_at_its_original(integrator, library):
    original = make(library, "Twice.")
    copy = sighting(library, original)
    status = integrator.get(f"{LIST}{copy.public_id}/status/").json()
    assert (status["state"], status["duplicate_of"]) == ("duplicate", str(original.public_id))
    detail = integrator.get(f"{LIST}{copy.public_id}/?include=text").json()
    assert detail["text"] == "Twice."
    others = integrator.get(f"{LIST}{original.public_id}/").json()["other_sightings"]
    assert [other["id"] for other in others] == [str(copy.public_id)]


# What is hidden


def test_a_hidden_document_is_missing(integrator, library, vault):
    hidden = make(vault, "Secret.", title="Project Falcon")
    missing = "00000000-0000-4000-8000-000000000000"
    for tail in ("", "status/", "?include=text"):
        answers = [integrator.get(f"{LIST}{pk}/{tail}") for pk in (hidden.public_id, missing)]
        assert {answer.status_code for answer in answers} == {404}
        assert answers[0].content == answers[1].content
    assert integrator.get(LIST).json()["results"] == []


def test_a_push_of_a_hidden_text_tells_nothing_of_it(integrator, library, vault):
    long_ago = timezone.now() - timedelta(days=9)
    hidden = make(
        vault, "Secret.", title="Project Falcon", received_at=long_ago, embedded_at=long_ago,
        searchable_at=long_ago, external_id="falcon-1",
    )  # fmt: skip
    mine = sighting(library, hidden, title="My copy")
    status = integrator.get(f"{LIST}{mine.public_id}/status/").json()
    assert (status["state"], status["duplicate_of"]) == ("embedded", None)
    assert status["embedded_at"] >= status["received_at"]
    detail = integrator.get(f"{LIST}{mine.public_id}/?include=text")
    assert detail.json()["text"] == "Secret."
    assert detail.json()["other_sightings"] == []
    assert (detail.json()["duplicate_of"], detail.json()["chunks"]) == (None, 3)
    listed = integrator.get(LIST + "?state=embedded")
    assert [line["id"] for line in listed.json()["results"]] == [str(mine.public_id)]
    assert integrator.get(LIST + "?state=duplicate").json()["results"] == []
    for answer in (detail, listed):
        for word in (b"Falcon", b"Vault", b"falcon", str(hidden.public_id).encode()):
            assert word not in answer.content
    assert integrator.get(f"{LIST}{hidden.public_id}/").status_code == 404


def test_of_two_copies_of_a_hidden_text_the_first_is_the_original(integrator, library, vault):
    hidden = make(vault, "Secret.")
    first, second = sighting(library, hidden), sighting(library, hidden)
    status = integrator.get(f"{LIST}{second.public_id}/status/").json()
    assert (status["state"], status["duplicate_of"]) == ("duplicate", str(first.public_id))
    status = integrator.get(f"{LIST}{first.public_id}/status/").json()
    assert (status["state"], status["duplicate_of"]) == ("embedded", None)


def test_pushed_bytes_of_a_hidden_document_wait_as_any_others(integrator, vault):
    from io import BytesIO

    from ingestion.receiving import take_in

    hidden = take_in(vault, "a.txt", BytesIO(b"Margins fell.")).document
    Document.objects.filter(pk=hidden.pk).update(parsed_at=timezone.now(), text="Margins fell.")
    answer = push(integrator).json()
    assert answer["created"] is True
    status = integrator.get(answer["status_url"]).json()
    assert (status["state"], status["parsed_at"]) == ("received", None)


# The API about itself


def test_errors_under_api_are_json(integrator):
    response = integrator.get("/api/v1/nothing/")
    assert (response.status_code, response.json()) == (404, {"detail": "Not found."})
    assert integrator.get("/api/v1/documents/12/").json() == {"detail": "Not found."}


def test_a_fault_is_json_that_tells_nothing(integrator, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr("ingestion.api.arrivals", broken)
    integrator.raise_request_exception = False
    response = integrator.get(LIST)
    assert (response.status_code, response["Content-Type"]) == (500, "application/json")
    assert b"hunter2" not in response.content


def test_the_schema_names_every_route_and_the_docs_need_no_other_host(client, ian):
    client.force_login(ian)
    schema = client.get("/api/v1/schema/?format=json").json()
    assert set(schema["paths"]) == {
        "/api/v1/documents/", "/api/v1/documents/upload/", "/api/v1/documents/{public_id}/",
        "/api/v1/documents/{public_id}/status/", "/api/v1/documents/{public_id}/mentions/",
        "/api/v1/search/", "/api/v1/ask/", "/api/v1/answers/{public_id}/",
        "/api/v1/answers/{public_id}/feedback/", "/api/v1/extractions/spans/",
        "/api/v1/extractions/relations/", "/api/v1/extractions/runs/",
        "/api/v1/extractions/bulk-runs/", "/api/v1/extractions/bulk-runs/{public_id}/",
        "/api/v1/feed/", "/api/v1/feed/events/", "/api/v1/follows/", "/api/v1/saved-searches/",
        "/api/v1/saved-searches/{public_id}/",
    }  # fmt: skip
    names = {item["name"] for item in schema["paths"]["/api/v1/documents/"]["get"]["parameters"]}
    assert {"company", "state", "received_from", "cursor", "page_size"} <= names
    assert "q" in {item["name"] for item in schema["paths"]["/api/v1/search/"]["get"]["parameters"]}
    page = client.get("/api/v1/docs/")
    assert page.status_code == 200
    assert b"https://" not in page.content.replace(b"http://www.w3.org", b"")
    assert b"<script>" not in page.content
    policy = page["Content-Security-Policy"]
    # The order of the directives is not fixed.
    assert "script-src 'self'" in policy.split("; ")
    assert "style-src 'self' 'unsafe-inline'" in policy
    script = client.get("/api/v1/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")
