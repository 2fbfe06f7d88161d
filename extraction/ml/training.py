"""Train a tagger from examples to its folder: learned, calibrated, judged, and written.

Trap: with `folds`, that many networks are trained besides, only to know how far to trust the one
that learns from everything.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from docintel.inference.ml.openvino import has_bf16
from extraction.ml import artefact
from extraction.ml.calibrating import Trust, calibrate
from extraction.ml.calibration import Floats
from extraction.ml.confidence import read_trees
from extraction.ml.crf import NEVER
from extraction.ml.encoder import load_encoder
from extraction.ml.folders import digest_of
from extraction.ml.judging import Judged, Row, Verdict, judge, table
from extraction.ml.learning import Course, History, Learner, Progress, Watch
from extraction.ml.lessons import Lessons
from extraction.ml.network import Network
from extraction.ml.runtimes import TorchRuntime
from extraction.ml.settings import Design, Sheet
from extraction.ml.spans import Example
from extraction.ml.splitting import folds as in_folds
from extraction.ml.tagger import Tagger
from extraction.ml.windows import Reader


@dataclass(frozen=True, slots=True)
class Base:
    """The encoder to start from: what it is called, and its local folder."""

    name: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Material:
    """What to learn from, what to fit the calibration on (empty: by folds), what to score on."""

    learned: Sequence[Example]
    fitted: Sequence[Example]
    tested: Sequence[Example]
    folds: int = 0


@dataclass(slots=True)
class Outcome:
    """What came out; `fitted` and `tested` are judged by the raw probabilities.

    `tested_sure` are the confidences of what was found in the tested texts.
    """

    sheet: Sheet
    trust: Trust
    network: Network
    history: History
    fitted: Judged
    tested: Judged
    tested_sure: Floats
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


Tell = Callable[[str, Progress], None]


@dataclass(frozen=True)
class Plan:
    """How a tagger is trained, whatever from.

    `encoder`, where given, is that of every network, and learns only if it is made to. `begin` is
    the folder of a tagger of the same design and encoder whose weights it goes on from.
    """

    base: Base
    design: Design
    course: Course
    encoder: nn.Module | None = None
    begin: Path | None = None

    @cached_property
    def reader(self) -> Reader:
        return Reader(self.base.folder)

    def learn(
        self, examples: Sequence[Example], work: Path | None, watch: Watch
    ) -> tuple[Network, History, list[str]]:
        """A network that learned these, how it went, and notes on what was left out.

        It goes on in the folder `work` after a kill; without one it begins anew.
        """
        lessons = Lessons(examples, self.reader, self.design)
        if self.course.limit:
            course = self.course
            lessons = lessons.limited(course.limit, course.empty_share, course.seed)
        network, history = self.learn_from(lessons, work, watch)
        return network, history, lessons.notes

    def learn_from(
        self, lessons: Lessons, work: Path | None, watch: Watch, left_out: Lessons | None = None
    ) -> tuple[Network, History]:
        """As `learn`, from windows that are cut already; for `left_out` see `Learner`."""
        torch.manual_seed(self.course.seed)
        encoder = self.encoder or load_encoder(self.base.folder, self.design.rank)
        network = Network(encoder, self.design)
        if self.begin:
            artefact.fill(self.begin, network)
        learner = Learner(network, lessons, self.design, self.course, work, left_out=left_out)
        return network, learner.run(watch)

    def judge(self, network: Network, examples: Sequence[Example]) -> Judged:
        """What the network finds there, by the code that serves."""
        sheet = Sheet(self.design, self.base.name, "", self.reader.digest)
        return judge(in_memory(network, sheet, self.reader, self.course.device), examples)


def train(material: Material, plan: Plan, work: Path, tell: Tell) -> Outcome:
    """Learn, calibrate on what was left out, and judge; goes on in `work` after a kill.

    `tell` hears after each step what is being learned and how far it is.
    """
    design = plan.design
    fitted = Judged()
    for number, (learned, left) in enumerate(_folds(material), start=1):
        place = work / f"fold-{number}"
        fitted.add(_fold(plan, learned, left, place, partial(tell, f"fold {number}")))
    name = "everything" if material.folds else "the tagger"
    network, history, notes = plan.learn(material.learned, work / "whole", partial(tell, name))
    if not material.folds:
        fitted = plan.judge(network, material.fitted)
    trust = calibrate(fitted, design.match)
    digests = digest_of(plan.base.folder), plan.reader.digest
    sheet = Sheet(design, plan.base.name, *digests, trust.calibration, trust.thresholds)
    tested = plan.judge(network, material.tested)
    sure = trust.confidences(tested)
    rows = table(tested, sure, trust.thresholds, design.match)
    return Outcome(sheet, trust, network, history, fitted, tested, sure, rows, notes)


def in_memory(
    network: Network, sheet: Sheet, reader: Reader, device: str, trees: str = ""
) -> Tagger:
    """The serving code on a network that was just trained; the network is not used up."""
    steps = network.crf.steps.detach().float().cpu().numpy()
    if sheet.design.crf:
        steps = np.where(sheet.design.scheme.allowed(), steps, NEVER).astype(np.float32)
    else:
        steps = np.zeros_like(steps)
    corrected = read_trees(trees) if trees else None
    return Tagger(sheet, reader, TorchRuntime(network, device), steps, corrected)


def choose_device(asked: str) -> str:
    """cpu, or cuda where it is asked for or there. Raises ValueError where it is not."""
    if asked not in {"auto", "cpu", "cuda"}:
        raise ValueError(f"The device is {asked!r}; it may be auto, cpu or cuda.")
    there = torch.cuda.is_available()
    if asked == "cuda" and not there:
        raise ValueError("There is no GPU that PyTorch can use here.")
    return "cuda" if there and asked != "cpu" else "cpu"


def precision_of(device: str) -> str:
    """What is computed in, for a report."""
    return "bf16" if device == "cuda" or has_bf16() else "float32"


def save(outcome: Outcome, folder: Path, card: str) -> None:
    """Write the folder that `tagger.load` reads."""
    artefact.write(folder, outcome.network, outcome.sheet, card, outcome.trust.trees)


def _folds(material: Material) -> list[tuple[list[Example], list[Example]]]:
    return in_folds(material.learned, material.folds) if material.folds > 1 else []


def _fold(
    plan: Plan, learned: Sequence[Example], left: Sequence[Example], work: Path, watch: Watch
) -> Judged:
    """What a network that never saw the left-out texts finds in them; kept for a resumed run."""
    path = work / "judged.json"
    if path.is_file():
        content = json.loads(path.read_text(encoding="utf-8"))
        return Judged([Verdict(*each) for each in content["verdicts"]], content["gold"], len(left))
    network, _, _ = plan.learn(learned, work, watch)
    judged = plan.judge(network, left)
    verdicts = [list(asdict(each).values()) for each in judged.verdicts]
    temporary = path.with_suffix(".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary.write_text(json.dumps({"verdicts": verdicts, "gold": judged.gold}))
    temporary.replace(path)
    return judged
