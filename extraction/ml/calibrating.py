"""From what a tagger found in held-out texts to how far it is trusted from then on."""

from __future__ import annotations

from dataclasses import dataclass

from extraction.ml import calibration, correcting
from extraction.ml.calibration import Calibration, Floats
from extraction.ml.confidence import Confidence, read_trees
from extraction.ml.judging import Judged, thresholds


@dataclass(frozen=True, slots=True)
class Trust:
    """How raw probabilities are read, and from which confidence a label's spans are shown.

    `trees` is the text of what corrects confidences, or "". `sure` are the confidences of the spans
    it was fitted on; where trees correct them, by trees that did not see the span's document.
    """

    calibration: Calibration
    thresholds: dict[str, float]
    trees: str
    sure: Floats

    def confidences(self, judged: Judged) -> Floats:
        """Of spans in other texts, as it is served."""
        trees = read_trees(self.trees) if self.trees else None
        return Confidence(self.calibration, trees)(judged.raw(), judged.evidence())


def calibrate(judged: Judged, match: str) -> Trust:
    """Fitted on verdicts by raw probabilities; `match` says which of them count as right."""
    right = judged.right(match)
    documents = judged.documents()
    found = calibration.fit(judged.raw(), right, documents)
    sure = found(judged.raw())
    corrected = correcting.fit(sure, judged.evidence(), right, documents)
    trees, sure = corrected or ("", sure)
    return Trust(found, thresholds(judged, sure, match), trees, sure)
