"""Two rankers of the feed on what analysts were shown and read from whom no training learns.

Each card counts with the features it was shown by, and a reading by the inverse of the chance that
its position was looked at. Where no trained one is live, the candidate must beat the formula.
"""

from __future__ import annotations

import math
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np
from django.utils import timezone

from docintel import registry
from docintel.models import ModelVersion
from feed import live_ranker
from feed.live_ranker import CannotUse, Formula, Ranker
from training.comparing.comparison import (
    CannotCompare,
    Comparison,
    measured_by_question,
    numbered,
    seconds_in_turns,
)
from training.gate import Floats
from training.learning.feed import DAYS, shown_since
from training.learning.feed_fitting import Shown, examination, ndcg_of_renderings


def live(name: str) -> ModelVersion | None:
    """None where the formula ranks."""
    return registry.live(name)


def compare(
    candidate: ModelVersion, live: ModelVersion | None, folder: Path | None = None
) -> Comparison:
    """Of the last 90 days; one rendering of the feed is a question, and an analyst has many.

    Raises CannotCompare.
    """
    if folder is not None:
        raise CannotCompare("the feed is compared on what analysts read, not on a file")
    try:
        rankers: list[Ranker] = [
            live_ranker.use(candidate), live_ranker.use(live) if live else Formula(),
        ]  # fmt: skip
    except CannotUse as error:
        raise CannotCompare(str(error)) from error
    shown = shown_since(timezone.now() - timedelta(days=DAYS), held_out=True)
    if shown is None:
        raise CannotCompare("nothing was shown to analysts whose readings are held out")
    eta = examination(shown)
    found = [ndcg_of_renderings(shown, _scores(each, shown), eta) for each in rankers]
    seconds = seconds_in_turns([partial(_scores, each, shown) for each in rankers])
    of_query = dict(zip(shown.query.tolist(), shown.analyst.tolist(), strict=True))
    units, analysts = numbered([of_query[query] for query in found[0]])
    measured = [
        measured_by_question(list(values.values()), units, seconds=took if live else ())
        for values, took in zip(found, seconds, strict=True)
    ]
    return Comparison(
        "NDCG@10 of readings, by propensity",
        analysts,
        measured[0],
        measured[1],
        detail={
            "renderings": len(found[0]),
            "against": str(live or "the formula"),
            "analysts_held_out": bool(candidate.metadata.get("analysts_held_out")),
        },
    )


def _scores(ranker: Ranker, shown: Shown) -> Floats:
    """As the feed orders: what the ranker says, less what the age costs."""
    cost: Floats = math.log(2) / ranker.half_life * shown.age
    return np.asarray(ranker.score(shown.features)) - cost
