"""The ranker and the weight of the cross-encoder are fitted and scored by company."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from docintel import lightgbm_text
from qa.understood import Understanding
from training.learning.ranker import cross_validated, describe, evenly
from training.learning.ranker_candidates import Group
from training.learning.ranker_fitting import (
    UNITS,
    WEIGHTS,
    fit,
    left_out,
    ndcg,
    times,
    weigh,
    weighed_left_out,
    without,
)
from training.learning.ranker_questions import Mined
from training.learning.rewording import Rewording

CANDIDATES = 20


def group(company: int, number: int, sort: str = "row") -> Group:
    """Of its candidates one answers, which the feature `unit_z` tells and `bm25` does not."""
    chance = np.random.default_rng(company * 100 + number)
    grades = np.zeros(CANDIDATES, dtype=np.int64)
    grades[chance.integers(CANDIDATES)] = 3
    rows = [
        {"bm25": float(chance.random()), "unit_z": float(grade / 3 + chance.normal() * 0.2)}
        for grade in grades
    ]
    lot = chance.random(CANDIDATES)
    mined = Mined(f"question {number}", sort, company, 2022, number)
    return Group(mined, rows, grades, lot, lot, list(range(CANDIDATES)), Understanding(""))


@pytest.fixture(scope="module")
def groups() -> list[Group]:
    return [group(company, number) for company in range(1, 7) for number in range(15)]


def mean(groups: Sequence[Group], scores: Sequence[np.ndarray]) -> float:
    return float(np.mean([ndcg(g.grades, s) for g, s in zip(groups, scores, strict=True)]))


def test_no_company_is_scored_by_a_model_that_saw_it(groups: list[Group]) -> None:
    scored = [at for test, _ in left_out(groups) for at in test]
    assert sorted(scored) == list(range(len(groups)))
    for test, _ in left_out(groups):
        inside = {groups[at].mined.company for at in test}
        assert {at for at, each in enumerate(groups) if each.mined.company in inside} == set(test)


def test_the_ranker_learns_what_units_say_and_does_without(groups: list[Group]) -> None:
    orders = cross_validated(groups)
    assert mean(groups, orders["ranker"]) > mean(groups, orders["before"]) + 0.3
    assert mean(groups, orders["ranker, units withheld"]) < mean(groups, orders["ranker"])
    detail = describe(groups, orders)
    assert detail["companies"] == 6
    assert detail["by_sort"]["row"]["ranker"] == detail["ranker"]
    model = lightgbm_text.read(fit(groups))
    assert set(model.names) == {"bm25", "unit_z"}
    assert all(np.isfinite(model.score(without(groups[0].rows, UNITS))))


def ranked_at(sort: str, place: int | None) -> Group:
    """A question whose answer's units stand there, or have no vectors."""
    made = group(1, 1, sort)
    answer = int(np.argmax(made.grades))
    for at, row in enumerate(made.rows):
        if place is not None:
            row["unit_rank"] = float(np.log1p(place if at == answer else 50 + at))
    return made


def test_a_question_in_other_words_counts_if_its_answer_is_found_by_it() -> None:
    assert times(ranked_at("heading reworded", 10)) == times(ranked_at("retold", 1)) == 2
    assert times(ranked_at("retold", 11)) == times(ranked_at("reworded", None)) == 0
    assert times(ranked_at("sentence", 11)) == times(ranked_at("metric", None)) == 1


def test_the_ranker_hears_no_cosine_as_it_is_and_never_a_nearer_one_as_worse(groups) -> None:
    rows = [{**row, "unit": row["unit_z"], "dense": 0.1} for row in groups[0].rows]
    model = lightgbm_text.read(fit([replace(groups[0], rows=rows), *groups[1:]]))
    assert set(model.names) == {"bm25", "unit_z"}
    for words in (0.1, 0.5, 0.9):
        rising = model.score([{"bm25": words, "unit_z": z} for z in np.linspace(-1, 2, 40)])
        assert np.all(np.diff(rising) >= 0)


def test_the_weight_is_what_the_cross_encoder_is_worth(groups: list[Group]) -> None:
    unknowing = [np.zeros(CANDIDATES) for _ in groups]
    knowing = [each.grades.astype(float) for each in groups]
    assert weigh(groups, unknowing, knowing) > 0
    assert weigh(groups, knowing, [-scores for scores in knowing]) == 0.0
    assert mean(groups, weighed_left_out(groups, unknowing, knowing)) == pytest.approx(1.0)
    unread = [np.full(CANDIDATES, np.nan) for _ in groups]
    assert weigh(groups, knowing, unread) in WEIGHTS


def test_as_many_questions_of_each_sort_are_read() -> None:
    many = [group(1, n, "row") for n in range(9)] + [group(1, n, "heading") for n in range(2)]
    assert evenly(many, 4) == [0, 1, 9, 10]
    assert evenly(many, 6) == [0, 1, 2, 3, 9, 10]
    assert evenly(many, 99) == list(range(11))


def test_a_sentence_is_told_again_in_other_words(monkeypatch: pytest.MonkeyPatch) -> None:
    axes = {"prices": 0, "costs": 0, "rose": 1, "climbed": 1, "sharply": 2, "steeply": 2}

    def embed(words: Sequence[str]) -> np.ndarray:
        made = np.zeros((len(words), 4), dtype=np.float32)
        for at, word in enumerate(words):
            made[at, axes.get(word, 3)] = 1.0
        return made

    monkeypatch.setattr("docintel.encoders.embed", embed)
    sentence = "Our prices rose sharply in 2022 by 12 and this"
    rewording = Rewording([" ".join([*axes] * 5)])
    told = rewording.retold(sentence, random.Random(1))
    assert {"costs", "climbed", "steeply"} <= set(told.split())
    assert not {"prices", "rose", "sharply"} & set(told.split())
    assert not any(character.isdigit() for character in told)
    assert rewording.retold("Our prices fell in a week by a little", random.Random(1)) == ""
    assert rewording.retold("", random.Random(1)) == ""
