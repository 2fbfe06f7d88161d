"""An answer is repeated for the same question only, and only while nothing bears on it anew."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.utils import timezone
from near_questions import different, same
from small_corpus import document, source

from docintel.models import ModelVersion
from ingestion.lexical import refresh_statistics
from ingestion.metadata import company_key
from ingestion.models import Company, Document, Mention, Topic
from qa import caching
from qa.answer_tables import Ask
from qa.asking import ask
from qa.models import CachedAnswer, LearnedSynonym
from qa.routing import route
from qa.understanding import understand
from tests.question_gold import CATALOGUE

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = "What was the gross margin of Halden Motion in FY2024?"
PASSAGES = [
    "Halden Motion reports for fiscal 2024.",
    "Gross margin of Halden Motion decreased to 37.2% in fiscal 2024 from 38.6% a year earlier.",
]


def key_of(question: str, user: User, **options: Any) -> caching.Key:
    understood = understand(question, user, as_of=options.pop("as_of", date(2026, 11, 21)))
    options = {"page": {}, "removed": (), **options}
    key = caching.Key.of(understood, user, route=route(question).tier, **options)
    assert key is not None
    return key


def hits(one: caching.Key, other: caching.Key) -> bool:
    near = 1 - float(one.vector @ other.vector) <= caching.MOST_DISTANCE
    return one.digest == other.digest and near


def test_near_questions_never_share_an_answer_and_equal_ones_do(alice: User) -> None:
    for ticker, name in CATALOGUE.items():
        Company.objects.create(name=name, ticker=ticker, key=company_key(name))
    keys: dict[str, caching.Key] = {}

    def key(question: str) -> caching.Key:
        if question not in keys:
            keys[question] = key_of(question, alice)
        return keys[question]

    pairs = different()
    assert len(pairs) >= 200
    assert [pair for pair in pairs if hits(key(pair[0]), key(pair[1]))] == []
    # By the vectors alone many would have been taken for the same question.
    close = [p for p in pairs if 1 - float(key(p[0]).vector @ key(p[1]).vector) <= 0.05]
    assert len(close) >= 20
    missed = [pair for pair in same() if not hits(key(pair[0]), key(pair[1]))]
    print(f"{len(pairs)} different, {len(close)} of them near; missed {missed}")
    assert len(missed) <= 0.1 * len(same())


@pytest.fixture
def answered(alice: User) -> Ask:
    halden()
    row = ask(QUESTION, alice)
    assert row.state == "answered"
    assert CachedAnswer.objects.filter(ask=row).exists()
    return row


def halden(text: str = "", **fields: Any) -> Document:
    values = {"company": "Halden Motion", "fiscal_year": 2024, "kind": "annual_report", **fields}
    row = document([*PASSAGES, text] if text else PASSAGES, **values)
    refresh_statistics()
    return row


def test_a_repeat_is_a_row_of_its_own_with_the_same_sentences(answered: Ask, bob: User) -> None:
    heard: list[tuple[str, dict[str, Any]]] = []
    row = ask(f"Please: {QUESTION.lower()}", bob, on_event=lambda *event: heard.append(event))
    assert (row.cached_from, row.state, row.asker) == (answered, "answered", bob)
    assert row.receipt["cache"]["hit"] is True
    assert row.receipt["cache"]["age_seconds"] >= 0
    assert [name for name, _ in heard if name != "sentence"] == ["understood", "route", "done"]
    texts = [data["text"] for name, data in heard if name == "sentence"]
    assert texts == [s.text for s in answered.sentences.filter(state="kept")] != []
    assert row.sentences.count() == len(texts)
    # And a repeat is not repeated from.
    assert ask(QUESTION, bob).cached_from == answered


def test_again_asks_anew(answered: Ask, alice: User) -> None:
    anew = ask(QUESTION, alice, again=True)
    assert anew.cached_from is None
    assert ask(QUESTION, alice).cached_from == anew


def comes(answered: Ask) -> None:
    halden("A second report.")


def mentions(answered: Ask) -> None:
    row = document(["Rivals of Halden gain."], company="Other Works")
    other = Company.objects.get(name="Halden Motion")
    recogniser = ModelVersion.objects.create(name="tagger", version="1", digest="0")
    Mention.objects.create(
        document=row, start=10, end=16, kind="company", name="Halden", company=other,
        recogniser=recogniser,
    )  # fmt: skip


def of_nobody(answered: Ask) -> None:
    document(["Margins everywhere."])


def amended(answered: Ask) -> None:
    later = halden("As amended.")
    row = Document.objects.exclude(pk=later.pk).get()
    Document.objects.filter(pk=row.pk).update(superseded_at=timezone.now())


def withdrawn(answered: Ask) -> None:
    Document.objects.update(withdrawn_at=timezone.now())


def dated_anew(answered: Ask) -> None:
    Document.objects.update(fiscal_year=2023)


def hidden(answered: Ask) -> None:
    Document.objects.get().source.groups.add(Group.objects.create(name="deal team"))


@pytest.mark.parametrize(
    "change", [comes, mentions, of_nobody, amended, withdrawn, dated_anew, hidden]
)
def test_what_bears_on_the_answer_ends_it(answered: Ask, alice: User, change: Any) -> None:
    assert ask(QUESTION, alice).cached_from == answered
    change(answered)
    assert ask(QUESTION, alice).cached_from is None


def test_a_document_of_another_company_does_not(answered: Ask, alice: User) -> None:
    document(["Nothing about it."], company="Other Works")
    assert ask(QUESTION, alice).cached_from == answered


def received(answered: Ask) -> None:
    # What has just come is of no known company until it is parsed.
    row = document(["Not read yet."])
    Document.objects.filter(pk=row.pk).update(parsed_at=None, searchable_at=None, embedded_at=None)


def given_up(answered: Ask) -> None:
    received(answered)
    Document.objects.filter(searchable_at=None).update(quarantined_at=timezone.now())


def learned(answered: Ask) -> None:
    embedder = ModelVersion.objects.get(name="embedder", state="live")
    LearnedSynonym.objects.create(
        term="gross margin", neighbour="spread", similarity=0.9, embedder=embedder
    )
    added = understand(QUESTION, AnonymousUser()).expansions
    assert "spread" in {term.term for term in added}


def classified(answered: Ask) -> None:
    classifier = ModelVersion.objects.create(name="topics", version="1", digest="0", state="live")
    topic = Topic.objects.get(key="mergers")
    Document.objects.get().topics.create(topic=topic, probability=0.9, classifier=classifier)


@pytest.mark.parametrize("change", [received, given_up, learned, classified])
def test_work_in_the_background_does_not(answered: Ask, alice: User, change: Any) -> None:
    change(answered)
    assert ask(QUESTION, alice).cached_from == answered


def test_it_is_not_for_who_sees_other_sources(alice: User, bob: User, eve: User) -> None:
    document(["For the experts."], company="Elsewhere", origin=source("Vault", "expert"))
    halden()
    theirs = ask(QUESTION, eve)
    mine = ask(QUESTION, alice)
    assert mine.cached_from is None
    assert ask(QUESTION, bob).cached_from == mine
    assert ask(QUESTION, eve).cached_from == theirs


def test_filters_chips_and_the_day_must_agree(alice: User) -> None:
    document(PASSAGES, company="Halden Motion", fiscal_year=2024)
    first = key_of(QUESTION, alice)
    assert key_of(QUESTION, alice).digest == first.digest
    assert key_of(QUESTION, alice, page={"kinds": ["news"]}).digest != first.digest
    assert key_of(QUESTION, alice, removed=("metric:gross-margin",)).digest != first.digest
    tomorrow = date(2026, 11, 22)
    assert key_of(QUESTION, alice, as_of=tomorrow).digest == first.digest
    relative = "What was Halden Motion's revenue in the last quarter?"
    assert key_of(relative, alice, as_of=tomorrow).digest != key_of(relative, alice).digest


def test_the_vector_must_agree_too_and_age_ends_it(answered: Ask, alice: User) -> None:
    kept = CachedAnswer.objects.get()
    before = kept.embedding
    kept.embedding = np.roll(np.asarray(before), 7)
    kept.save()
    assert ask(QUESTION, alice).cached_from is None
    CachedAnswer.objects.filter(pk=kept.pk).update(
        embedding=before, created_at=timezone.now() - timedelta(days=400)
    )
    CachedAnswer.objects.exclude(pk=kept.pk).delete()
    assert ask(QUESTION, alice).cached_from is None
    assert caching.forget_old() == 1


def test_only_answers_are_kept(alice: User) -> None:
    halden()
    assert ask("What is the airspeed of a swallow in Kyoto?", alice).state == "not_found"
    assert not CachedAnswer.objects.exists()
