"""The ranker fitted to graded candidates, the weight of the cross-encoder beside it, and both
scored on companies left out.

Trap: the weight is fitted to scores of companies that the ranker has not seen, since those of
companies that it has are better than any it will serve.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from docintel import lightgbm_text
from docintel.lightgbm_text import Trees
from qa.ranking.blending import together
from qa.ranking.relative_features import ABSOLUTE
from training.learning.ranker_candidates import Floats, Group

FOLDS = 5
TREES = 120
SETTINGS = {
    "objective": "lambdarank",
    "num_leaves": 15,
    "learning_rate": 0.06,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "label_gain": [0, 1, 3, 7],
    "verbosity": -1,
    # Two that wait for each other on a busy machine take ten times as long as one.
    "num_threads": 1,
    "seed": 7,
    "deterministic": True,
}
LINE_ITEMS = ("item_coverage", "item_rows", "statement_match", "expansion_coverage")
UNITS = (
    *("unit_z", "unit_two_z", "unit_mean_z", "unit_words"),
    *("unit_gap_z", "unit_two_gap_z", "unit_rank"),
)
# The nearer in meaning, never the worse.
RISING = frozenset(("unit_z", "unit_two_z", "dense_left_z"))
FALLING = frozenset(("unit_gap_z", "unit_two_gap_z", "dense_left_gap_z", "unit_rank"))
# What is withheld for a share of the questions, so that the ranker also learns to do without: a
# real question may name its metric in words no list knows, and units may not be made yet.
WITHHELD = {LINE_ITEMS: 0.35, UNITS: 0.15}
# Questions in other words are made by a machine and many are poor: learned from, and twice, are
# those by which the units of what answers them are found among so many (Dai et al. 2022, round
# trip).
OTHER_WORDS = ("reworded", "retold")
FOUND_AGAIN = 10
OTHER_WORDS_TIMES = 2
WEIGHTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0)
Rows = Sequence[Mapping[str, float]]


def fit(groups: Sequence[Group]) -> str:
    """The text of a model trained on these groups."""
    # Seconds to load, and nothing that serves needs it.
    import lightgbm  # noqa: PLC0415

    known = {name for group in groups for row in group.rows for name in row}
    names = sorted(known - ABSOLUTE)
    chance = random.Random(7)  # noqa: S311
    taught = [group for group in groups for _ in range(times(group))]
    table = np.concatenate([_matrix(group.rows, names, _drawn(chance)) for group in taught])
    grades = np.concatenate([group.grades for group in taught])
    sizes = [len(group.rows) for group in taught]
    data = lightgbm.Dataset(table, grades, group=sizes, feature_name=names)
    ways = [(name in RISING) - (name in FALLING) for name in names]
    booster = lightgbm.train({**SETTINGS, "monotone_constraints": ways}, data, TREES)
    return str(booster.model_to_string(num_iteration=TREES)).split("\nfeature_importances:")[0]


def times(group: Group) -> int:
    """How often a question is learned from; 0 for one in other words that says something else."""
    if not group.mined.sort.endswith(OTHER_WORDS):
        return 1
    places = np.array([row.get("unit_rank", math.inf) for row in group.rows])
    best = places[group.grades == group.grades.max()].min()
    return OTHER_WORDS_TIMES if best <= math.log1p(FOUND_AGAIN) else 0


def left_out(groups: Sequence[Group]) -> Iterator[tuple[list[int], Trees]]:
    """For each of 5 parts of the companies, its groups and a model trained on the others'."""
    for train, test in _parts(groups):
        yield test, lightgbm_text.read(fit([groups[at] for at in train]))


def weigh(groups: Sequence[Group], scores: Sequence[Floats], cross: Sequence[Floats]) -> float:
    """The weight of the cross-encoder's scores that orders these groups best, by NDCG@10."""

    def worth(weight: float) -> float:
        rows = zip(groups, scores, cross, strict=True)
        return float(np.mean([ndcg(g.grades, together(s, c, weight)) for g, s, c in rows]))

    return max(WEIGHTS, key=worth)


def weighed_left_out(
    groups: Sequence[Group], scores: Sequence[Floats], cross: Sequence[Floats]
) -> list[Floats]:
    """The scores together, each by the weight that other companies' groups give."""
    found: dict[int, Floats] = {}
    for train, test in _parts(groups):
        weight = weigh(
            [groups[at] for at in train], [scores[at] for at in train], [cross[at] for at in train]
        )
        found |= {at: together(scores[at], cross[at], weight) for at in test}
    return [found[at] for at in range(len(groups))]


def without(rows: Rows, names: Iterable[str]) -> list[dict[str, float]]:
    left_away = frozenset(names)
    return [{k: v for k, v in row.items() if k not in left_away} for row in rows]


def ndcg(grades: NDArray[np.int64], scores: Floats, k: int = 10) -> float:
    """Järvelin and Kekäläinen 2002 with gain 2^grade - 1; 0 where nothing is graded."""
    discounts = 1 / np.log2(np.arange(2, k + 2))
    gains = 2.0**grades - 1
    order = np.argsort(-scores, kind="stable")[:k]
    best = np.sort(gains)[::-1][:k]
    ideal = float((best * discounts[: len(best)]).sum())
    return float((gains[order] * discounts[: len(order)]).sum()) / ideal if ideal else 0.0


def measures(groups: Sequence[Group], scores: Sequence[Floats]) -> dict[str, float]:
    pairs = list(zip(groups, scores, strict=True))
    return {
        "ndcg@10": round(float(np.mean([ndcg(g.grades, s) for g, s in pairs])), 4),
        "best_in_10": round(float(np.mean([_best_in(g.grades, s, 10) for g, s in pairs])), 4),
        "best_in_3": round(float(np.mean([_best_in(g.grades, s, 3) for g, s in pairs])), 4),
    }


def _parts(groups: Sequence[Group]) -> Iterator[tuple[list[int], list[int]]]:
    companies = [group.mined.company for group in groups]
    for train, test in GroupKFold(FOLDS).split(np.zeros(len(groups)), groups=companies):
        yield train.tolist(), test.tolist()


def _best_in(grades: NDArray[np.int64], scores: Floats, k: int) -> bool:
    """Whether one of the best grade is among the first k."""
    order = np.argsort(-scores, kind="stable")[:k]
    return bool((grades[order] == grades.max()).any())


def _drawn(chance: random.Random) -> frozenset[str]:
    """The features that one question does without."""
    found = [names for names, share in WITHHELD.items() if chance.random() < share]
    return frozenset(name for names in found for name in names)


def _matrix(rows: Rows, names: Sequence[str], withheld: frozenset[str]) -> Floats:
    return np.array(
        [[np.nan if name in withheld else row.get(name, np.nan) for name in names] for row in rows]
    )
