"""The judgement of "not found": what it looks at, what it says, and whose documents it counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from fresh_process import loaded
from reading_corpus import library, vault

from ingestion.models import Company, Document
from qa.answerable import Verdict, features, is_surely_absent, judge, keep, model_of
from qa.ml import answerable
from qa.ml.answerable import FEATURES, BadModel
from qa.offering import offer
from qa.retrieval import search
from qa.understanding import understand

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def corpus(settings: Any, tmp_path: Path, transactional_db: None) -> None:
    settings.MEDIA_ROOT = tmp_path
    library(embed=True)


def judged(question: str, user: User) -> Verdict:
    understanding = understand(question, user)
    found = search(question, user, understanding.scope()).passages
    found = found or search(question, user).passages
    return judge(understanding, offer(found[:10], user), user)


def test_what_the_documents_say_is_answerable(corpus: None, alice: User) -> None:
    verdict = judged("Why did the gross margin of Tidewater Foods narrow in fiscal 2024?", alice)
    assert verdict.answerable
    assert verdict.why == ""
    assert verdict.features["coverage_best"] == 1.0
    assert verdict.features["period_not_covered"] == 0.0


def test_near_misses_are_refused_with_the_reason(corpus: None, alice: User) -> None:
    Company.objects.create(key="globex", name="Globex Corporation")
    far = judged("What was the gross margin of Tidewater Foods in FY2015?", alice)
    assert (far.answerable, far.why) == (
        False,
        "No document of Tidewater Foods that reports FY2015 is here.",
    )
    ahead = judged("What were the freight costs of Tidewater Foods in FY2039?", alice)
    assert not ahead.answerable
    assert "FY2039 has not begun" in ahead.why
    absent = judged("What was the gross margin of Globex Corporation?", alice)
    assert (absent.answerable, absent.why) == (False, "No document of Globex Corporation is here.")
    unknown = judged("What was the gross margin at Zzyxquantum Holdings in 2024?", alice)
    assert not unknown.answerable
    assert "“Zzyxquantum" in unknown.why
    outside = judged("How many moons does the planet Jupiter have?", alice)
    assert not outside.answerable
    assert "moons" in outside.why
    metric = judged("How many satellites did Tidewater Foods launch in fiscal 2024?", alice)
    assert not metric.answerable
    assert "satellites" in metric.why


def test_a_person_s_private_particulars_are_refused(corpus: None, alice: User) -> None:
    verdict = judged("What is the home address of the chief executive of Tidewater Foods?", alice)
    assert (verdict.answerable, verdict.features["private"]) == (False, 1.0)
    question = "Does Tidewater Foods sell soups for children?"
    assert features(understand(question, alice), [], alice)["private"] == 0.0


def test_nothing_found_is_never_answerable(corpus: None, alice: User) -> None:
    verdict = judge(understand("Freight costs of Tidewater Foods", alice), [], alice)
    assert (verdict.answerable, verdict.clearly_not, verdict.probability) == (False, True, 0.0)
    assert verdict.why


def test_steps_that_found_companies_are_not_weighed_as_one(corpus: None, alice: User) -> None:
    question = "How many satellites did Tidewater Foods launch for freight in fiscal 2024?"
    understanding = understand(question, alice)
    offered = offer(search(question, alice).passages[:10], alice)
    assert not judge(understanding, offered, alice).answerable
    verdict = judge(understanding, offered, alice, followed=True)
    assert (verdict.answerable, verdict.why) == (True, "")
    assert not judge(understanding, [], alice, followed=True).answerable


def test_words_that_no_document_has_are_unheard(corpus: None, alice: User) -> None:
    for question in ("qwfp zxcv arst", "Find documents about fnord blarghification"):
        verdict = judged(question, alice)
        assert verdict.unheard
        assert verdict.is_absent
        assert verdict.clearly_not
    for question in ("Find documents about freight blarghification", "Freight?", "in 2024"):
        assert not judged(question, alice).unheard


def test_what_is_surely_absent_needs_no_weighing(corpus: None, alice: User) -> None:
    Company.objects.create(key="globex", name="Globex Corporation")
    for question, absent in (
        ("What was the gross margin of Tidewater Foods in FY2015?", True),
        ("What was the gross margin of Globex Corporation?", True),
        ("What was the gross margin of Tidewater Foods in FY2024?", False),
        ("How many moons does the planet Jupiter have?", False),
    ):
        understanding = understand(question, alice)
        offered = offer(search(question, alice).passages[:10], alice)
        assert is_surely_absent(understanding, offered, alice) is absent
        assert is_surely_absent(understanding, [], alice)


def test_documents_that_one_may_not_see_cover_no_period(
    corpus: None, alice: User, bob: User
) -> None:
    hidden = vault(bob)
    Document.objects.filter(pk=hidden.pk).update(fiscal_year=2019)
    question = "What did Hidden Holdings pay for freight in fiscal 2019?"
    assert judged(question, bob).features["period_not_covered"] == 0.0
    blind = judged(question, alice)
    assert not blind.answerable
    assert blind.features["period_not_covered"] == 1.0
    assert "secret" not in blind.why


def test_what_is_expected_of_a_period_is_told_in_the_year_before(corpus: None, alice: User) -> None:
    Document.objects.filter(fiscal_year=2024).update(published_on="2025-02-12")
    for question, told in (
        ("What freight costs does Tidewater Foods expect for fiscal 2025?", True),
        ("How will freight costs of Tidewater Foods develop in the first quarter of 2025?", True),
        ("What were the freight costs of Tidewater Foods in fiscal 2025?", False),
        ("What freight costs does Tidewater Foods expect for fiscal 2026?", False),
        ("What did Tidewater Foods say in its release of February 2025?", True),
        ("What did Tidewater Foods say in its release of April 2025?", False),
    ):
        assert judged(question, alice).features["period_not_covered"] == (0.0 if told else 1.0)


def test_odd_questions_are_judged_too(corpus: None, alice: User) -> None:
    for question in ("?", "the of and", "利润", "x" * 1_900, "SELECT * FROM t; --", "in 2024"):
        verdict = judge(understand(question, alice), [], alice)
        assert not verdict.answerable


def test_numbers_that_are_no_model_are_refused_and_change_nothing(db: None) -> None:
    good = json.loads(answerable.BUNDLED.read_text())
    row = good["models"][""]
    short, still = row["weights"][:-1], [0.0] * len(FEATURES)
    bad: list[dict[str, Any]] = [
        {},
        {**good, "format": 2},
        {**good, "features": good["features"][::-1]},
        {**good, "models": {}},
        {**good, "models": {"": {**row, "weights": short}}},
        {**good, "models": {"": {**row, "deviations": still}}},
        {**good, "models": {"": {**row, "least": 1.5}}},
        {**good, "models": {"": {**row, "clearly_below": 0.99, "least": 0.5}}},
        {**good, "models": {"": {**row, "intercept": float("nan")}}},
        {**good, "models": {"": "no"}},
    ]
    for numbers in bad:
        with pytest.raises(BadModel):
            keep(numbers, "bad", "0" * 64)
    kept = keep(good, "good", "1" * 64)
    assert kept.state == "candidate"
    assert np.array_equal(model_of(kept).weights, model_of(None).weights)


def test_judging_loads_no_learning_library() -> None:
    code = "from qa import answerable\nfrom qa.ml import answerable as numbers\nnumbers.bundled()"
    assert loaded(code, ("sklearn", "scipy", "torch")) == []


def test_more_of_what_is_asked_is_likelier_answered() -> None:
    blank = dict.fromkeys(FEATURES, 0.0) | {"has_company": 1.0}
    good = blank | {
        "dense": 0.6, "dense_of_five": 0.55, "coverage_of_nearest": 1.0, "coverage_best": 1.0,
        "coverage_all": 1.0, "coverage_unit": 1.0, "keywords": 0.7, "unit_words": 1.0,
        "unit_words_around": 1.0, "unit_of_kind": 1.0, "heaviest_together": 1.0,
        "row_label": 1.0, "unit_dense": 0.6, "unit_dense_fitting": 0.6,
    }  # fmt: skip
    for name, model in answerable.bundled().items():
        assert model.probability(good) > model.least, name
        for bad in ("period_not_covered", "company_without_documents", "private", "name_missing"):
            assert model.probability(good | {bad: 1.0}) < model.probability(good), (name, bad)


def test_that_a_question_names_a_company_is_no_evidence() -> None:
    for name, model in answerable.bundled().items():
        weights = dict(zip(FEATURES, model.weights, strict=True))
        assert weights["has_company"] == weights["has_name"] == 0.0, name
        assert weights["name_missing"] < 0.0, name
