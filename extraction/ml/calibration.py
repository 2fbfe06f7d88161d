"""From a CRF's marginal to a confidence that is right as often as it says, and how far it is off.

Fitted on held-out spans: a temperature with an offset (Platt 1999; Guo et al. 2017), or isotonic
regression where there are enough spans in enough documents, whichever loses less on the half of
the documents that it was not fitted on.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from docintel.logistic import Floats, logistic

# Fewer held-out spans make steps of an isotonic fit that are noise.
ENOUGH = 400
# Spans of one document are right or wrong together: of fewer, what many spans say is chance.
DOCUMENTS = 20
# A step of fewer spans says nothing, and the line to it would mislead all between.
SMALLEST_STEP = 25
BINS = 10
_EDGE = 1e-6


@dataclass(frozen=True, slots=True)
class Calibration:
    """A rising function of the raw probability; the default changes nothing.

    `kind` "temperature": sigmoid(slope * logit(p) + offset). `kind` "isotonic": straight lines
    between `points`, pairs (logit of p, confidence) with both rising.
    """

    kind: str = "temperature"
    slope: float = 1.0
    offset: float = 0.0
    points: tuple[tuple[float, float], ...] = ()

    def __call__(self, raw: NDArray[Any]) -> Floats:
        """Confidences of raw probabilities."""
        logits = logit(raw)
        if self.kind == "temperature":
            return logistic(self.slope * logits + self.offset)
        xs, ys = np.array(self.points, dtype=np.float64).T
        return np.interp(logits, xs, ys)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Calibration:
        """Raises ValueError for what is no calibration."""
        points = tuple((float(x), float(y)) for x, y in content["points"])
        found = cls(content["kind"], float(content["slope"]), float(content["offset"]), points)
        if found.kind not in {"temperature", "isotonic"} or found.slope <= 0:
            raise ValueError(f"no calibration: {found}")
        if found.kind == "isotonic" and (
            len(points) < 2 or any(b[0] <= a[0] or b[1] < a[1] for a, b in pairwise(points))
        ):
            raise ValueError("the calibration's points do not rise")
        return found


def fit(raw: NDArray[Any], correct: NDArray[Any], documents: NDArray[np.int64]) -> Calibration:
    """The better of both kinds for these raw probabilities (n), whether each was right (n), and
    the number of its document (n).
    """
    logits, right = logit(raw), np.asarray(correct, dtype=np.float64)
    if not len(right) or right.min() == right.max():
        return Calibration()
    numbers, place = np.unique(documents, return_inverse=True)
    if len(right) < ENOUGH or len(numbers) < DOCUMENTS:
        return _temperature(logits, right)
    fitted, left = place % 2 == 0, place % 2 == 1
    losses = {
        way: _loss(way(logits[fitted], right[fitted])(raw[left]), right[left])
        for way in (_temperature, _isotonic)
    }
    return min(losses, key=lambda way: losses[way])(logits, right)


def expected_error(confidences: NDArray[Any], correct: NDArray[Any], bins: int = BINS) -> float:
    """Expected calibration error (Naeini et al. 2015), `bins` of equal width; nan for no spans."""
    given, right = np.asarray(confidences, np.float64), np.asarray(correct, np.float64)
    if not len(given):
        return float("nan")
    place = np.minimum((given * bins).astype(int), bins - 1)
    sizes = np.bincount(place, minlength=bins)
    gaps = np.abs(
        np.bincount(place, given, minlength=bins) - np.bincount(place, right, minlength=bins)
    )
    return float(gaps[sizes > 0].sum() / len(given))


def logit(raw: NDArray[Any]) -> Floats:
    """log(p / (1 - p)), finite at both ends."""
    inside = np.clip(np.asarray(raw, dtype=np.float64), _EDGE, 1 - _EDGE)
    found: Floats = np.log(inside / (1 - inside))
    return found


def _temperature(logits: Floats, right: Floats) -> Calibration:
    """Newton's method on the log loss with a little ridge, so that separable spans stay finite."""
    table = np.stack([logits, np.ones_like(logits)], 1)
    weights = np.array([1.0, 0.0])
    ridge = np.diag([1e-2, 1e-3])
    for _ in range(50):
        found = logistic(table @ weights)
        slope = table.T @ (found - right) + ridge @ (weights - (1.0, 0.0))
        curve = (table * (found * (1 - found))[:, None]).T @ table + ridge
        change = np.linalg.solve(curve, slope)
        weights = weights - np.clip(change, -1, 1)
        if np.abs(change).max() < 1e-8:
            break
    return Calibration("temperature", max(float(weights[0]), 1e-3), float(weights[1]))


def _isotonic(logits: Floats, right: Floats) -> Calibration:
    """Pool adjacent violators; lines between the middles of pools keep the order within them."""
    order = np.argsort(logits, kind="stable")
    pools: list[list[float]] = []  # [sum of logits, sum of right, size]
    for part in np.array_split(order, max(2, len(order) // SMALLEST_STEP)):
        pools.append([float(logits[part].sum()), float(right[part].sum()), float(len(part))])
        while len(pools) > 1 and pools[-2][1] * pools[-1][2] >= pools[-1][1] * pools[-2][2]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    # Half a right and half a wrong one more in each pool: nothing is ever quite certain.
    points = [(x / size, (y + 0.5) / (size + 1)) for x, y, size in pools]
    rising = [points[0]]
    for x, y in points[1:]:
        if x > rising[-1][0]:
            rising.append((x, max(y, rising[-1][1])))
    if len(rising) < 2:
        return _temperature(logits, right)
    return Calibration("isotonic", points=tuple(rising))


def _loss(given: Floats, right: Floats) -> float:
    inside = np.clip(given, _EDGE, 1 - _EDGE)
    return float(-(right * np.log(inside) + (1 - right) * np.log(1 - inside)).mean())
