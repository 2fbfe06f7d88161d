"""How likely passages answer a question: a logistic regression in plain numbers; numpy and JSON.

`training` fits the numbers. Cosines of one embedder say nothing about another's, so each embedder
has a model of its own, and "" is for whatever has none: it looks at no cosine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT = 1
BUNDLED = Path(__file__).with_name("answerable.json")
WITHOUT_COSINES = ""
COSINES = ("dense", "dense_of_five", "coverage_of_nearest", "unit_dense", "unit_dense_fitting")
# Each from 0 to 1 (a cosine from -1), in the order of a model's weights; `qa.answerable` makes
# them. "Missing" ones are high where something asked for is not there.
FEATURES = (
    *COSINES,
    "no_cosine",
    "coverage_best",
    "coverage_all",
    "coverage_unit",
    "keywords",
    "unit_words",
    "unit_words_around",
    "unit_of_kind",
    "heaviest_together",
    "row_label",
    "heaviest_missing",
    "nothing_found",
    "metric_missing",
    "metric_missing_in_unit",
    "company_without_documents",
    "company_not_among_passages",
    "name_missing",
    "has_name",
    "period_not_covered",
    "period_only_later",
    "year_not_in_passages",
    "future",
    "private",
    "has_company",
    "few_words",
    "wants_figure",
    "wants_cause",
)


class BadModel(ValueError):
    """The numbers are no such model; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Model:
    """Weights of the standardised features, and the least probability that is an answer."""

    weights: NDArray[np.float64]
    means: NDArray[np.float64]
    deviations: NDArray[np.float64]
    intercept: float
    least: float
    clearly_below: float

    def probability(self, features: Mapping[str, float]) -> float:
        """That the passages answer. Raises KeyError for a feature that is not there."""
        row = np.array([features[name] for name in FEATURES])
        score = float(((row - self.means) / self.deviations) @ self.weights + self.intercept)
        return float(1 / (1 + np.exp(-np.clip(score, -30, 30))))


def read(stored: Mapping[str, Any]) -> dict[str, Model]:
    """Models by embedder, of plain JSON numbers. Raises BadModel."""
    try:
        if stored["format"] != FORMAT or tuple(stored["features"]) != FEATURES:
            raise BadModel("the model is of another format or has other features")
        made = {str(name): _read(row) for name, row in stored["models"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadModel(f"the model cannot be read: {error}") from error
    if WITHOUT_COSINES not in made:
        raise BadModel("there is no model for embedders without one")
    return made


def _read(row: Mapping[str, Any]) -> Model:
    weights, means, deviations = (
        np.array(row[name], dtype=np.float64) for name in ("weights", "means", "deviations")
    )
    arrays = (weights, means, deviations)
    model = Model(
        weights,
        means,
        deviations,
        float(row["intercept"]),
        float(row["least"]),
        float(row["clearly_below"]),
    )
    if any(array.shape != (len(FEATURES),) for array in arrays):
        raise BadModel("the model has weights of a wrong shape")
    if not all(np.isfinite(array).all() for array in arrays) or not (deviations > 0).all():
        raise BadModel("the model has numbers that are not finite, or no deviation")
    if not 0 <= model.clearly_below <= model.least < 1 or not np.isfinite(model.intercept):
        raise BadModel("the model's thresholds are no probabilities")
    return model


@cache
def bundled() -> dict[str, Model]:
    """The models that come with the code."""
    return read(json.loads(BUNDLED.read_text(encoding="utf-8")))


def as_json(models: Mapping[str, Model], **about: Any) -> dict[str, Any]:
    """What `read` takes; `about` is kept beside it for whoever reads the file."""
    return {
        "format": FORMAT,
        **about,
        "features": list(FEATURES),
        "models": {
            name: {
                "weights": _rounded(model.weights),
                "means": _rounded(model.means),
                "deviations": _rounded(model.deviations),
                "intercept": round(model.intercept, 5),
                "least": round(model.least, 4),
                "clearly_below": round(model.clearly_below, 4),
            }
            for name, model in models.items()
        },
    }


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 5) for value in values]
