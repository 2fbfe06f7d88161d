"""Two rankers of passages on questions mined about companies that no training learns from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from docintel import registry
from docintel.lightgbm_text import BadTrees
from docintel.models import ModelVersion
from qa.ranking import reranking
from qa.ranking.reranking import Learned
from training.comparing.comparison import CannotCompare, Comparison, seconds_in_turns
from training.comparing.orders import compare_orders
from training.learning.ranker_candidates import Floats, Group, collect

# Asked of the serving code, at about a third of a second each.
MOST = 400
AS_BUNDLED = "the one that comes with the code"


def live(name: str) -> ModelVersion | None:
    """None where the one that comes with the code ranks."""
    return registry.live(name)


def compare(
    candidate: ModelVersion, live: ModelVersion | None, folder: Path | None = None
) -> Comparison:
    """NDCG@10 of both among each question's candidates as retrieval finds them.

    Raises CannotCompare, also for a folder: a question's candidates are the corpus at hand.
    """
    if folder is not None:
        raise CannotCompare("a ranker is compared on the filings that are indexed, not on a file")
    try:
        versions = [reranking.ranker_of(candidate), reranking.ranker_of(live)]
    except BadTrees as error:
        raise CannotCompare(str(error)) from error
    groups = collect(MOST, held_out=True)
    found = [_scored(each, groups) for each in versions]
    seconds = seconds_in_turns([partial(_scored, each, groups) for each in versions])
    asked = [(group.mined, group.grades) for group in groups]
    return compare_orders(
        "NDCG@10 of passages", asked, found, seconds, against=str(live or AS_BUNDLED)
    )


def _scored(ranker: Learned, groups: Sequence[Group]) -> list[Floats]:
    return [np.array(ranker.score(group.rows)) for group in groups]
