"""Rankers judged by what the made-up analysts really want, for each of their looks at a feed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import ir_measures
import numpy as np
from ir_measures import nDCG
from numpy.typing import NDArray

from docintel.scoring import bootstrap
from feed.ml.facts import Floats
from training.evaluation.feed_sessions import Look
from training.learning.feed_prior import Lists

MEASURE = nDCG @ 10
# Of the documents that an analyst does not want, so many of a look are kept for a list.
UNWANTED = 60


@dataclass(slots=True)
class Judged:
    """NDCG@10 of each ranker for each look at a feed, and whose look it was."""

    cold: NDArray[np.bool_]
    drifted: NDArray[np.bool_]
    values: dict[str, list[float]] = field(default_factory=dict)
    who: dict[str, list[int]] = field(default_factory=dict)

    @property
    def looks(self) -> int:
        return max((len(who) for who in self.who.values()), default=0)

    def judge(self, look: Look, scores: Mapping[str, Floats]) -> None:
        """Of what an analyst has not read; analysts who want nothing that is there are left out.

        `scores` of each ranker are (documents, analysts).
        """
        grades = np.where(look.unread, look.grades, 0)
        wanted = np.flatnonzero(grades.any(axis=1))
        qrels = [
            ir_measures.Qrel(str(at), str(row), int(grades[at, row]))
            for at in wanted
            for row in np.flatnonzero(grades[at])
        ]
        judge = ir_measures.evaluator([MEASURE], qrels)
        for name, given in scores.items():
            found = {int(each.query_id): each.value for each in judge.iter_calc(_best(look, given))}
            self.values.setdefault(name, []).extend(found[at] for at in wanted.tolist())
            self.who.setdefault(name, []).extend(wanted.tolist())

    def mean(self, name: str) -> float:
        return float(np.mean(self.values[name]))

    def means(self) -> dict[str, dict[str, float]]:
        """Ranker -> group of analysts -> the mean over their looks."""
        groups = {
            "all": np.ones_like(self.cold), "cold start": self.cold, "drifted": self.drifted,
            "others": ~(self.cold | self.drifted),
        }  # fmt: skip
        made: dict[str, dict[str, float]] = {}
        for name, values in self.values.items():
            who = self.who[name]
            made[name] = {
                group: round(float(np.array(values)[members[who]].mean()), 4)
                for group, members in groups.items()
                if members[who].any()
            }
        return made

    def interval(self, name: str, less: str = "") -> tuple[float, float]:
        """95 % of the mean of all, or of by how much it is above `less`; analysts are drawn."""
        values = np.array(self.values[name])
        if less:
            values = values - np.array(self.values[less])
        sums, counts = (np.bincount(self.who[name], weights) for weights in (values, None))

        def mean(drawn: Floats) -> float:
            chosen = drawn.astype(int)
            return float(sums[chosen].sum() / counts[chosen].sum())

        low, high = bootstrap(np.flatnonzero(counts).tolist(), statistic=mean)
        return round(low, 4), round(high, 4)


def _best(look: Look, scores: Floats) -> list[ir_measures.ScoredDoc]:
    """The first ten of each analyst, of what is unread."""
    unread = np.where(look.unread, scores.T, -np.inf)
    return [
        ir_measures.ScoredDoc(str(at), str(row), float(-rank))
        for at, order in enumerate(np.argsort(-unread, axis=1, kind="stable")[:, :10])
        for rank, row in enumerate(order)
    ]


def lists_of(look: Look, dice: np.random.Generator) -> Lists | None:
    """What everybody wants at this look; of what an analyst does not want, some rows stand for all.

    None where nobody wants anything.
    """
    chosen: list[NDArray[np.int64]] = []
    query: list[NDArray[np.int64]] = []
    times: list[Floats] = []
    for at in range(look.grades.shape[0]):
        wanted = np.flatnonzero(look.unread[at] & (look.grades[at] > 0))
        others = np.flatnonzero(look.unread[at] & (look.grades[at] == 0))
        if not len(wanted) or not len(others):
            continue
        kept = dice.choice(others, min(UNWANTED, len(others)), replace=False)
        share = len(others) / len(kept)
        times.append(np.concatenate([np.ones(len(wanted)), np.full(len(kept), share)]))
        rows = np.concatenate([wanted, kept])
        chosen.append(np.stack([rows, np.full(len(rows), at)]))
        query.append(np.full(len(rows), len(query)))
    if not chosen:
        return None
    rows, analysts = np.concatenate(chosen, axis=1)
    return Lists(
        look.made[rows, analysts], look.ages[rows], np.concatenate(query),
        look.grades[analysts, rows], np.concatenate(times),
    )  # fmt: skip
