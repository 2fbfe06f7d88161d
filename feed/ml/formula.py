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
# What following, asking and reading say alike is said once, by what is wanted.
BY_HAND = {
    "followed_share": 0.5,
    "followed_any": 0.5,
    "followed_main": 0.5,
    "asked_share": 0.25,
    "read_company": 0.25,
    "followed_topic": 0.5,
    "asked_topic": 0.25,
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
    "company_wanted": 4.0,
    "topic_wanted": 2.0,
    "both_wanted": 1.0,
}
# What `training.evaluation.feed_prior_of_firm` found near them, see docs/results.md.
WEIGHTS = {
    **BY_HAND,
    "followed_share": 0.1,
    "followed_any": 0.45,
    "followed_main": 0.1,
    "asked_share": 0.05,
    "read_company": 0.05,
    "followed_topic": 0.1,
    "asked_topic": 0.4,
    "topic_match": 0.7,
    "kind_share": 0.1,
    "source_rate": 0.65,
    "profile_cosine": 1.2,
    "interest_cosine": 1.65,
    "firm_topic": 1.4,
    "company_wanted": 3.8,
    "topic_wanted": 1.3,
    "both_wanted": 0.2,
}


def contributions(rows: Floats, weights: Mapping[str, float] = WEIGHTS) -> Floats:
    """(n, names) to the same shape: what each adds; what is unknown adds nothing."""
    made: Floats = np.nan_to_num(rows) * np.array([weights.get(name, 0.0) for name in NAMES])
    return made


def score(rows: Floats, weights: Mapping[str, float] = WEIGHTS) -> Floats:
    """(n, names) to (n,)."""
    found: Floats = np.nan_to_num(rows) @ np.array([weights.get(name, 0.0) for name in NAMES])
    return found
