"""Probabilities from similarities, by a few numbers that are kept per embedder.

The trap: the numbers hold for one embedder and one way of pooling; `calibration_of` knows none for
an embedder that nobody calibrated.
"""

from __future__ import annotations

import tomllib
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from docintel.logistic import logistic
from ingestion.classifying.pooling import Floats

# From here on a topic is shown and found by; what is below KEPT is not worth a row.
SHOWN = 0.5
KEPT = 0.05
DATA = Path(__file__).with_name("calibration.toml")
# Names the way of pooling and the features below: another way makes other topics.
METHOD = "3"


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic function of three features of a similarity (Platt 1999, with two more)."""

    similarity: float
    above_mean: float
    below_best: float
    intercept: float


def features(similarities: Floats) -> NDArray[np.float64]:
    """(…, topics) to (…, topics, 3): itself, above the mean of all topics, below the best one.

    A similarity alone says little: some texts are close to every topic, others to none.
    """
    found = np.asarray(similarities, dtype=np.float64)
    mean = found.mean(axis=-1, keepdims=True)
    best = found.max(axis=-1, keepdims=True)
    return np.stack([found, found - mean, found - best], axis=-1)


def probabilities(similarities: Floats, calibration: Calibration) -> Floats:
    """How likely it is that the document is about each topic; the shape stays."""
    *weights, intercept = astuple(calibration)
    found = logistic(features(similarities) @ np.array(weights) + intercept)
    return found.astype(np.float32)


@cache
def calibrations() -> dict[str, Calibration]:
    """Digest of an embedder's weights -> its numbers."""
    entries = tomllib.loads(DATA.read_text(encoding="utf-8")).get("embedder", [])
    return {
        entry["digest"]: Calibration(
            entry["similarity"], entry["above_mean"], entry["below_best"], entry["intercept"]
        )
        for entry in entries
    }


def calibration_of(digest: str) -> Calibration | None:
    """That of the embedder with these weights; None where nobody calibrated it."""
    return calibrations().get(digest)
