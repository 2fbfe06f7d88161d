"""The simulated expert and queue: what is looked at first, what it costs, and what it is worth."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from django.core.management import CommandError, call_command
from flywheel_world import gold, small_world

from extraction.ml.spans import Example, FoundSpan, LabelledSpan
from training.evaluation.flywheel_curves import ratios, share
from training.learning.cutting_passages import cut, pieces
from training.learning.simulating_review import ORDERS, Waiting, corrections, taken


def found(*confidences: float) -> tuple[FoundSpan, ...]:
    return tuple(FoundSpan(at * 10, at * 10 + 5, "kpi", c) for at, c in enumerate(confidences))


def test_doubt_comes_before_certainty_and_chance_is_chance() -> None:
    queue = [
        Waiting(0, (), ()),
        Waiting(1, (), found(0.99, 0.97)),
        Waiting(2, (), found(0.45)),
        Waiting(3, (), found(0.3, 0.3, 0.3)),
    ]
    chance = random.Random(1)
    assert [each.at for each in ORDERS["uncertainty"](queue, chance)] == [2, 3, 1, 0]
    assert [each.at for each in ORDERS["errors"](queue, chance)] == [3, 2, 1, 0]
    # Where nothing is doubted, by what was before the calibration.
    certain = [Waiting(at, (), (), closest) for at, closest in enumerate((0.2, 0.9, 0.4))]
    assert [each.at for each in ORDERS["uncertainty"](certain, chance)] == [1, 2, 0]
    assert [each.at for each in ORDERS["errors"](certain, chance)] == [1, 2, 0]
    orders = {tuple(e.at for e in ORDERS["random"](queue, chance)) for _ in range(40)}
    assert len(orders) > 10


def test_a_verdict_for_each_span_shown_and_each_missed() -> None:
    labelled = (LabelledSpan(0, 5, "kpi"), LabelledSpan(50, 55, "cy"))
    assert corrections((), ()) == 1
    assert corrections(found(0.9), ()) == 1
    # One shown is right, one wrong, and one was missed.
    assert corrections(found(0.9, 0.8), labelled) == 3


def test_the_last_text_of_a_round_is_finished() -> None:
    pool = [Example("a", "x" * 90, (LabelledSpan(0, 5, "kpi"),) * 3)] * 5
    queue = [Waiting(at, (), ()) for at in (4, 2, 0, 1)]
    assert taken(queue, pool, 4) == ([4, 2], 6)


def test_the_share_is_where_the_curve_reaches_randoms_end() -> None:
    against = [(0.0, 0.2), (100.0, 0.3), (200.0, 0.4)]
    assert share([(0.0, 0.2), (100.0, 0.4), (200.0, 0.5)], against) == pytest.approx(0.5)
    assert share([(0.0, 0.2), (100.0, 0.3), (200.0, 0.5)], against) == pytest.approx(0.75)
    assert math.isnan(share([(0.0, 0.2), (100.0, 0.3)], against))


def test_a_seed_at_work_does_not_bend_the_mean() -> None:
    rows = [("random", 0, 0, 0.2), ("random", 0, 10, 0.4), ("random", 1, 0, 0.9)]
    rows += [("uncertainty", 0, 0, 0.2), ("uncertainty", 0, 10, 0.6)]
    compared = ratios(rows)
    assert compared.curves["random"] == [(0.0, 0.2), (10.0, 0.4)]
    assert compared.ratio["uncertainty"] == pytest.approx(0.5)
    assert compared.ahead["uncertainty"] == {0: pytest.approx(0.2)}


def test_contracts_are_cut_without_losing_a_span() -> None:
    text = "".join(f"Clause {n} says what it says. " for n in range(300))
    at = text.index("Clause 150")
    example = Example("a contract", text, (LabelledSpan(at, at + 10, "Clause"),))
    parts = list(cut(example))
    assert "".join(part.text for part in parts) == text
    held = [part.text[s.start : s.end] for part in parts for s in part.spans]
    assert held == ["Clause 150"]
    several = [Example(f"contract {n}", text, example.spans) for n in range(30)]
    pool, tested = pieces(several, 40)
    assert {each.key for each in pool}.isdisjoint(each.key for each in tested)
    assert sum(bool(each.spans) for each in pool) * 2 == len(pool)


@pytest.mark.django_db(transaction=True)
def test_it_goes_on_after_a_pause_and_draws_its_plot(
    settings, monkeypatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder = small_world(settings, monkeypatch, tmp_path)
    data, output = gold(tmp_path / "gold", train=60), tmp_path / "out"
    command = ["evaluate", "flywheel", str(data), "--output", str(output), "--json"]
    command += ["--encoder", str(encoder), "--rounds", "2", "--seeds", "1", "--steps", "12"]
    with pytest.raises(CommandError, match="paused after 1 trainings"):
        call_command(*command, "--seconds", "0.01")
    # A kill in the middle of a line.
    rows = output / "flywheel.jsonl"
    rows.write_text(rows.read_text() + '{"order": "rand')
    call_command(*command)
    score = json.loads(capsys.readouterr().out.splitlines()[-1])
    curves = score["detail"]["f1"]["curves"]
    assert set(curves) == {"random", "uncertainty"}
    assert [len(curve) for curve in curves.values()] == [3, 3]
    assert curves["random"][0] == curves["uncertainty"][0]
    assert curves["random"][2][0] >= 2 * score["detail"]["budget"]
    lines = [json.loads(line) for line in rows.read_text().splitlines()]
    assert len(lines) == 6
    areas = score["detail"]["area"]["curves"]
    assert [[spent for spent, _ in areas[order]] for order in curves] == [
        [spent for spent, _ in curves[order]] for order in curves
    ]
    drawn = ET.parse(output / "flywheel.svg").getroot()
    assert len(drawn.findall(".//{*}polyline")) == 4
    titles = [each.text for each in drawn.findall(".//{*}text[@class='title']")]
    assert titles == ["F1 of the spans shown (exact)", "Average precision"]
    call_command(*command)
    again = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert again["detail"]["f1"]["curves"] == curves
