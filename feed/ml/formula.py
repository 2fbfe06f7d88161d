"""The ranking before anything was learned: a weighted sum, also where no model can be used.

The article's cold start is entity overlap and source credibility; stated topics, interests and the
firm's reading are added. Trap: nobody's reading stands behind the weights. They were set by hand
and then moved by a simulated firm (`training.learning.feed_prior`), in which relevance is made up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from feed.ml.facts import Floats
from feed.ml.features import NAMES
from feed.ml.freshness import HALF_LIFE

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
    "taste": 1.5,
}
# What `training.evaluation.feed_prior_of_firm` found near them, see docs/results.md.
WEIGHTS = {
    **BY_HAND,
    "followed_share": 0.1,
    "followed_any": 0.55,
    "followed_main": 0.1,
    "asked_share": 0.05,
    "read_company": 0.05,
    "followed_topic": 0.1,
    "asked_topic": 0.35,
    "topic_match": 0.2,
    "kind_share": 0.1,
    "source_rate": 0.3,
    "profile_cosine": 0.9,
    "interest_cosine": 2.0,
    "firm_topic": 1.5,
    "company_wanted": 3.9,
    "topic_wanted": 1.4,
    "both_wanted": 0.2,
    "taste": 1.0,
}
# What is expected of a card before taste, which is learned from what this leaves unexplained.
UNTASTED = {name: weight for name, weight in WEIGHTS.items() if name != "taste"}


def contributions(rows: Floats, weights: Mapping[str, float] = WEIGHTS) -> Floats:
    """(n, names) to the same shape: what each adds; what is unknown adds nothing."""
    made: Floats = np.nan_to_num(rows) * np.array([weights.get(name, 0.0) for name in NAMES])
    return made


def score(rows: Floats, weights: Mapping[str, float] = WEIGHTS) -> Floats:
    """(n, names) to (n,)."""
    found: Floats = np.nan_to_num(rows) @ np.array([weights.get(name, 0.0) for name in NAMES])
    return found


def expected(rows: Floats, ages: Floats) -> Floats:
    """(n, names) and (n,) days of age to (n,): the score of that moment, without taste."""
    made: Floats = score(rows, UNTASTED) - math.log(2) / HALF_LIFE * ages
    return made
