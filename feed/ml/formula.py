"""The ranking before anything was learned: a weighted sum, also where no model can be used.

The article's cold start is entity overlap and source credibility; stated topics, interests and the
firm's reading are added. The weights are not learned: they say that what a person follows outweighs
what the firm reads, and that a company followed outweighs a topic.
"""

from __future__ import annotations

import numpy as np

from feed.ml.facts import Floats
from feed.ml.features import NAMES

WEIGHTS = {
    "followed_share": 2.0,
    "followed_main": 1.5,
    "asked_share": 1.5,
    "read_company": 1.5,
    "followed_topic": 1.5,
    "asked_topic": 1.0,
    "topic_match": 1.0,
    "kind_share": 0.5,
    "followed_kind": 0.75,
    "credibility": 1.0,
    "source_rate": 1.5,
    "followed_source": 0.75,
    "profile_cosine": 2.0,
    "interest_cosine": 2.0,
    "phrase": 1.5,
    "seen_similar": -1.5,
    "firm_topic": 0.5,
}
_VECTOR = np.array([WEIGHTS.get(name, 0.0) for name in NAMES])


def contributions(rows: Floats) -> Floats:
    """(n, names) to the same shape: what each adds; what is unknown adds nothing."""
    made: Floats = np.nan_to_num(rows) * _VECTOR
    return made


def score(rows: Floats) -> Floats:
    """(n, names) to (n,)."""
    found: Floats = contributions(rows).sum(axis=-1)
    return found
