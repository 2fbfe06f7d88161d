# ruff: noqa: E501
"""Answers in the documents' own words: sentences and rows that verify, in groups where asked."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from small_corpus import document

from ingestion.models import Chunk
from qa.checking.evidence import Header, Source
from qa.composing import compose
from qa.extractive.cutting_units import units
from qa.offering import Offered, offer
from qa.passages import Passage
from qa.verifying import Drafted, Verified, verify

STATEMENT = """Consolidated Statements of Cash Flows
(in millions, except per share data; unaudited)
3 mo. Mar 2024 3 mo. Mar 2023
Net income $ 40.4 $ 42.8
Change in inventories (30.5) (5.6)
Capital expenditures (19.0) (18.0)
Diluted earnings per share $0.65 $0.69
The figures above are condensed. Freight fell by 5% in
the quarter, as Mr. Lund of Acme Inc. had promised.
"""
PIPES = """Additions (in thousands)
 | 2022 | 2021
Purchases of property, plant and equipment | (1,749) | (1,373)
"""


def test_rows_and_sentences_are_cut_and_verify() -> None:
    shown = {}
    for text in (STATEMENT, PIPES):
        source = Source(1, text, 0, len(text), Header("Halden", fiscal_year=2024))
        for unit in units(text, 0, len(text)):
            quote = text[unit.start : unit.end]
            found = verify(Drafted(unit.shown, (("p1", quote),)), {"p1": source})
            shown[unit.shown] = isinstance(found, Verified) or found.reason
    assert shown == {
        "Net income | 3 mo. Mar 2024: $ 40.4 | 3 mo. Mar 2023: $ 42.8 | in millions": True,
        "Change in inventories | 3 mo. Mar 2024: (30.5) | 3 mo. Mar 2023: (5.6) | in millions": True,
        "Capital expenditures | 3 mo. Mar 2024: (19.0) | 3 mo. Mar 2023: (18.0) | in millions": True,
        "Diluted earnings per share | 3 mo. Mar 2024: $0.65 | 3 mo. Mar 2023: $0.69": True,
        "The figures above are condensed.": True,
        "Freight fell by 5% in the quarter, as Mr. Lund of Acme Inc. had promised.": True,
        "Purchases of property, plant and equipment | 2022: (1,749) | 2021: (1,373) | in thousands": True,
    }  # fmt: skip


GROUPED = """Net sales information is as follows (in millions):
Year Ended December 31,
2018 | 2019
Net Sales:
North America | $141,366 | $170,773
Consolidated | $232,887 | $280,522
Year-over-year Percentage Growth:
North America | 33% | 21%
"""


def test_a_total_stands_under_the_name_of_its_group() -> None:
    shown = {unit.shown: unit for unit in units(GROUPED, 0, len(GROUPED))}
    assert list(shown) == [
        "North America | 2018: $141,366 | 2019: $170,773 | in millions",
        "Net Sales: Consolidated | 2018: $232,887 | 2019: $280,522 | in millions",
        "North America | 2018: 33% | 2019: 21%",
    ]
    source = Source(1, GROUPED, 0, len(GROUPED), Header("Amazon"))
    for text, unit in shown.items():
        quotes = [GROUPED[unit.start : unit.end]]
        if unit.group is not None and text.startswith("Net Sales:"):
            quotes.append(GROUPED[slice(*unit.group)])
        drafted = Drafted(text, tuple(("p1", quote) for quote in quotes))
        assert isinstance(verify(drafted, {"p1": source}), Verified), text


@pytest.mark.django_db
def test_the_metric_of_the_asked_year_comes_before_another_metric(alice: User) -> None:
    text = (
        "Net sales rose to $48 million in 2023. Capital expenditures were $6 million in 2023. "
        "Capital expenditures were $9 million in 2022. See Note 4 for capital expenditures."
    )
    row = document([text], company="Halden Motion", fiscal_year=2023)
    chunk = Chunk.objects.get(document=row)
    passage = Passage(chunk.pk, row.pk, chunk.start, chunk.end, 1, 1, "", chunk.text, 1.0)
    found = compose(
        "What were capital expenditures in 2023?", None, offer([passage], alice), route="factual"
    )
    assert found.sentences[0].text == "Capital expenditures were $6 million in 2023."


@pytest.mark.parametrize(
    "shown",
    [
        "Capital expenditures | 3 mo. Mar 2024: (19.0) | 3 mo. Mar 2023: (18.0) | in thousands",
        "Capital expenditures | 3 mo. Mar 2024: (18.0) | 3 mo. Mar 2023: (19.0) | in millions",
        "Net income | 3 mo. Mar 2024: (19.0) | 3 mo. Mar 2023: (18.0) | in millions",
        "Capital expenditures | 3 mo. Mar 2022: (19.0) | in millions",
    ],
)
def test_a_row_shown_wrongly_is_dropped(shown: str) -> None:
    source = Source(1, STATEMENT, 0, len(STATEMENT), Header("Halden", fiscal_year=2024))
    quote = "Capital expenditures (19.0) (18.0)"
    assert not isinstance(verify(Drafted(shown, (("p1", quote),)), {"p1": source}), Verified)


def two_years(user: User) -> list[Offered]:
    passages = []
    for year, text in ((2024, "Gross margin fell to 37%."), (2023, "Gross margin was 41%.")):
        row = document([text], company="Halden Motion", fiscal_year=year)
        chunk = Chunk.objects.get(document=row)
        passages.append(
            Passage(chunk.pk, row.pk, chunk.start, chunk.end, 1, 1, "", chunk.text, 1.0)
        )
    return offer(passages, user)


@pytest.mark.django_db
def test_a_question_over_time_is_answered_by_period(alice: User) -> None:
    asked = SimpleNamespace(companies=[], periods=[], metrics=[], comparison=False, temporal=True)
    found = compose("How did gross margin change?", asked, two_years(alice), route="synthesis")
    assert [(s.group, s.text) for s in found.sentences] == [
        ("FY2023", "Gross margin was 41%."),
        ("FY2024", "Gross margin fell to 37%."),
    ]
    assert found.scores.sentence is not None


@pytest.mark.django_db
def test_nothing_offered_is_not_found(alice: User) -> None:
    assert not compose("Anything?", None, offer([], alice), route="factual").found


def of_one_text(text: str, user: User) -> list[Offered]:
    row = document([text], company="Halden Motion", fiscal_year=2024)
    chunk = Chunk.objects.get(document=row)
    return offer(
        [Passage(chunk.pk, row.pk, chunk.start, chunk.end, 1, 1, "", chunk.text, 1.0)], user
    )


SEGMENTS = (
    "We sell through three reportable segments. Motion Control makes drives. Power Transmission "
    "makes gearboxes. Aftermarket sells what wears. The winter was mild, and so was the spring."
)


@pytest.mark.django_db
def test_what_a_sentence_announces_comes_with_it(alice: User) -> None:
    found = compose(
        "What are the reportable segments?", None, of_one_text(SEGMENTS, alice), route="factual"
    )
    told = [sentence.text for sentence in found.sentences]
    assert told[:4] == [
        "We sell through three reportable segments.",
        "Motion Control makes drives.",
        "Power Transmission makes gearboxes.",
        "Aftermarket sells what wears.",
    ]


@pytest.mark.django_db
def test_the_month_asked_for_comes_before_another(alice: User) -> None:
    text = (
        "We lost 4 million of sales in June because a press stood still. "
        "We lost 9 million of sales in February because a press stood still."
    )
    found = compose(
        "Why were sales lost in February?", None, of_one_text(text, alice), route="factual"
    )
    assert "in February" in found.sentences[0].text
