"""A tagger whose encoder stays as it is, or nearly: learned anew from some texts, in seconds.

For experiments that train dozens of them; what serves is trained by `training.learning.tagger`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from torch import nn

from extraction.ml.calibrating import calibrate
from extraction.ml.frozen_encoder import FrozenEncoder, UpperLayers
from extraction.ml.learning import Course
from extraction.ml.lessons import Lessons
from extraction.ml.settings import Design, Sheet
from extraction.ml.spans import Example
from extraction.ml.tagger import Tagger
from extraction.ml.training import Base, Plan, in_memory

# Of what is labelled, every so many-th text fits the calibration and is not learned from.
FITTED_EVERY = 7
# As `train tagger --full` has it: a twentieth of the rate of additions of low rank.
RATE_OF_LAYERS = 1e-3 / 20


@dataclass(frozen=True)
class Classroom:
    """What all these taggers share: the encoder, which reads each window once, and the course.

    `layers`: so many of the encoder's last ones learn too, each tagger's its own.
    """

    folder: Path
    design: Design
    steps: int = 400
    batch: int = 16
    layers: int = 0

    @cached_property
    def encoder(self) -> FrozenEncoder:
        return FrozenEncoder(self.folder)

    @cached_property
    def plan(self) -> Plan:
        """For the number of epochs and for the layers that learn see `learn`."""
        course = Course(batch=self.batch, rate=RATE_OF_LAYERS)
        return Plan(Base("", self.folder), self.design, course, self.encoder)

    def learn(self, labelled: Sequence[Example], seed: int) -> Tagger:
        """A tagger in memory, calibrated on a seventh of the texts; the same for the same seed.

        Raises BadArtefact where layers shall learn and the encoder is none of BERT's kind.
        """
        fitted = list(labelled[::FITTED_EVERY])
        learned = [each for at, each in enumerate(labelled) if at % FITTED_EVERY]
        lessons = Lessons(learned, self.plan.reader, self.design)
        course = replace(self.plan.course, epochs=self._epochs(lessons), seed=seed)
        plan = replace(self.plan, course=course, encoder=self._encoder())
        network, _ = plan.learn_from(lessons, None, lambda _: None)
        trust = calibrate(self.plan.judge(network, fitted), self.design.match)
        reader = self.plan.reader
        sheet = Sheet(self.design, "", "", reader.digest, trust.calibration, trust.thresholds)
        return in_memory(network, sheet, reader, "cpu", trust.trees)

    def _encoder(self) -> nn.Module:
        return UpperLayers(self.encoder, self.layers) if self.layers else self.encoder

    def _epochs(self, lessons: Lessons) -> int:
        """About as many steps whatever there is to learn from."""
        each = math.ceil(max(1, len(lessons.labelled)) / self.batch)
        return max(3, round(self.steps / each))
