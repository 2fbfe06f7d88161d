"""What enters the queue of the review desk, in which order, and what leaves it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from extraction_corpus import TEXT, go_live, kpis, put, tags_by
from review_items import UNSURE, item_of, no_lots, read_document, tags_with

from extraction.changing_schemas import save_schema
from extraction.extracting import extract
from ingestion.models import Document
from qa.answer_tables import Ask
from review import queueing
from review.models import Correction, DeskSettings, ReviewItem
from review.proposals import is_drawn
from review.valuing import revalue, uncertainty

pytestmark = pytest.mark.django_db
State = ReviewItem.State


@pytest.fixture(autouse=True)
def tagger(monkeypatch: pytest.MonkeyPatch) -> None:
    go_live()
    tags_by(monkeypatch, tags_with({"30.5": UNSURE}))
    no_lots()


def waiting() -> list[tuple[str, str]]:
    return [(item.kind, item.text) for item in ReviewItem.objects.waiting().order_by("pk")]


def test_what_the_model_is_unsure_of_enters_once() -> None:
    read_document()
    assert waiting() == [("span", "30.5")]
    item = item_of("30.5")
    assert (item.label, item.confidence, item.why) == ("cy", UNSURE, "unsure")
    assert item.reason == "60% sure; delivered without review from 90% on."
    assert item.model_version is not None
    assert queueing.queue_pending() == 0
    assert ReviewItem.objects.count() == 1


def test_an_audit_draws_the_same_share_of_the_confident(monkeypatch: pytest.MonkeyPatch) -> None:
    DeskSettings.objects.update(audit_share=1)
    read_document()
    audited = ReviewItem.objects.filter(audit=True)
    assert [audited.filter(kind=kind).count() for kind in ("span", "relation")] == [3, 1]
    assert not item_of("30.5").audit
    drawn = [is_drawn(str(number), 0.02, "audit") for number in range(20_000)]
    assert 320 < sum(drawn) < 480


def test_a_span_that_lacks_what_the_schema_requires_enters(monkeypatch: pytest.MonkeyPatch) -> None:
    tags_by(monkeypatch, tags_with({}))
    read_document("In all it was 4.25 million. Nothing else was said that year.\n")
    item = ReviewItem.objects.get()
    assert (item.kind, item.why, item.label) == ("relation", "incomplete", "value of")
    assert item.proposal["tail"] is None


def test_a_doubtful_relation_of_sure_spans_enters() -> None:
    spec = kpis().spec
    rules = [{**rule, "confidence": 0.5} for rule in spec["rules"]]
    save_schema({**spec, "rules": rules}, "eve")
    read_document()
    relations = ReviewItem.objects.filter(kind="relation")
    assert [item.text for item in relations] == ["4.25"], (
        "of the other the value is looked at first"
    )


def test_a_new_version_says_anew_and_takes_back_what_it_is_sure_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document = read_document()
    go_live("2")
    tags_by(monkeypatch, tags_with({"30.5": 0.7, "4.25": 0.55}))
    extract(document, kpis())
    queueing.queue_pending()
    assert waiting() == [("span", "30.5"), ("span", "4.25")]
    assert item_of("30.5").confidence == 0.7
    assert item_of("30.5").model_version.version == "2"
    go_live("3")
    tags_by(monkeypatch, tags_with({}))
    extract(document, kpis())
    queueing.queue_pending()
    assert waiting() == []
    assert {item.state for item in ReviewItem.objects.all()} == {State.GONE}


def test_what_was_settled_does_not_enter_again(monkeypatch: pytest.MonkeyPatch) -> None:
    document = read_document()
    ReviewItem.objects.update(state=State.DONE)
    go_live("2")
    extract(document, kpis())
    queueing.queue_pending()
    assert waiting() == []


def test_another_threshold_changes_what_waits_without_reading_again() -> None:
    read_document()
    spec = kpis().spec
    save_schema({**spec, "thresholds": {**spec["thresholds"], "deliver": 0.98}}, "eve")
    queueing.queue_pending()
    assert ("span", "4.25") in waiting()


def test_items_of_an_amended_document_leave_but_the_one_that_somebody_looks_at(eve) -> None:
    document = read_document()
    other = read_document(TEXT + "Again.")
    held = ReviewItem.objects.filter(document=other)
    held.update(leased_to=eve, leased_until=timezone.now() + timedelta(minutes=5))
    Document.objects.update(superseded_at=timezone.now())
    queueing.queue_pending()
    assert ReviewItem.objects.waiting().get().document == other
    assert item_of("30.5", document=document).state == State.GONE


def test_what_was_said_before_an_amendment_is_proposed_where_the_words_now_stand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document = read_document()
    item = item_of("30.5")
    after = {"label": "py", "start": 12, "end": 26, "text": "$ 30.5 million"}
    Correction.objects.create(
        item=item, kind="span", verdict="move", before=item.proposal, after=after,
        document=document, schema=kpis(), who="eve", who_id=1,
    )  # fmt: skip
    ReviewItem.objects.update(state=State.DONE)
    amended = put("As restated: " + TEXT, supersedes=document)
    Document.objects.filter(pk=document.pk).update(superseded_at=timezone.now())
    tags_by(monkeypatch, tags_with({}))
    extract(amended, kpis())
    queueing.queue_pending()
    moved = ReviewItem.objects.get(document=amended)
    assert (moved.why, moved.label, moved.start) == ("moved", "py", 25)
    assert amended.text[moved.start : moved.end] == "$ 30.5 million"


def test_the_least_certain_and_the_most_used_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    tags_by(monkeypatch, tags_with({"30.5": 0.55, "4.25": 0.85}))
    read_document()
    assert item_of("30.5").value > item_of("4.25").value
    used = put(TEXT + "Cited.")
    ask = Ask.objects.create(text="?", state="answered")
    for ordinal in range(20):
        ask.passages.create(ordinal=ordinal, document=used, start=0, end=4)
    extract(used, kpis())
    queueing.queue_pending()
    assert item_of("4.25", document=used).value > item_of("30.5", document__title="Report 0").value
    assert uncertainty(0.5) == 1 > uncertainty(0.9) > uncertainty(1) == 0


def test_waiting_makes_worth_more_and_at_most_twice_as_much() -> None:
    read_document()
    item = item_of("30.5")
    now = timezone.now()
    assert revalue(now) == 0
    assert revalue(now + timedelta(days=15)) == 1
    assert item_of("30.5").value == pytest.approx(1.5 * item.value, rel=1e-3)
    revalue(now + timedelta(days=400))
    assert item_of("30.5").value == pytest.approx(2 * item.value, rel=1e-3)
