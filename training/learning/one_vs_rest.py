"""Logistic regressions, one per topic, each calibrated on folds that it was not fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from docintel.logistic import logistic

# Fewer examples of either kind teach nothing that would hold.
LEAST = 8
FOLDS = 4
STRENGTH = 10.0

Labels = NDArray[np.int8]  # (documents, topics): 1 yes, 0 no, UNKNOWN
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Line:
    """One topic's classifier, Platt's calibration folded in: p = 1 / (1 + e^-(x·w + b))."""

    weights: NDArray[np.float64]
    intercept: float


def fit_topics(rows: Any, labels: Labels) -> dict[int, Line]:
    """Column of a topic -> its line, for those with enough examples of both kinds.

    `rows` is a matrix (documents, features), dense or sparse. Unknown labels are left out.
    """
    found = {}
    for column in range(labels.shape[1]):
        known = labels[:, column] != UNKNOWN
        wanted = labels[known, column]
        if min(int((wanted == 1).sum()), int((wanted == 0).sum())) >= LEAST:
            found[column] = fit_line(rows[np.flatnonzero(known)], wanted)
    return found


def fit_line(rows: Any, wanted: Labels) -> Line:
    """One topic. Platt, 1999: a logistic function of the decisions on folds left out."""
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1_000)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    decisions = cross_val_predict(model, rows, wanted, cv=folds, method="decision_function")
    platt = LogisticRegression(C=1e3, max_iter=1_000).fit(decisions[:, None], wanted)
    slope, shift = float(platt.coef_[0, 0]), float(platt.intercept_[0])
    model.fit(rows, wanted)
    return Line(slope * model.coef_[0], slope * float(model.intercept_[0]) + shift)


def scores(rows: Any, lines: dict[int, Line], columns: list[int]) -> NDArray[np.float64]:
    """Probabilities (documents, columns)."""
    decisions = [rows @ lines[column].weights + lines[column].intercept for column in columns]
    return logistic(np.stack(decisions, axis=1))


def macro_f1(labels: Labels, probabilities: NDArray[Any], threshold: float = 0.5) -> float:
    """The mean over topics of F1 at the threshold; unknown labels are left out, as are topics
    without a single yes.
    """
    return float(np.mean(f1_per_topic(labels, probabilities, threshold) or [0.0]))


def f1_per_topic(
    labels: Labels, probabilities: NDArray[Any], threshold: float = 0.5
) -> list[float]:
    """For each topic with at least one yes."""
    found = []
    for column in range(labels.shape[1]):
        known = labels[:, column] != UNKNOWN
        wanted = labels[known, column]
        if (wanted == 1).any():
            got = probabilities[known, column] >= threshold
            right = int((got & (wanted == 1)).sum())
            found.append(2 * right / (int(got.sum()) + int((wanted == 1).sum())))
    return found


def mean_average_precision(labels: Labels, probabilities: NDArray[Any]) -> float:
    """The mean over topics of average precision: how well each ranks, whatever the threshold."""
    found = []
    for column in range(labels.shape[1]):
        known = labels[:, column] != UNKNOWN
        wanted = labels[known, column]
        if (wanted == 1).any():
            found.append(float(average_precision_score(wanted, probabilities[known, column])))
    return float(np.mean(found or [0.0]))
