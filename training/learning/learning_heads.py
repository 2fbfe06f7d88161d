"""A tagger whose encoder stays as it is: heads learned anew from some texts, in seconds.

For experiments that train dozens of them; what serves is trained by `training.learning.tagger`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from extraction.ml import calibration
from extraction.ml.frozen_encoder import FrozenEncoder
from extraction.ml.judging import judge, thresholds
from extraction.ml.learning import Course, Learner
from extraction.ml.lessons import Lessons
from extraction.ml.network import Network
from extraction.ml.settings import Design, Sheet
from extraction.ml.spans import Example
from extraction.ml.tagger import Tagger
from extraction.ml.training import in_memory
from extraction.ml.windows import Reader

# Of what is labelled, every so many-th text fits the calibration and is not learned from.
FITTED_EVERY = 7


@dataclass(frozen=True)
class Classroom:
    """What all these taggers share: the encoder, which reads each window once, and the course."""

    folder: Path
    design: Design
    steps: int = 400
    batch: int = 16

    @cached_property
    def encoder(self) -> FrozenEncoder:
        return FrozenEncoder(self.folder)

    @cached_property
    def reader(self) -> Reader:
        return Reader(self.folder)

    def learn(self, labelled: Sequence[Example], seed: int) -> Tagger:
        """A tagger in memory, calibrated on a seventh of the texts; the same for the same seed."""
        fitted = list(labelled[::FITTED_EVERY])
        learned = [each for at, each in enumerate(labelled) if at % FITTED_EVERY]
        lessons = Lessons(learned, self.reader, self.design)
        torch.manual_seed(seed)
        network = Network(self.encoder, self.design)
        course = Course(epochs=self._epochs(lessons), batch=self.batch, seed=seed)
        Learner(network, lessons, self.design, course, None).run(lambda _: None)
        sheet = Sheet(self.design, "", "", self.reader.digest)
        judged = judge(in_memory(network, sheet, self.reader, "cpu"), fitted)
        found = calibration.fit(judged.raw(), judged.right(self.design.match))
        least = thresholds(judged, found, self.design.match)
        return in_memory(
            network,
            Sheet(self.design, "", "", self.reader.digest, found, least),
            self.reader,
            "cpu",
        )

    def _epochs(self, lessons: Lessons) -> int:
        """About as many steps whatever there is to learn from."""
        each = math.ceil(max(1, len(lessons.labelled)) / self.batch)
        return max(3, round(self.steps / each))
