"""From what was shown and opened to trees that correct the formula, with inverse propensities.

Pure: rows in, LightGBM's text out; who made the rows, the tables or a simulated firm, is no matter.
Trap: people are shown little but the top, so trees alone would know nothing of the rest; they begin
where the formula ends (`init_score`), and whoever uses them adds the formula (`Fitted.prior`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]
from scipy.special import expit  # type: ignore[import-untyped]

from feed.ml import formula
from feed.ml.facts import Floats
from feed.ml.features import NAMES
from feed.ml.freshness import HALF_LIFE
from feed.ml.profiles import READ_SECONDS

SETTINGS = {
    "objective": "lambdarank",
    "num_leaves": 7,
    "learning_rate": 0.06,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "label_gain": [0, 1, 2, 3, 4],
    "lambdarank_truncation_level": 20,
    "verbosity": -1,
    "num_threads": 2,
    "seed": 7,
    "deterministic": True,
}
# How many trees: tried on the last fifth, as the half-life is. A single one is hardly any.
TREES = (1, 15, 30, 60)
# The share of dwell, of having been opened, and of having been opened again, in the label.
OPENED, DWELT, REOPENED = 0.4, 0.4, 0.2
GRADES = 4
# No click counts for more than so many: what is hardly ever looked at says little, but loudly.
LEAST_PROPENSITY = 0.5
# Shown and not opened says less than opened; of a source that is followed, as much.
WEAK, HARD = 0.5, 1.0
# Days in which what a document is worth may halve; which one fits is tried on the last fifth.
HALF_LIVES = (1.0, 2.0, 4.0, 8.0)
# With fewer clicks their order is chance; 1 is what Joachims et al. 2017 found.
FEWEST_CLICKS, USUAL_ETA = 30, 1.0
MOST_ETA = 2.0
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Shown:
    """n cards as they were shown, the renderings one after another (`query` never decreases).

    `position` is from 1, `seconds` of active reading, `age` in days when it was shown.
    """

    features: Floats  # (n, names)
    query: NDArray[np.int64]
    position: NDArray[np.int64]
    exploring: Bools
    opened: Bools
    seconds: Floats
    reopened: Bools
    age: Floats
    analyst: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.query)

    def rows(self, chosen: Bools) -> Shown:
        return Shown(*(getattr(self, each.name)[chosen] for each in fields(self)))


@dataclass(frozen=True, slots=True)
class Fitted:
    """`text` as LightGBM writes it; `eta` of the examination, `half_life` in days.

    A document's score is the formula's with the weights `prior`, and what the trees add.
    """

    text: str
    half_life: float
    eta: float
    prior: Mapping[str, float]
    detail: dict[str, Any]


class TooLittle(ValueError):
    """Nothing can be learned from so few readings; the message says how many there are."""


def labels(shown: Shown) -> NDArray[np.int64]:
    """0 to 4: 0.4 for opening, 0.4 times the percentile of the dwell, 0.2 for opening again.

    A positive is a document read for more than 30 seconds; the percentile is among these. What was
    opened and left at once is 0, as what was not opened.
    """
    read = shown.opened & ((shown.seconds > READ_SECONDS) | shown.reopened)
    grades = np.zeros(len(shown), dtype=np.int64)
    if read.any():
        ordered = np.sort(shown.seconds[read])
        share = np.searchsorted(ordered, shown.seconds[read], side="right") / len(ordered)
        said = OPENED + DWELT * share + REOPENED * shown.reopened[read]
        grades[read] = np.clip(np.ceil(GRADES * said), 1, GRADES).astype(np.int64)
    return grades


def examination(shown: Shown) -> float:
    """Eta of P(looked at) = position ** -eta, the likeliest with P(opened) = P(looked at) times a
    logistic function of the formula's score (regression EM's model, Wang and others 2018).

    All cards tell, explored or not: the formula says what they are worth beside their position. The
    usual 1 where there are too few clicks.
    """
    if shown.opened.sum() < FEWEST_CLICKS:
        return USUAL_ETA
    log_position, opened = np.log(shown.position), shown.opened.astype(float)
    scores = formula.score(shown.features) - _cost(shown.age, HALF_LIFE)
    scores = (scores - scores.mean()) / max(1e-9, scores.std())

    def unlikely(parameters: Floats) -> tuple[float, Floats]:
        eta, level, slope = parameters
        worth = expit(level + slope * scores)
        rate = np.clip(np.exp(-eta * log_position) * worth, 1e-9, 1 - 1e-9)
        by_rate = (rate - opened) / (1 - rate)  # of -log likelihood, times the rate
        by_worth = by_rate * (1 - worth)
        slopes = [(-by_rate * log_position).mean(), by_worth.mean(), (by_worth * scores).mean()]
        return -np.where(opened, np.log(rate), np.log(1 - rate)).mean(), np.array(slopes)

    start = np.array([USUAL_ETA, -1.0, 0.5])
    bounds = [(0.0, MOST_ETA), (None, None), (0.0, None)]
    found = minimize(unlikely, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return float(found.x[0])


def weights(shown: Shown, eta: float) -> Floats:
    """What each row counts: a reading the inverse of the chance that it was looked at, clipped."""
    propensity = np.maximum(shown.position.astype(float) ** -eta, LEAST_PROPENSITY)
    followed = shown.features[:, NAMES.index("followed_source")] > 0
    passed = np.where(followed, HARD, WEAK)
    return np.where(labels(shown) > 0, 1 / propensity, passed)


def fit(shown: Shown, *, ips: bool = True, without: Sequence[str] = ()) -> Fitted:
    """Raises TooLittle. `without` are features withheld; without `ips` every reading counts 1."""
    readings = int((labels(shown) > 0).sum())
    if readings < 50 or len(np.unique(shown.query)) < 20:
        raise TooLittle(f"{readings} readings of documents on the feed; at least 50 are needed")
    eta = examination(shown) if ips else 0.0
    table = shown.features.copy()
    table[:, [NAMES.index(name) for name in without]] = np.nan
    tried = _tried(shown, table, eta)
    half_life, trees = max(tried, key=lambda each: tried[each])
    booster = _train(shown, table, eta, half_life, trees)
    gains = booster.feature_importance("gain")
    detail = {
        "rows": len(shown), "readings": readings, "eta": round(eta, 2),
        "explored": int(shown.exploring.sum()),
        "explored_opened": int((shown.exploring & shown.opened).sum()),
        "half_life_days": half_life, "trees": trees,
        "ndcg_by_half_life_and_trees": {
            f"{days} days, {count}": round(value, 4) for (days, count), value in tried.items()
        },
        "importance": dict(
            zip(NAMES, (gains / max(1e-9, gains.sum())).round(4).tolist(), strict=True)
        ),
    }  # fmt: skip
    prior = {name: weight for name, weight in formula.WEIGHTS.items() if name not in without}
    return Fitted(str(booster.model_to_string()), half_life, eta, prior, detail)


def _tried(shown: Shown, table: Floats, eta: float) -> dict[tuple[float, int], float]:
    """(half-life, number of trees) -> NDCG@10 of the readings of the last fifth."""
    cut = np.quantile(shown.query, 0.8)
    early, late = shown.query <= cut, shown.query > cut
    later = shown.rows(late)
    tried = {}
    for half_life in HALF_LIVES:
        booster = _train(shown.rows(early), table[early], eta, half_life, TREES[-1])
        start = formula.score(table[late]) - _cost(later.age, half_life)
        for count in TREES:
            added = booster.predict(table[late], num_iteration=count)
            tried[half_life, count] = _judge(later, start + added, eta)
    return tried


def _cost(age: Floats, half_life: float) -> Floats:
    return math.log(2) / half_life * age


def _train(shown: Shown, table: Floats, eta: float, half_life: float, trees: int) -> Any:
    """Age is no feature: with the formula it is where the trees begin, so they learn the rest."""
    # Seconds to load, and nothing that serves needs it.
    import lightgbm  # noqa: PLC0415

    _, sizes = np.unique(shown.query, return_counts=True)
    data = lightgbm.Dataset(
        table, labels(shown), weight=weights(shown, eta), group=sizes,
        init_score=formula.score(table) - _cost(shown.age, half_life), feature_name=list(NAMES),
    )  # fmt: skip
    return lightgbm.train(SETTINGS, data, trees)


def ndcg_of_renderings(shown: Shown, scores: Floats, eta: float) -> dict[int, float]:
    """NDCG@10 of each rendering in which something was read, a reading counted by the inverse of
    its propensity."""
    gains = labels(shown) * np.where(labels(shown) > 0, weights(shown, eta), 0)
    found = {}
    for query in np.unique(shown.query[gains > 0]).tolist():
        own = shown.query == query
        found[query] = _ndcg(gains[own], scores[own])
    return found


def _judge(shown: Shown, scores: Floats, eta: float) -> float:
    found = ndcg_of_renderings(shown, scores, eta)
    return float(np.mean(list(found.values()))) if found else 0.0


def _ndcg(gains: Floats, scores: Floats, k: int = 10) -> float:
    discounts = 1 / np.log2(np.arange(2, k + 2))
    got = gains[np.argsort(-scores, kind="stable")[:k]]
    best = np.sort(gains)[::-1][:k]
    return float((got * discounts[: len(got)]).sum() / (best * discounts[: len(best)]).sum())
