"""Verdicts over the API: kept by the same verb as the page's, by those alone who may read."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from small_corpus import document, source

from docintel.models import ApiToken
from qa.models import AnswerFeedback, AnswerSentence, Ask

pytestmark = pytest.mark.django_db
QUOTE = "Margins fell to 37.2%."


def answer_of(user: User, *groups: str) -> Ask:
    """An answer of theirs, citing a document of a source that these groups may see."""
    row = document([QUOTE], origin=source("Library" + "".join(groups), *groups))
    ask = Ask.objects.create(asker=user, text="Why?", state="answered")
    sentence = AnswerSentence.objects.create(ask=ask, ordinal=1, text=QUOTE, state="kept")
    sentence.citations.create(
        ordinal=1, number=1, document=row, start=0, end=len(QUOTE), quote=QUOTE
    )
    return ask


def post(user: User, ask: Ask, **body: Any) -> Any:
    client = Client()
    client.force_login(user)
    address = f"/api/v1/answers/{ask.public_id}/feedback/"
    return client.post(address, body, content_type="application/json")


def test_a_verdict_is_kept_with_its_reason(alice: User, bob: User) -> None:
    ask = answer_of(alice)
    given = post(alice, ask, verdict="down", reason="figure", text="It was 38.6.")
    assert given.status_code == 201
    assert {name: given.json()[name] for name in ("verdict", "reason", "text")} == {
        "verdict": "down", "reason": "figure", "text": "It was 38.6.",
    }  # fmt: skip
    assert post(alice, ask, verdict="used").json()["verdict"] == "used"
    # Who may read the documents may read the answer, and say what they make of it.
    assert post(bob, ask, verdict="up", reason="figure").json()["reason"] == ""
    kept = AnswerFeedback.objects.order_by("pk").values_list("person__username", "verdict")
    assert list(kept) == [("alice", "down"), ("alice", "used"), ("bob", "up")]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "verdict"),
        ({"verdict": "great"}, "verdict"),
        ({"verdict": "down", "reason": "nonsense"}, "reason"),
        ({"verdict": "down", "text": "x" * 2_001}, "text"),
        ({"verdict": "up", "stars": 5}, "stars"),
    ],
)
def test_what_is_no_verdict_is_refused(alice: User, body: dict[str, Any], field: str) -> None:
    refused = post(alice, answer_of(alice), **body)
    assert refused.status_code == 400
    assert field in refused.json()
    assert not AnswerFeedback.objects.exists()


def test_who_may_not_read_the_answer_learns_nothing(alice: User, eve: User, charlie: User) -> None:
    hidden = answer_of(eve, "expert")
    missing = Ask(text="never saved")
    answers = [post(alice, each, verdict="up") for each in (hidden, missing)]
    assert [(each.status_code, each.json()) for each in answers] == [(404, answers[0].json())] * 2
    assert post(charlie, answer_of(alice), verdict="up").status_code == 403
    assert not AnswerFeedback.objects.exists()
    alice.groups.add(Group.objects.get(name="expert"))
    assert post(alice, hidden, verdict="up").status_code == 201


def test_a_token_that_only_reads_may_judge(alice: User) -> None:
    ask = answer_of(alice)
    _, token = ApiToken.issue(alice, "reads")
    given = Client().post(
        f"/api/v1/answers/{ask.public_id}/feedback/", {"verdict": "up"},
        content_type="application/json", headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip
    assert given.status_code == 201
    assert AnswerFeedback.objects.get().person == alice


def test_the_schema_says_what_is_accepted(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    schema = client.get("/api/v1/schema/?format=json").json()
    described = schema["paths"]["/api/v1/answers/{public_id}/feedback/"]["post"]
    assert described["operationId"] == "give_feedback"
    assert set(described["responses"]) == {"201"}
    fields = schema["components"]["schemas"]["Feedback"]["properties"]
    assert fields.keys() == {"verdict", "reason", "text", "created_at"}
