"""Extracted spans, relations and runs, and bulk runs, over the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from extraction_corpus import go_live, kpis, put, tags_by

from docintel.models import ApiToken
from extraction import tagging
from extraction.catching_up import extract_pending
from extraction.extracting import extract
from extraction.result_tables import BulkRun
from ingestion.models import Document, Source

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/extractions"


@pytest.fixture(autouse=True)
def tagger(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    go_live()
    tags_by(monkeypatch)


def call(user: User, path: str, query: Any = None, status: int = 200) -> Any:
    _, token = ApiToken.issue(user, "t")
    response = Client().get(
        path if path.startswith("http") else f"{ROOT}/{path}",
        query,
        headers={"Authorization": f"Bearer {token}"},
    )
    assert response.status_code == status, response.content
    return response.json()


def send(user: User, path: str, body: Any, status: int, *, may_write: bool = True) -> Any:
    _, token = ApiToken.issue(user, "t", may_write=may_write)
    response = Client().post(
        f"{ROOT}/{path}",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert response.status_code == status, response.content
    return response.json() if response.content else None


def read(*documents: Document) -> None:
    for document in documents:
        extract(document, kpis())


def test_a_span_says_what_it_is_where_and_by_whom(alice: User) -> None:
    document = put(company="Acme", fiscal_year=2024)
    read(document)
    found = call(alice, "spans/", {"label": "cy"})["results"]
    assert [row["text"] for row in found] == ["4.25", "30.5"]
    row = found[1]
    assert document.text[row["start"] : row["end"]] == "30.5"
    assert row["document"]["id"] == str(document.public_id)
    assert row["document"]["url"].endswith(f"/api/v1/documents/{document.public_id}/")
    assert row["document"]["company"] == "Acme"
    assert (row["schema"], row["schema_version"], row["tagger"]) == ("kpis", 1, "1")
    assert row["confidence"] == pytest.approx(0.94)
    assert row["origin"] == "model"


def test_a_relation_has_both_ends_its_rule_and_its_evidence(alice: User) -> None:
    document = put()
    read(document)
    rows = call(alice, "relations/")["results"]
    assert {(row["head"]["text"], row["tail"]["text"]) for row in rows} == {
        ("30.5", "Revenue"), ("4.25", "Net income"),
    }  # fmt: skip
    evidence = rows[0]["evidence"]
    assert document.text[evidence["start"] : evidence["end"]] == evidence["text"]
    assert rows[0]["rule"]
    assert len(call(alice, "relations/", {"label": "kpi"})["results"]) == 2
    assert call(alice, "relations/", {"relation": "nothing"})["results"] == []


def test_filters_add_up(alice: User) -> None:
    acme = put(company="Acme", fiscal_year=2024, fiscal_quarter=1, kind="quarterly_report")
    other = put(company="Other", fiscal_year=2023, published_on="2024-02-01")
    read(acme, other)

    def ids(**query: Any) -> set[str]:
        return {row["document"]["id"] for row in call(alice, "spans/", query)["results"]}

    both = {str(acme.public_id), str(other.public_id)}
    assert ids() == ids(schema="kpis") == ids(company=["Acme", "other"]) == both
    for query in (
        {"company": "acme"}, {"fiscal_year": 2024}, {"fiscal_quarter": 1},
        {"kind": "quarterly_report"}, {"document": str(acme.public_id)},
        {"company": "Acme", "fiscal_year": [2023, 2024], "min_confidence": 0.94},
    ):  # fmt: skip
        assert ids(**query) == {str(acme.public_id)}, query
    assert ids(published_from="2024-01-01") == {str(other.public_id)}
    for query in (
        {"min_confidence": 0.99}, {"schema": "contracts"}, {"label": "nothing"},
        {"company": "Acme", "fiscal_year": 2023}, {"company": "Nobody"},
        {"document": str(uuid4())},
    ):  # fmt: skip
        assert ids(**query) == set(), query


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"min_confidence": "2"}, "min_confidence"), ({"min_confidence": "x"}, "min_confidence"),
        ({"document": "x"}, "document"), ({"cursor": "x"}, "cursor"),
        ({"page_size": "0"}, "page_size"),
        ({"nothing": "1"}, "nothing"), ({"kind": "nothing"}, "kind"),
        ({"label": "a\0"}, "label"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(alice: User, query: dict[str, str], field: str) -> None:
    assert field in call(alice, "spans/", query, status=400)


def test_pages_hold_still_while_rows_are_added(alice: User) -> None:
    read(*(put() for _ in range(5)))
    seen: list[int] = []
    page = call(alice, "spans/", {"page_size": 3})
    while True:
        seen += [row["id"] for row in page["results"]]
        read(put())
        if not page["next"]:
            break
        page = call(alice, page["next"])
    assert len(seen) == len(set(seen)) == 20
    assert seen == sorted(seen, reverse=True)


def test_nothing_of_hidden_documents(alice: User) -> None:
    vault = Source.objects.create(name="Vault", kind=Source.Kind.UPLOAD)
    deal_team = Group.objects.create(name="deal team")
    vault.groups.add(deal_team)
    hidden = put(source=vault)
    copied = put(source=vault, title="Secret title")
    copy = put("", duplicate_of=copied, title="Open title")
    read(hidden, copied)
    for name in ("spans", "relations", "runs"):
        rows = call(alice, f"{name}/")["results"]
        assert {row["document"]["id"] for row in rows} == {str(copy.public_id)}, name
        assert "Secret title" not in str(rows)
        assert call(alice, f"{name}/", {"document": str(hidden.public_id)})["results"] == []
    alice.groups.add(deal_team)
    assert len(call(alice, "spans/")["results"]) == 8


def test_superseded_documents_are_left_out_unless_named(alice: User) -> None:
    document = put()
    read(document)
    Document.objects.update(superseded_at=timezone.now())
    assert call(alice, "spans/")["results"] == []
    named = call(alice, "spans/", {"document": str(document.public_id)})["results"]
    assert len(named) == 4


def test_only_the_shown_version_and_all_runs(alice: User) -> None:
    document = put()
    read(document)
    go_live("2")
    read(document)
    assert {row["tagger"] for row in call(alice, "spans/")["results"]} == {"2"}
    runs = call(alice, "runs/")["results"]
    assert [(row["tagger"], row["shown"]) for row in runs] == [("2", True), ("1", False)]
    assert (runs[0]["state"], runs[0]["span_count"]) == ("finished", 4)
    assert call(alice, "runs/", {"state": "failed"})["results"] == []


def test_a_bulk_run_is_accepted_followed_and_stopped(ian: User, eve: User) -> None:
    for _ in range(2):
        put(company="Acme", kind="news")
    body = {"schema": "kpis", "company": ["acme"], "kind": ["news"]}
    started = send(ian, "bulk-runs/", body, 202)
    assert started["state"] == "preparing"
    assert started["described"] == "News · Acme"
    extract_pending(600)
    row = call(ian, f"bulk-runs/{started['id']}/")
    assert (row["state"], row["progress"]["done"], row["progress"]["left"]) == ("finished", 2, 0)
    assert float(row["progress"]["dollars"]) >= 0
    assert [each["id"] for each in call(ian, "bulk-runs/")["results"]] == [started["id"]]
    assert call(eve, "bulk-runs/")["results"] == []
    call(eve, f"bulk-runs/{started['id']}/", status=404)
    send(ian, f"bulk-runs/{started['id']}/", {"action": "pause"}, 409)
    send(ian, f"bulk-runs/{started['id']}/", {"action": "explode"}, 400)
    other = send(ian, "bulk-runs/", {"schema": "kpis", "kind": ["news"], "again": True}, 202)
    assert send(ian, f"bulk-runs/{other['id']}/", {"action": "cancel"}, 200)["state"] == "cancelled"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "schema"), ({"schema": "nothing"}, "schema"), ({"schema": "contracts"}, "schema"),
        ({"schema": "kpis", "kind": ["nothing"]}, "kind"),
        ({"schema": "kpis", "source": ["Vault"]}, "source"),
        ({"schema": "kpis", "fiscal_year": [12]}, "fiscal_year"),
        ({"schema": "kpis", "anything": 1}, "anything"),
        ({"schema": "kpis", "published_from": "x"}, "published_from"),
    ],
)  # fmt: skip
def test_a_bulk_run_that_cannot_be_is_refused_by_field(
    ian: User, body: dict[str, Any], field: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tagging, "BUNDLED", tmp_path)
    vault = Source.objects.create(name="Vault", kind=Source.Kind.UPLOAD)
    vault.groups.add(Group.objects.create(name="deal team"))
    put()
    assert field in send(ian, "bulk-runs/", body, 400)
    assert not BulkRun.objects.exists()


def test_who_may_start_one(alice: User, ian: User) -> None:
    put()
    send(alice, "bulk-runs/", {"schema": "kpis"}, 403)
    send(ian, "bulk-runs/", {"schema": "kpis"}, 403, may_write=False)


def test_the_api_describes_them(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    described = client.get("/api/v1/schema/?format=json").json()
    spans = described["paths"]["/api/v1/extractions/spans/"]["get"]
    names = {parameter["name"] for parameter in spans["parameters"]}
    assert {"schema", "label", "min_confidence", "company", "fiscal_year", "document",
            "cursor", "page_size"} <= names  # fmt: skip
    start = described["paths"]["/api/v1/extractions/bulk-runs/"]["post"]
    assert "202" in start["responses"]
    parts = described["components"]["schemas"]
    assert "evidence" in parts["RelationLine"]["properties"]
    assert "dollars_each" in parts["ProgressLine"]["properties"]
