"""The router: three paths, synthesis when in doubt, plain numbers, retrained from corrections."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from fresh_process import loaded

from docintel import registry
from docintel.models import ModelVersion
from docintel.scoring import CannotScore
from qa import routing
from qa.ml import router
from qa.ml.router import CONFIDENT, TIERS, BadModel
from training import fitting_router
from training.fitting_router import HELD_OUT, QUESTIONS, read_questions

ROOT = Path(__file__).resolve().parent.parent


def test_the_labelled_questions_are_many_and_varied() -> None:
    rows = read_questions(QUESTIONS)
    assert len(rows) >= 600
    assert len({row.question.lower() for row in rows}) == len(rows)
    assert min(Counter(row.label for row in rows).values()) >= 200
    families = {row.family for row in rows}
    assert families > HELD_OUT
    held_out = [row for row in rows if row.family in HELD_OUT]
    assert {row.label for row in held_out} == set(TIERS)
    assert len(held_out) > len(rows) / 5


@pytest.mark.parametrize(
    ("question", "tier"),
    [
        ("Find documents about lithium supply", "lookup"),
        ("show me filings that mention ransomware", "lookup"),
        ("What was capex in FY2022?", "factual"),
        ("How many stores did it have at the end of 2021?", "factual"),
        ("Compare the margins of the two retailers over three years", "synthesis"),
        ("How has pricing changed since 2020?", "synthesis"),
        ("Summarise the last call", "synthesis"),
    ],
)
def test_plain_questions_take_their_path(question: str, tier: str) -> None:
    found = router.bundled().predict(question, routing.flags(question))
    assert (found.likeliest, found.tier) == (tier, tier)
    assert found.confidence >= CONFIDENT


def test_in_doubt_the_path_is_synthesis(db: None) -> None:
    rows = [routing.route(row.question) for row in read_questions(QUESTIONS)[::7]]
    unsure = [row for row in rows if row.confidence < CONFIDENT]
    assert all(row.tier == "synthesis" for row in unsure)
    assert all(row.tier == row.likeliest for row in rows if row.confidence >= CONFIDENT)
    odd = routing.route("zq vx")
    assert sum(odd.probabilities.values()) == pytest.approx(1)


def test_predicting_loads_no_learning_library() -> None:
    code = (
        "from qa.ml import router\nfrom qa import routing\n"
        "router.bundled().predict('find notes', routing.flags('find notes'))"
    )
    assert loaded(code, ("sklearn", "scipy", "torch")) == []


def test_numbers_that_are_no_router_are_refused_and_change_nothing(db: None) -> None:
    good = json.loads(router.BUNDLED.read_text())
    bad = [
        {},
        {**good, "format": 2},
        {**good, "tiers": ["a", "b", "c"]},
        {**good, "temperature": 0},
        {**good, "intercept": [0, 0]},
        {**good, "weights": {"w:find": [1, 2]}},
        {**good, "weights": {"w:find": [1, 2, float("nan")]}},
    ]
    for numbers in bad:
        with pytest.raises(BadModel):
            routing.register(numbers, "bad", "0" * 64)
    assert registry.live(routing.NAME) is None


def test_a_live_row_that_cannot_be_read_leaves_the_bundled_one_answering(db: None) -> None:
    ModelVersion.objects.create(
        name=routing.NAME,
        version="x",
        digest="1",
        state="live",
        metadata={"numbers": {"format": 9}},
    )
    assert routing.live_router() is router.bundled()


def test_corrections_change_what_is_live(db: None, tmp_path: Path) -> None:
    asked = "chirp the quarterly nuggets"
    before = routing.route(asked)
    path = tmp_path / "corrections.jsonl"
    wanted = "lookup" if before.likeliest != "lookup" else "factual"
    lines = [f"{asked} {more}" for more in ("", "now", "of Nike", "please", "again", "today")]
    path.write_text("\n".join(json.dumps({"question": q, "label": wanted}) for q in lines))
    score = fitting_router.run(path)
    assert score.detail["corrections"] == len(lines)
    live = registry.live(routing.NAME)
    assert live is not None
    assert live.metrics["accuracy"] == pytest.approx(score.value)
    assert routing.route(asked).likeliest == wanted


def test_corrections_that_name_no_path_are_refused(db: None, tmp_path: Path) -> None:
    path = tmp_path / "corrections.jsonl"
    path.write_text('{"question": "x", "label": "chat"}')
    with pytest.raises(CannotScore, match="chat"):
        fitting_router.run(path)
    assert registry.live(routing.NAME) is None


def test_the_held_out_score_is_worth_having(db: None) -> None:
    detail, n = fitting_router.held_out_measures()
    assert n == 160
    assert detail["accuracy"] > 0.75
    assert detail["wrong_path"] < 0.08
    assert detail["calibration_error"] < 0.12
