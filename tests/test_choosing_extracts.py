"""Which sentences an extractive answer takes: of each company or period, named, announced."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from small_corpus import document

from docintel import encoders
from ingestion.models import Chunk, Document, UnitVectors
from ingestion.sentence_windows import windows
from ingestion.unit_vectors import packed
from qa.composing import compose
from qa.extractive import scoring_units
from qa.extractive.asked_kinds import asked_for
from qa.extractive.cutting_units import units
from qa.extractive.extracting_answers import SYNTHESIS_SENTENCES, extract
from qa.extractive.unit_features import read_question
from qa.offering import Offered, offer
from qa.passages import Passage

pytestmark = pytest.mark.django_db


def offered(user: User, *rows: Document) -> list[Offered]:
    passages = []
    for row in rows:
        chunk = Chunk.objects.get(document=row)
        passages.append(
            Passage(chunk.pk, row.pk, chunk.start, chunk.end, 1, 1, "", chunk.text, 1.0)
        )
    return offer(passages, user)


def asked(**told: Any) -> SimpleNamespace:
    fields = {"companies": [], "periods": [], "metrics": [], "comparison": False}
    return SimpleNamespace(**(fields | {"temporal": False} | told))


LONG = " ".join(f"Freight cost us {n} million more in plant {n}." for n in range(10, 30))


def test_a_comparison_gives_each_company_its_share(alice: User) -> None:
    many = document([LONG], company="Halden Motion", fiscal_year=2024)
    one = document(["Rail rates fell, and so did our bill."], company="Kestrin", fiscal_year=2024)
    found = extract(
        "Compare what freight cost.", asked(comparison=True), offered(alice, many, one),
        route="synthesis",
    )  # fmt: skip
    shown = [each for each in found if not each.spare]
    assert {each.group for each in shown} == {"Halden Motion", "Kestrin"}
    assert len(shown) <= SYNTHESIS_SENTENCES + 2


def test_the_same_words_of_two_companies_are_two_statements(alice: User) -> None:
    rows = [
        document([f"The accounts of {name} were audited by Marchetti."], company=name)
        for name in ("Halden Motion", "Kestrin Biologics")
    ]
    found = compose(
        "Which companies are audited by Marchetti?", None, offered(alice, *rows), route="synthesis"
    )
    assert {s.text for s in found.sentences} == {
        "The accounts of Halden Motion were audited by Marchetti.",
        "The accounts of Kestrin Biologics were audited by Marchetti.",
    }


def test_a_sentence_that_names_a_company_comes_first_where_one_is_asked_for(alice: User) -> None:
    text = "The fire hurt the trade for a year. The fire also hurt Halden Motion in the spring."
    row = document([text], company="Halden Motion")
    question = "Which companies were hurt by the fire?"
    assert asked_for(question).company
    assert not asked_for("Which plants were hurt by the fire?").company
    ranked = scoring_units.rank(question, None, offered(alice, row))
    assert ranked[0].unit.shown.startswith("The fire also")


def test_a_wide_answer_does_not_stop_behind_one_good_sentence(alice: User) -> None:
    text = (
        "Events of the year were many. A press stood still in May. The mill was sold. "
        "A new plant opened in Reno. Wages rose by a tenth."
    )
    row = document([text], company="Halden Motion", fiscal_year=2024)
    found = compose(
        "Summarize the events of the year.", None, offered(alice, row), route="synthesis"
    )
    assert len(found.sentences) == 5


def test_what_a_sentence_announces_may_begin_it(alice: User) -> None:
    text = "Two events shaped the year. A mill burned in May. We sold a plant. Wages rose."
    row = document([text], company="Halden Motion", fiscal_year=2024)
    found = compose("What are the events of the year?", None, offered(alice, row), route="factual")
    assert [s.text for s in found.sentences][:3] == [
        "Two events shaped the year.",
        "A mill burned in May.",
        "We sold a plant.",
    ]


def test_the_row_of_a_segment_is_asked_for_by_name(alice: User) -> None:
    text = (
        "Net sales by segment (in millions)\n3 mo. Jun 2024 | 3 mo. Jun 2023\n"
        "Breakfast | 208.1 | 226.4\nSnacks | 191.9 | 189.5\nTotal net sales | 480.6 | 492.7\n"
    )
    row = document([text], company="Marlow Foods", fiscal_year=2024)
    question = "What were the net sales of the Breakfast segment?"
    ranked = scoring_units.rank(question, None, offered(alice, row))
    best = {each.unit.shown.split(" | ")[0]: each.metric for each in ranked}
    assert best["Breakfast"] == 1.0
    assert best["Breakfast"] > best["Snacks"]


def test_a_question_is_compared_without_the_names_and_periods_it_asks_about() -> None:
    name = SimpleNamespace(id=1, start=9, end=15)
    question = "What did Halden's plants cost in 2024?"
    assert read_question(question, asked(companies=[name])).bare == "What did plants cost in ?"


def make_units(row: Document) -> None:
    chunk = Chunk.objects.get(document=row)
    spans = windows(row.text, chunk.start, chunk.end)
    vectors = encoders.embed([row.text[low:high] for low, high in spans])
    UnitVectors.objects.create(
        chunk=chunk,
        embedder=encoders.live_embedder(),
        starts=[low for low, _ in spans],
        ends=[high for _, high in spans],
        vectors=packed(vectors),
    )


def test_sentences_beside_a_near_one_are_raised_by_what_they_are_told_with(alice: User) -> None:
    text = (
        "We changed how orders are reviewed. Sellers confirm each quarter that there is no "
        "other promise. Finance asks the carrier. "
    ) + " ".join(f"The weather in week {n} was mild and dry." for n in range(12))
    row = document([text], company="Halden Motion", fiscal_year=2024)
    question = "What was changed in the review of orders?"
    before = {r.place: r.score for r in scoring_units.rank(question, None, offered(alice, row))}
    make_units(row)
    after = {r.place: r.score for r in scoring_units.rank(question, None, offered(alice, row))}
    assert after[1] > before[1]
    assert after[1] - before[1] > after[10] - before[10]


def test_a_labelled_figure_on_a_line_of_its_own_is_a_unit() -> None:
    text = "At a glance\nCoverage Corvane\nRating Buy\nPrice target $16\nPublished February 1\n"
    assert "Price target $16" in [unit.shown for unit in units(text, 0, len(text))]


def test_a_signature_before_the_titles_of_a_statement_stays_with_its_sentence() -> None:
    text = (
        "In our opinion the accounts present fairly the position of Corvane at June 30, 2024, "
        "and its cash flows for the year then\nended. Marchetti & Dunn LLP\n"
        "Consolidated Statements of Income\n(in millions, except per share data)\n"
    )
    found = units(text, 0, len(text))
    assert [unit.shown[-18:] for unit in found] == ["Marchetti & Dunn LLP"[-18:]]
    assert text[found[0].start : found[0].end].endswith("Marchetti & Dunn LLP")
