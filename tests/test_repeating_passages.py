"""What a better passage says already comes behind all others; another period's table does not."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from reports_corpus import ask, embedder_of_axes, report

from qa.passages import Passage
from qa.ranking.blending import blended, first_order
from qa.ranking.candidates import Entry
from qa.ranking.repeating import COMPARED, repeats_last

RISK = "A storm surge or the loss of its permit would stop the foundry for months on end."
OTHER = "Distributors hold fourteen weeks of parts and would rather hold eleven."
TABLE = "Net sales | 518.5 | 503.4\nGross margin | 37.2 | 38.6\nOperating income | 61.2 | 58.9"
NEXT_TABLE = "Net sales | 541.0 | 518.5\nGross margin | 36.1 | 37.2\nOperating income | 57.7 | 61.2"


def passages(*texts: str, **features: float) -> list[tuple[Entry, float]]:
    features = {"inside": 1.0, "metrics_asked": 0.0, "best_word_coverage": 1.0} | features
    return [
        (Entry(Passage(pk, pk, 0, len(text), 1, 1, "", text, 0.0), 0.0, features), float(-pk))
        for pk, text in enumerate(texts)
    ]


def ids(order: list[tuple[Entry, float]]) -> list[int]:
    return [entry.passage.chunk_id for entry, _ in order]


def test_a_repeat_comes_behind_all_others() -> None:
    again = RISK.replace("months", "weeks")
    assert ids(repeats_last(passages(RISK, again, OTHER, again, "Freight fell."))) == [
        0,
        2,
        4,
        1,
        3,
    ]


def test_nothing_is_lost_and_the_first_of_equals_stands() -> None:
    assert ids(repeats_last(passages(*[RISK] * 4))) == [0, 1, 2, 3]
    assert repeats_last([]) == []
    assert ids(repeats_last(passages("", "", "—"))) == [0, 1, 2]


def test_the_same_statement_of_another_period_is_no_repeat() -> None:
    later = NEXT_TABLE.replace("518.5", "541.9").replace("37.2", "36.4").replace("61.2", "57.1")
    assert ids(repeats_last(passages(TABLE, later, OTHER))) == [0, 1, 2]


def test_where_a_metric_is_asked_for_the_next_years_statement_stays() -> None:
    order = passages(TABLE, NEXT_TABLE, OTHER)
    assert ids(first_order(order)) == [0, 2, 1]
    assert ids(first_order(passages(TABLE, NEXT_TABLE, OTHER, metrics_asked=1.0))) == [0, 1, 2]


def test_one_other_figure_makes_another_statement_and_another_year_does_not() -> None:
    said = "At the end of fiscal 2023 the pump was in use at 2,200 hospitals of the country."
    grown = said.replace("2,200", "2,300")
    dated = said.replace("2023", "2024")
    assert ids(repeats_last(passages(said, grown, dated, OTHER))) == [0, 1, 3, 2]


@pytest.mark.parametrize("suits", ["inside", "prior"])
def test_what_the_period_asked_for_says_is_no_repeat_of_another_period(suits: str) -> None:
    other, _, last = (entry for entry, _ in passages(RISK, RISK, OTHER, **{suits: 0.0}))
    asked = passages(RISK, RISK, **{suits: 1.0})[1][0]
    assert ids(repeats_last([(other, 2.0), (asked, 1.0), (last, 0.0)])) == [0, 1, 2]
    assert ids(repeats_last([(asked, 2.0), (other, 1.0), (last, 0.0)])) == [1, 2, 0]


def test_what_stands_far_behind_is_left_where_it_is() -> None:
    apart = [f"word{n} alone{n}" for n in range(COMPARED)]
    order = ids(repeats_last(passages(apart[0], *apart[:-1], RISK, RISK)))
    assert order == [0, *range(2, COMPARED + 2), 1]


def test_what_repeats_is_not_read_first_and_places_keep_their_scores() -> None:
    order = passages(RISK, RISK, OTHER)
    first = first_order(order)
    assert ids(first) == [0, 2, 1]
    made = blended(first, {0: 1.0, 2: 1.0, 1: 9.0}, 2.0)
    assert ids(made) == [1, 2, 0]
    assert [score for _, score in made] == [0.0, -1.0, -2.0]


@pytest.mark.django_db
def test_what_two_reports_say_alike_is_offered_once_before_the_rest(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = embedder_of_axes(monkeypatch)
    said = "Freight from overseas yards may be held up by storms, strikes or closed canals."
    other = "Freight rates are agreed with three haulers who may end the agreement at will."
    for year in (2022, 2023):
        report("Halden Mills", year, said, other, embedder=embedder)
    found = ask("What could go wrong with freight at Halden Mills?", alice)
    texts = [each.passage.text.strip() for each in found.passages]
    assert texts.count(said) == texts.count(other) == 2
    assert len(set(texts[:5])) == 5
