"""The ranking before anything was learned: a weighted sum, also where no model can be used.

The article's cold start is entity overlap and source credibility; stated topics, interests and the
firm's reading are added. Trap: nobody's reading stands behind the weights. They were set by hand
and then moved by a simulated firm (`training.learning.feed_prior`), in which relevance is made up.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from feed.ml.facts import Floats
from feed.ml.features import NAMES

# What a person follows outweighs what the firm reads, and a company followed outweighs a topic.
BY_HAND = {
    "followed_share": 1.0,
    "followed_any": 1.5,
    "followed_main": 1.0,
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
# What `manage.py evaluate feed FOLDER --prior --until 21` found near them, see docs/results.md.
WEIGHTS = {
    **BY_HAND,
    "followed_share": 0.3,
    "followed_any": 3.2,
    "followed_main": 0.2,
    "asked_share": 0.55,
    "read_company": 0.3,
    "followed_topic": 0.75,
    "asked_topic": 1.35,
    "topic_match": 0.5,
    "kind_share": 0.1,
    "source_rate": 1.0,
    "profile_cosine": 1.7,
    "interest_cosine": 2.2,
    "firm_topic": 1.8,
}


def contributions(rows: Floats, weights: Mapping[str, float] = WEIGHTS) -> Floats:
    """(n, names) to the same shape: what each adds; what is unknown adds nothing."""
    made: Floats = np.nan_to_num(rows) * np.array([weights.get(name, 0.0) for name in NAMES])
    return made


def score(rows: Floats, weights: Mapping[str, float] = WEIGHTS) -> Floats:
    """(n, names) to (n,)."""
    found: Floats = np.nan_to_num(rows) @ np.array([weights.get(name, 0.0) for name in NAMES])
    return found
