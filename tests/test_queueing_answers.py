"""Dropped sentences and doubtful routes reach the desk; what experts say of them is put to use."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from extraction_corpus import put
from review_items import said

from qa.answer_tables import AnswerSentence, Ask
from qa.feedback_tables import FollowUp
from review.judging import BadVerdict
from review.models import Correction, DeskSettings, ReviewItem
from review.queueing_answers import queue_answers, queue_dropped, queue_routes

pytestmark = pytest.mark.django_db
QUOTE = "Revenue was $ 30.5 million in 2024."


def asked(text: str = "What was revenue?", **fields) -> Ask:
    values = {"state": "answered", "route": "factual", "confidence": 0.95, **fields}
    return Ask.objects.create(text=text, **values)


def dropped(ask: Ask) -> AnswerSentence:
    lost = [{"reference": "p1", "quote": QUOTE, "reason": "The figure is not in it."}]
    return ask.sentences.create(
        ordinal=2, text="Revenue was 30.5 million.", state="dropped",
        reason="A figure is not in the quote.", lost=lost,
    )  # fmt: skip


def test_a_dropped_sentence_enters_once_with_its_reason(alice) -> None:
    ask = asked(asker=alice)
    dropped(ask)
    ask.sentences.create(ordinal=1, text="It rose.", state="kept")
    old = asked(created_at=timezone.now() - timedelta(days=60))
    dropped(old)
    assert queue_dropped() == 1
    assert queue_dropped() == 0
    item = ReviewItem.objects.get()
    assert item.asker == alice
    assert item.reason == "The verifier dropped it: A figure is not in the quote."
    assert item.proposal["lost"][0]["quote"] == QUOTE


def test_that_the_verifier_was_wrong_becomes_a_test_case(eve, olga, tmp_path) -> None:
    document = put()
    ask = asked()
    sentence = dropped(ask)
    ask.passages.create(ordinal=1, document=document, start=0, end=10)
    other = asked("And net income?")
    dropped(other)
    queue_dropped()
    said(eve, ReviewItem.objects.get(proposal__sentence=sentence.pk), "reject")
    said(eve, ReviewItem.objects.waiting().get(), "accept")
    file = tmp_path / "cases.jsonl"
    call_command("export_verifier_cases", str(file), "--as", "eve", verbosity=0)
    (case,) = map(json.loads, file.read_text().splitlines())
    assert case["sentence"] == "Revenue was 30.5 million."
    assert (case["quotes"], case["expected"]) == ([QUOTE], "kept")
    assert QUOTE in case["passages"][0]["text"]
    for who, why in (("olga", "may review"), ("nobody", "may review")):
        with pytest.raises(CommandError, match=why):
            call_command("export_verifier_cases", str(file), "--as", who)


def test_doubtful_and_repeated_questions_enter_so_many_a_week() -> None:
    sure = asked("What was revenue?")
    for number in range(5):
        asked(f"Why did it fall in year {number}?", confidence=0.5 + number / 100)
    asked("Why did it fall in  year 1?", confidence=0.4)
    FollowUp.objects.create(first=sure, then=asked("And revenue of 2023?"))
    assert queue_routes(4) == 4
    assert queue_routes(4) == 0
    items = ReviewItem.objects.order_by("confidence")
    assert [item.confidence for item in items] == [0.4, 0.5, 0.52, 0.53]
    assert queue_routes(20) == 2
    assert ReviewItem.objects.get(why="reasked").text == "What was revenue?"


def test_a_route_is_corrected(eve) -> None:
    asked("List the filings", confidence=0.5, route="synthesis")
    queue_routes(20)
    item = ReviewItem.objects.get()
    for label, why in (("elsewhere", "one of these ways"), ("synthesis", "Nothing was changed")):
        with pytest.raises(BadVerdict, match=why):
            said(eve, item, "relabel", label=label)
    said(eve, item, "relabel", label="lookup")
    made = Correction.objects.get()
    assert (made.before["route"], made.after["route"]) == ("synthesis", "lookup")
    assert made.after["question"] == "List the filings"


def test_none_where_none_are_wanted() -> None:
    asked(confidence=0.3)
    DeskSettings.objects.update_or_create(pk=1, defaults={"routes_a_week": 0})
    assert queue_answers() == 0
