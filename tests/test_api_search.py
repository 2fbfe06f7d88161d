"""Search by API: passages to cite, by whoever may see them, and clear errors."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from small_corpus import document, source

from docintel import encoders
from docintel.models import ApiToken
from ingestion.models import Document

SEARCH = "/api/v1/search/"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("whole_graph")]
MARGINS = "Gross margins fell because freight became dearer."


@pytest.fixture(autouse=True)
def keywords_only(monkeypatch):
    """No model: what is tested here is the door, not the ranking."""

    def unavailable():
        raise encoders.EncoderUnavailable("not in this test")

    monkeypatch.setattr(encoders, "live_embedder", unavailable)


@pytest.fixture
def integrator(client, ian):
    _, token = ApiToken.issue(ian, "test")
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def test_a_passage_comes_with_what_is_needed_to_cite_it(integrator):
    row = document(["An introduction.", MARGINS], company="Acme", fiscal_year=2024, title="Report")
    answer = integrator.get(SEARCH, {"q": "freight margins"}).json()
    assert answer["notes"] == ["Meaning search is unavailable, these are keyword matches only."]
    (passage,) = answer["passages"]
    shown = passage["document"]
    assert (shown["id"], shown["company"], shown["period"]) == (
        str(row.public_id),
        "Acme",
        "FY2024",
    )
    assert row.text[passage["start"] : passage["end"]] == passage["quote"]
    assert (passage["page"], passage["bm25"]["rank"], passage["dense"]["rank"]) == (2, 1, None)
    assert passage["bm25"]["score"] > 0
    text = integrator.get(shown["url"] + "?include=text").json()["text"]
    assert text[passage["start"] : passage["end"]] == passage["quote"]


def test_a_scope_confines_it(integrator):
    document([MARGINS], company="Acme", fiscal_year=2023)
    wanted = document([MARGINS + " Again."], company="Bolt", fiscal_year=2024, kind="news")
    for scope in ({"company": "bolt"}, {"fiscal_year": 2024}, {"kind": "news"}):
        passages = integrator.get(SEARCH, {"q": "margins", **scope}).json()["passages"]
        assert {hit["document"]["id"] for hit in passages} == {str(wanted.public_id)}, scope
    assert len(integrator.get(SEARCH, {"q": "margins", "limit": 1}).json()["passages"]) == 1


def test_a_scope_that_matches_nothing_is_no_error(integrator):
    document([MARGINS])
    for scope in ({"company": "No such company"}, {"fiscal_year": 1901}):
        answer = integrator.get(SEARCH, {"q": "margins", **scope}).json()
        assert answer["passages"] == []
        assert answer["notes"]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({}, "q"),
        ({"q": "   "}, "q"),
        ({"q": "x" * 10_000}, "q"),
        ({"q": "a\0b"}, "q"),
        ({"q": "a", "limit": 0}, "limit"),
        ({"q": "a", "limit": 10**30}, "limit"),
        ({"q": "a", "kind": "poem"}, "kind"),
        ({"q": "a", "source": "Nowhere"}, "source"),
        ({"q": "a", "fiscal_year": "x"}, "fiscal_year"),
        ({"q": "a", "published_from": "yesterday"}, "published_from"),
        ({"q": "a", "document__source__groups__name": "x"}, "document__source__groups__name"),
    ],
)
def test_what_is_wrong_is_named(integrator, parameters, field):
    document([MARGINS])
    response = integrator.get(SEARCH, parameters)
    assert response.status_code == 400
    assert list(response.json()) == [field]


@pytest.mark.parametrize(
    "question",
    ["' OR 1=1 --", '"', '""', "(((", "a & | !", "\u202e\U0001f600", "\u0301", "%_\\", "مرحبا 你好",
     "to_tsquery(':*')", "\ud83d" .encode("utf8", "replace").decode(), "<script>", "0" * 2000],
)  # fmt: skip
def test_a_hostile_question_is_a_question(integrator, question):
    document([MARGINS])
    assert integrator.get(SEARCH, {"q": question}).status_code in {200, 400}


def test_what_is_hidden_is_not_found_and_not_counted(integrator):
    Group.objects.create(name="deal team")
    document([MARGINS], origin=source("Vault", "deal team"), title="Project Falcon")
    answer = integrator.get(SEARCH, {"q": "margins"})
    assert answer.json()["passages"] == []
    assert b"Falcon" not in answer.content
    assert integrator.get(SEARCH, {"q": "margins", "source": "Vault"}).status_code == 400


def test_a_text_that_also_arrived_in_the_open_is_known_by_that_arrival(integrator):
    Group.objects.create(name="deal team")
    hidden = document([MARGINS], origin=source("Vault", "deal team"), title="Project Falcon")
    mine = Document.objects.create(
        source=source("Library"), file_name="mine.txt", title="Mine", duplicate_of=hidden
    )
    answer = integrator.get(SEARCH, {"q": "margins"})
    (passage,) = answer.json()["passages"]
    assert (passage["document"]["id"], passage["document"]["title"]) == (
        str(mine.public_id),
        "Mine",
    )
    for word in (b"Falcon", b"Vault", str(hidden.public_id).encode()):
        assert word not in answer.content
