"""How likely somebody wants a document's companies and its topics, by all that tells of either.

To follow a company, to ask about it and to read of it tell the same thing, so together they are a
probability ("noisy or", Pearl 1988) and no sum: who follows and asks does not want it twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from feed.ml.facts import Analyst, Documents, Floats

# The chance that a company is wanted that is followed, that was asked about just now, and of which
# a document was read. By hand; the weights of what follows from them are fitted.
FOLLOWED, ASKED, READ = 0.8, 0.9, 0.3
# Log-odds of a topic's probability below which a document says nothing of it, and above which it is
# about it: classifiers learned on other texts are too careful, yet put the right ones in front.
NOTHING, ABOUT = -5.0, 0.0


def companies_wanted(documents: Documents, analysts: Sequence[Analyst]) -> Floats:
    """(documents, analysts): the likeliest wanted of the companies that a document names, or 0."""
    made = np.zeros((len(documents), len(analysts)))
    # One row for each pair of a document and a company, so that the likeliest is one reduction.
    named = [sorted(companies) for companies in documents.companies]
    counts = np.array([len(companies) for companies in named], dtype=np.int64)
    has = np.flatnonzero(counts)
    if not len(has):
        return made
    keys, place = np.unique(np.concatenate([named[row] for row in has]), return_inverse=True)
    wanted = np.array([[_wanted(one, key) for key in keys.tolist()] for one in analysts]).T
    starts = np.cumsum(counts[has]) - counts[has]
    made[has] = np.maximum.reduceat(wanted[place], starts, axis=0)
    return made


def _wanted(analyst: Analyst, company: int) -> float:
    profile = analyst.profile
    read = min(1.0, profile.companies.get(company, 0.0) * profile.engaged)
    asked = profile.asked_companies.get(company, 0.0)
    return 1 - (1 - FOLLOWED * (company in analyst.companies)) * (1 - ASKED * asked) * (
        1 - READ * read
    )


def topics_wanted(documents: Documents, analysts: Sequence[Analyst]) -> Floats:
    """(documents, analysts): how much a document is about a topic that is followed or asked about,
    the best of them."""
    told = about(documents.topics)
    made = np.zeros((len(documents), len(analysts)))
    for at, analyst in enumerate(analysts):
        asked = analyst.profile.asked_topics
        wanted = [
            1.0 if key in analyst.topics else asked.get(key, 0.0) for key in documents.topic_keys
        ]
        if any(wanted):
            made[:, at] = (told * np.array(wanted)).max(axis=1)
    return made


def about(probabilities: Floats) -> Floats:
    """0 to 1: how much a document is about a topic of this probability."""
    said = np.clip(probabilities, 1e-6, 1 - 1e-6)
    made: Floats = np.clip((np.log(said / (1 - said)) - NOTHING) / (ABOUT - NOTHING), 0.0, 1.0)
    return made
