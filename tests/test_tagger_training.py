"""A tagger learns small texts, halves batches, and goes on after a kill as if there was none."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from extraction.ml.learning import Course, Learner, Progress
from extraction.ml.lessons import Lessons
from extraction.ml.network import Network
from extraction.ml.settings import Design
from extraction.ml.training import Base, Material, Plan, choose_device, train
from tests.tiny_taggers import GROUPS, examples, tiny_encoder

ROOT = Path(__file__).resolve().parent.parent
DESIGN = Design(GROUPS, rank=4, hidden=32, length=20, stride=10)
COURSE = Course(epochs=4, batch=8, rate=5e-3, head_rate=1e-2)
KILLED = """
import sys, torch
from pathlib import Path
from tests.test_tagger_training import plan
from tests.tiny_taggers import examples
torch.set_num_threads(1)
encoder, work = map(Path, sys.argv[1:])
def watch(progress):
    print(progress.step, flush=True)
plan(encoder, checkpoint_seconds=0.0).learn(examples(60), work, watch)
"""


def plan(encoder: Path, **course: float) -> Plan:
    settings = {"epochs": 4, "batch": 8, "rate": 5e-3, "head_rate": 1e-2, **course}
    return Plan(Base("tiny", encoder), DESIGN, Course(**settings))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    # Sums of several threads differ in the last bits from run to run.
    torch.set_num_threads(1)


def ignore(*_: object) -> None:
    """Watch nothing."""


def weights(network: Network) -> dict[str, torch.Tensor]:
    return {n: p.detach().clone() for n, p in network.named_parameters() if p.requires_grad}


def same(one: Network, other: Network, within: float = 0.0) -> bool:
    left, right = weights(one), weights(other)
    return left.keys() == right.keys() and all(
        torch.allclose(left[name], right[name], rtol=0, atol=within) for name in left
    )


@pytest.mark.parametrize("kind", ["bert", "mpnet", "deberta-v2"])
@pytest.mark.parametrize("rank", [4, 0])
def test_it_learns_by_additions_and_whole_on_any_encoder(
    tmp_path: Path, kind: str, rank: int
) -> None:
    base = Base("tiny", tiny_encoder(tmp_path / "tiny", kind))
    design = Design(GROUPS, rank=rank, hidden=32, length=20, stride=10)
    known = examples(120)
    material = Material(known[:80], known[80:100], known[100:])
    outcome = train(
        material, Plan(base, design, Course(6, 8, 5e-3, 1e-2)), tmp_path / "work", ignore
    )
    assert outcome.rows[-1].label == "all"
    assert outcome.rows[-1].f1 > 0.8
    assert outcome.history.losses[-1][1] < outcome.history.losses[0][1] / 3
    encoder_learns = [n for n in weights(outcome.network) if n.startswith("encoder.")]
    assert all("lora" in name for name in encoder_learns) == bool(rank)


@pytest.mark.parametrize("switched_off", ["type_feature", "crf"])
def test_each_part_can_be_switched_off(encoder: Path, switched_off: str) -> None:
    design = Design(GROUPS, rank=4, hidden=32, length=20, stride=10, **{switched_off: False})
    plan = Plan(Base("tiny", encoder), design, Course(6, 8, 5e-3, 1e-2))
    network, _, _ = plan.learn(examples(80), None, ignore)
    if switched_off == "type_feature":
        assert not hasattr(network, "skip")
    else:
        assert not network.crf.steps.detach().any()
    judged = plan.judge(network, examples(20, seed=9))
    assert judged.right("exact").sum() > 0.5 * sum(judged.gold.values())


def test_two_runs_of_one_seed_are_the_same(encoder: Path) -> None:
    one, _, _ = plan(encoder).learn(examples(40), None, ignore)
    two, _, _ = plan(encoder).learn(examples(40), None, ignore)
    other, _, _ = plan(encoder, seed=8).learn(examples(40), None, ignore)
    assert same(one, two)
    assert not same(one, other)


def test_a_killed_run_goes_on_and_ends_as_if_it_had_not_been_killed(
    encoder: Path, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(encoder), str(work)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "9":
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    assert (work / "checkpoint.safetensors").is_file()
    steps: list[int] = []
    resumed, history, _ = plan(encoder).learn(
        examples(60), work, lambda progress: steps.append(progress.step)
    )
    assert steps[0] in {9, 10, 11}
    assert any("Resumed" in note for note in history.notes)
    whole, _, _ = plan(encoder).learn(examples(60), None, ignore)
    assert same(resumed, whole, within=1e-6)


def test_a_damaged_checkpoint_means_a_new_beginning(encoder: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0nonsense")
    steps: list[int] = []
    plan(encoder, epochs=1).learn(examples(20), tmp_path, lambda p: steps.append(p.step))
    assert steps[0] == 1


class Small(Network):
    """A network on a GPU whose memory holds three windows."""

    most = 3

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, shapes: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if len(input_ids) > self.most:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return super().forward(input_ids, attention_mask, shapes)


def learner(encoder: Path, kind: type[Network]) -> Learner:
    from extraction.ml.encoder import load_encoder

    chosen = plan(encoder, epochs=2)
    lessons = Lessons(examples(40), chosen.reader, DESIGN)
    torch.manual_seed(1)
    network = kind(load_encoder(encoder, DESIGN.rank), DESIGN)
    return Learner(network, lessons, DESIGN, chosen.course, None)


def test_a_batch_that_does_not_fit_is_taken_in_halves(encoder: Path) -> None:
    tight, roomy = learner(encoder, Small), learner(encoder, Network)
    seen: list[Progress] = []
    history = tight.run(seen.append)
    roomy.run(ignore)
    assert tight.micro == 2
    assert [note for note in history.notes if "2 windows at a time" in note]
    assert seen[-1].step == seen[-1].steps
    # Dropout draws anew for each part, so the two are alike, not equal.
    assert abs(seen[-1].loss - roomy.history.losses[-1][1]) < 10


def test_memory_for_not_even_one_window_is_an_error(encoder: Path) -> None:
    tight = learner(encoder, Small)
    tight.network.most = 0  # type: ignore[assignment]
    with pytest.raises(torch.cuda.OutOfMemoryError):
        tight.run(ignore)


def test_windows_can_be_limited_and_empty_ones_subsampled(encoder: Path) -> None:
    lessons = Lessons(examples(200), plan(encoder).reader, DESIGN)
    every = len(lessons.labelled)
    none = sum(map(len, lessons.epoch(1, 8, 0.0)))
    assert none == every
    assert sum(map(len, lessons.epoch(1, 8, 0.1))) == every + every // 10
    few, more = (lessons.limited(count, 0.5, seed=1) for count in (30, 60))
    assert len(few.labelled) == 30
    assert len(few.lessons) == 45
    assert set(map(id, few.lessons)) < set(map(id, more.lessons))
    assert len(lessons.labelled) == every


def test_only_devices_that_are_there_can_be_asked_for() -> None:
    assert choose_device("cpu") == "cpu"
    with pytest.raises(ValueError, match="'tpu'"):
        choose_device("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="no GPU"):
            choose_device("cuda")
