"""How sure a found span is: its calibrated probability, corrected by what else is known of it.

The correction is a sum of small trees on log odds, as LightGBM's text format has it; a tagger
that was calibrated on few documents has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from docintel.lightgbm_text import BadTrees, Trees, read
from docintel.logistic import logistic
from extraction.ml import evidence
from extraction.ml.calibration import Calibration, Floats, logit
from extraction.ml.errors import BadArtefact

# Nothing is surer than this before the trees have their say: they add to finite log odds.
EDGE = 1e-3


@dataclass(frozen=True, slots=True)
class Confidence:
    """Raw probabilities (n) and evidence (n, `evidence.NAMES`) to confidences (n)."""

    calibration: Calibration
    trees: Trees | None = None

    def __call__(self, raw: NDArray[Any], rows: Floats | None) -> Floats:
        """Without trees the rows are not looked at."""
        sure = self.calibration(raw)
        if self.trees is None or rows is None or not len(sure):
            return sure
        return corrected(sure, self.trees, rows)


def corrected(sure: Floats, trees: Trees, rows: Floats) -> Floats:
    """Calibrated probabilities (n) with what the trees add to their log odds."""
    return logistic(start(sure) + trees.predict(rows))


def start(sure: Floats) -> Floats:
    """The log odds (n) that the trees add to."""
    return logit(np.clip(sure, EDGE, 1 - EDGE))


def read_trees(text: str) -> Trees:
    """Raises `BadArtefact` for what are no trees on this evidence."""
    try:
        trees = read(text)
    except BadTrees as error:
        raise BadArtefact(f"The trees of its confidences cannot be read: {error}.") from error
    if trees.names != evidence.NAMES:
        raise BadArtefact("The trees of its confidences were made for other evidence.")
    return trees
