"""How well rankers order what analysts rated from 1 to 5; ratings are learned from by nobody.

Each analyst's rated documents are one list, in the order that a ranker would have given them when
they were drawn. Pairs that the live version may have learned from are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import ir_measures
import numpy as np
from django.db.models import Exists, OuterRef
from ir_measures import nDCG

from docintel.scoring import bootstrap
from feed import live_ranker
from feed.live_ranker import Formula, Ranker
from feed.ml.facts import Floats
from feed.ml.features import NAMES
from feed.ml.freshness import gain
from feed.models import FeedEvent, RatingAsk
from feed.rating import answered

# Fewer say more of chance than of a ranker.
LEAST_ANALYSTS, LEAST_RATINGS = 10, 100
MEASURE = nDCG @ 10
Scorer = Callable[[Floats, Floats], Floats]


def score() -> dict[str, Any]:
    """NDCG@10 by ranker with its interval over analysts, or `too_few` in words.

    The gain is the grade less 1. Analysts with fewer than two ratings, or all alike, say nothing.
    """
    ranker = live_ranker.live()
    lists = _lists(ranker)
    count = sum(len(rows) for rows in lists.values())
    found: dict[str, Any] = {"analysts": len(lists), "ratings": count}
    if len(lists) < LEAST_ANALYSTS or count < LEAST_RATINGS:
        found["too_few"] = (
            f"{count} usable ratings of {len(lists)} analysts; {LEAST_RATINGS} of {LEAST_ANALYSTS} "
            "are needed, with grades that differ"
        )
        return found
    for name, scorer in _rankers(ranker).items():
        values = [_ndcg(rows, scorer) for rows in lists.values()]
        found[name] = {"ndcg@10": float(np.mean(values)), "interval": bootstrap(values)}
    return found


def _lists(ranker: Ranker) -> dict[int, list[RatingAsk]]:
    rows = answered()
    if ranker.version is not None:
        learned = FeedEvent.objects.filter(
            user=OuterRef("user"), document=OuterRef("document"),
            received_at__lt=ranker.version.created_at,
        )  # fmt: skip
        rows = rows.exclude(Exists(learned.order_by()))
    lists: defaultdict[int, list[RatingAsk]] = defaultdict(list)
    for row in rows:
        if len(row.features) == len(NAMES):
            lists[row.user_id].append(row)
    return {user: asks for user, asks in lists.items() if len({_grade(a) for a in asks}) > 1}


def _rankers(ranker: Ranker) -> dict[str, Scorer]:
    """Features and freshness, each a row for a document, to scores."""

    def by(used: Ranker) -> Scorer:
        return lambda rows, days: used.score(rows) + days / used.half_life

    def column(name: str) -> Scorer:
        return lambda rows, _: np.nan_to_num(rows[:, NAMES.index(name)])

    found = {"formula": by(Formula()), "newest first": lambda _, days: days}
    found |= {"entity overlap": column("followed_share"), "embedding": column("profile_cosine")}
    return {"live": by(ranker), **found} if ranker.version is not None else found


def _ndcg(rows: list[RatingAsk], scorer: Scorer) -> float:
    features = np.array([row.features for row in rows], dtype=np.float64)
    # Of a half-life of one day; a ranker divides by its own.
    days = np.array([gain(row.fresh_at, 1.0) for row in rows])
    scores = scorer(features, days)
    wanted = {"q": {str(at): _grade(row) - 1 for at, row in enumerate(rows)}}
    given = {"q": {str(at): float(score) for at, score in enumerate(scores)}}
    return float(ir_measures.calc_aggregate([MEASURE], wanted, given)[MEASURE])


def _grade(row: Any) -> int:
    return int(row.grade)
