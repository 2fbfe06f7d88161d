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
from review.models import Correction, ReviewItem
from training import fitting_router, gate, promotion
from training.comparing.comparison import CannotCompare
from training.corrected_routes import judged_routes
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
            routing.keep(numbers, "bad", "0" * 64)
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


def corrected(path: Path, count: int) -> tuple[str, str]:
    """Many ways to put a made-up question, all with a route that few of them get; one, and it."""
    asked = [f"chirp the quarterly nuggets of company {number}" for number in range(count)]
    given = Counter(routing.route(question).likeliest for question in asked)
    wanted = min(TIERS, key=lambda tier: given[tier])
    path.write_text("\n".join(json.dumps({"question": q, "label": wanted}) for q in asked))
    return asked[0], wanted


@pytest.mark.usefixtures("equal_speed")
def test_corrections_go_live_only_through_the_gate(db: None, tmp_path: Path, monkeypatch) -> None:
    # Made-up words that it alone knows cost the candidate some of its speed.
    monkeypatch.setattr(gate, "LEAST_SPEED", 0.5)
    path = tmp_path / "corrections.jsonl"
    asked, wanted = corrected(path, 60)
    score = fitting_router.run(path)
    candidate = ModelVersion.objects.get(name=routing.NAME)
    assert candidate.state == "candidate"
    assert candidate.metrics["accuracy"] == pytest.approx(score.value)
    learned = len(candidate.metadata["learned"])
    assert learned == score.detail["corrections"]
    assert 60 - learned >= 8, "some are never learned from"
    verdict = promotion.judge(candidate, folder=path)
    assert verdict.report["detail"] == {
        "questions": 60 - learned,
        "questions_left_out": learned,
        "against": "the one that comes with the code",
    }
    assert verdict.outcome == "promoted", verdict.why
    assert registry.live(routing.NAME) == candidate
    assert routing.route(asked).likeliest == wanted
    fitting_router.run(strength=1.0)
    with pytest.raises(CannotCompare, match="too few"):
        promotion.judge(ModelVersion.objects.get(name=routing.NAME, state="candidate"))


def test_routes_judged_at_the_desk_are_learned_from(db: None) -> None:
    for number in range(40):
        question = f"Chirp the nuggets of company {number}"
        said = {"ask": 1, "question": question, "route": "synthesis"}
        item = ReviewItem.objects.create(
            kind="router", label="synthesis", text=question, proposal=said, confidence=0.4,
            why="unsure",
        )  # fmt: skip
        Correction.objects.create(
            item=item, kind="router", verdict="relabel", before=said,
            after={**said, "route": "lookup"}, who="eve", who_id=1,
        )  # fmt: skip
    score = fitting_router.run(from_desk=True)
    candidate = ModelVersion.objects.get(name=routing.NAME)
    held_out = [each for each in judged_routes() if each.is_held_out]
    assert score.detail["corrections"] == 40 - len(held_out)
    assert not {each.mark for each in held_out} & set(candidate.metadata["learned"])
    if len(held_out) >= 8:
        assert promotion.judge(candidate).report["documents"] == len(held_out)


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
