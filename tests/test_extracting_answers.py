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
from qa.cutting_units import units
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
