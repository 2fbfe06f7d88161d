"""Synonyms learned from the corpus: mined, embedded, stored, looked up; expansions weigh less."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from docintel import activity, encoders
from docintel.models import Activity
from ingestion.models import Document
from qa.models import LearnedSynonym
from qa.question import learned_synonyms
from qa.question.learned_synonyms import (
    ENOUGH_DOCUMENTS,
    frequent_terms,
    learn,
    learn_if_due,
    neighbours,
)
from qa.understanding import understand
from tests.small_corpus import document, source

TEXT = (
    "Our supplier shortages and component scarcity hurt results. The supplier shortages went on, "
    "and component scarcity too. Vendor shortfalls, or supplier shortages, raised freight costs; "
    "the shipping costs rose with freight costs. Those shipping costs were high."
)


@pytest.fixture
def corpus(db: None) -> None:
    for number in range(ENOUGH_DOCUMENTS):
        document([f"{TEXT} Part {number}."])


def test_terms_are_phrases_that_several_documents_write_small() -> None:
    texts = [
        (n, "net sales rose and Acme Widget Corp said that freight costs fell") for n in (1, 2, 3)
    ]
    terms = frequent_terms(texts)
    assert {"net sales", "freight costs"} <= set(terms)
    assert not {"acme widget", "that freight", "costs fell and"} & set(terms)
    assert frequent_terms(texts[:2]) == []


def test_near_terms_are_learned_and_used_below_the_thesaurus(corpus: None, alice: User) -> None:
    stored = learn()
    assert stored == LearnedSynonym.objects.count() > 0
    assert set(LearnedSynonym.objects.values_list("embedder", flat=True)) == {
        encoders.live_embedder().pk
    }
    near = neighbours("what of freight costs?")
    assert any("shipping" in term for term, _ in near["freight costs"])
    rows = understand("what of freight costs?", alice).expansions
    learned = [row for row in rows if row.why.startswith("learned")]
    listed = [row for row in rows if row.why.startswith("thesaurus")]
    assert learned
    assert listed
    assert max(r.weight for r in learned) < min(r.weight for r in listed) < 1


def test_learning_again_replaces_and_waits_a_week(corpus: None) -> None:
    Document.objects.update(embedder=encoders.live_embedder(), embedded_at=timezone.now())
    first = learn_if_due()
    assert first > 0
    assert learn_if_due() == 0
    LearnedSynonym.objects.update(
        learned_at=timezone.now() - learned_synonyms.AGAIN_AFTER - timedelta(hours=1)
    )
    assert learn_if_due() == first == LearnedSynonym.objects.count()


def test_nothing_is_learned_while_documents_wait_for_their_vectors(corpus: None) -> None:
    assert learn_if_due() == 0
    assert not LearnedSynonym.objects.exists()


def test_nothing_is_learned_from_hidden_documents(db: None) -> None:
    for number in range(ENOUGH_DOCUMENTS):
        document([f"{TEXT} Part {number}."], origin=source("Vault", "expert"))
    assert learn() == 0


def test_words_of_the_question_are_not_added_again(alice: User, db: None) -> None:
    terms = [
        row.term.lower() for row in understand("capital expenditures and capex", alice).expansions
    ]
    assert "capital expenditures" not in terms
    assert "purchases of property, plant and equipment" in terms


def test_words_of_earlier_questions_weigh_more_for_who_asked_them(
    alice: User, bob: User, db: None
) -> None:
    question = "Where do cost pressures show?"
    before = {row.term: row.weight for row in understand(question, alice).expansions}
    activity.record(alice, activity.ASKED, text="What of margin compression at Acme?")
    after = {row.term: row for row in understand(question, alice).expansions}
    own = after["margin compression"]
    assert before["margin compression"] < own.weight < 1
    assert "own words" in own.why
    others = {term: row.weight for term, row in after.items() if term != "margin compression"}
    assert others.items() <= before.items()
    assert {row.term: row.weight for row in understand(question, bob).expansions} == before


def test_what_was_asked_long_ago_weighs_nothing(alice: User, db: None) -> None:
    activity.record(alice, activity.ASKED, text="What of margin compression at Acme?")
    Activity.objects.update(at=timezone.now() - activity.LATELY - timedelta(hours=1))
    rows = understand("Where do cost pressures show?", alice).expansions
    assert not [row for row in rows if "own words" in row.why]
