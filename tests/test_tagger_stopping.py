"""What is left out says which epoch's weights stay, and when to stop, before a kill and after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from extraction.ml.learning import Course, History, Progress, Watch
from extraction.ml.lessons import Lessons
from extraction.ml.network import Network
from extraction.ml.settings import Design
from extraction.ml.training import Base, Plan
from tests.tiny_taggers import GROUPS, examples, tiny_encoder

DESIGN = Design(GROUPS, rank=4, hidden=32, length=20, stride=10)
COURSE = Course(epochs=8, batch=8, rate=5e-3, head_rate=1e-2)


class Killed(Exception):
    """In place of a signal, between two steps."""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    # Sums of several threads differ in the last bits from run to run.
    torch.set_num_threads(1)
    return Plan(Base("tiny", tiny_encoder(tmp_path / "tiny")), DESIGN, COURSE)


def learn(plan: Plan, watch: Watch, work: Path | None = None) -> tuple[Network, History]:
    """Learned from 30 texts; left out are such that name nothing, so that learning harms them."""
    bare = [replace(each, spans=()) for each in examples(12, seed=5)]
    lessons, left_out = (Lessons(each, plan.reader, DESIGN) for each in (examples(30), bare))
    return plan.learn_from(lessons, work, watch, left_out)


def weights(network: Network) -> dict[str, torch.Tensor]:
    return {n: p.detach().clone() for n, p in network.named_parameters() if p.requires_grad}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def test_the_weights_of_the_best_epoch_stay(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    after: dict[int, dict[str, torch.Tensor]] = {}
    networks: list[Network] = []
    begin = Network.__init__

    def noted(network: Network, *given: object) -> None:
        begin(network, *given)  # type: ignore[arg-type]
        networks.append(network)

    monkeypatch.setattr(Network, "__init__", noted)

    def watch(progress: Progress) -> None:
        after[progress.epoch] = weights(networks[-1])

    network, history = learn(plan, watch)
    assert len(history.left_out) == COURSE.epochs
    best = history.left_out.index(min(history.left_out)) + 1
    assert best < COURSE.epochs
    assert same(weights(network), after[best])
    assert not same(weights(network), after[COURSE.epochs])


def test_it_stops_when_what_is_left_out_gets_no_better(plan: Plan) -> None:
    patient = replace(plan, course=replace(COURSE, patience=2))
    _, history = learn(patient, lambda _: None)
    assert len(history.left_out) < COURSE.epochs
    assert history.left_out.index(min(history.left_out)) == len(history.left_out) - 3


@pytest.mark.parametrize("step", [3, 8, 9])
def test_a_killed_run_remembers_the_best_epoch(plan: Plan, tmp_path: Path, step: int) -> None:
    course = replace(COURSE, patience=2, checkpoint_seconds=0.0)
    plan = replace(plan, course=course)

    def killing(progress: Progress) -> None:
        if progress.step == step:
            raise Killed

    with pytest.raises(Killed):
        learn(plan, killing, tmp_path / "work")
    resumed, history = learn(plan, lambda _: None, tmp_path / "work")
    whole, expected = learn(plan, lambda _: None)
    assert history.left_out == pytest.approx(expected.left_out, abs=1e-4)
    again, _ = learn(plan, lambda _: None, tmp_path / "work")
    assert same(weights(resumed), weights(again))
    for name, part in weights(whole).items():
        torch.testing.assert_close(weights(resumed)[name], part, rtol=0, atol=1e-5)
