"""What the ranker sees of a document and an analyst: the one function of serving and training.

Trap: the order of `NAMES` is what a model was trained on; a model with other names is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from feed.ml.facts import Analyst, Documents, Firm, Floats
from feed.ml.tasting import tastes
from feed.ml.wanting import companies_wanted, topics_wanted

NAMES = (
    "followed_share",  # of the document's companies
    "followed_any",  # whether it names one at all
    "followed_main",  # the company whose document it is
    "asked_share",  # of its companies, in questions of late
    "read_company",  # the share of reading that named its companies, the best of them
    "followed_topic",  # the probability of the likeliest followed one
    "asked_topic",
    "topic_match",  # topic probabilities . the analyst's topics
    "kind_share",  # of the analyst's reading
    "followed_kind",
    "credibility",
    "source_rate",  # opened of shown, shrunk towards the firm's rate
    "followed_source",
    "profile_cosine",
    "interest_cosine",  # the nearest stated interest
    "phrase",
    "seen_similar",
    "length",  # log10 of its characters
    "engaged",  # log(1 + documents read): how much there is to go by
    "follows",  # log(1 + companies followed)
    "firm_topic",  # topic probabilities . what the firm reads
    "company_wanted",  # by following, asking and reading together; see `feed.ml.wanting`
    "topic_wanted",
    "both_wanted",  # the product of the two: what is of a wanted company and of a wanted topic
    "taste",  # what reading tells beyond all this; see `feed.ml.tasting`
)
# Impressions that a source's rate is believed at half for.
SHRINKAGE = 20.0
FIRM_RATE = 0.1


def features(documents: Documents, analysts: Sequence[Analyst], firm: Firm) -> Floats:
    """(documents, analysts, names); NaN where it cannot be known.

    Freshness is not among them: it is added by the clock (`feed.ml.freshness`).
    """
    made = np.full((len(documents), len(analysts), len(NAMES)), np.nan)
    if not made.size:
        return made
    column = {name: made[:, :, at] for at, name in enumerate(NAMES)}
    profiles = [analyst.profile for analyst in analysts]
    _of_companies(column, documents, analysts)
    topics = documents.topics
    keys = documents.topic_keys
    followed = np.array([[key in a.topics for key in keys] for a in analysts], dtype=np.float64)
    column["followed_topic"][:] = _best(topics, followed)
    column["asked_topic"][:] = _best(topics, _weights([p.asked_topics for p in profiles], keys))
    column["topic_match"][:] = topics @ _weights([p.topics for p in profiles], keys).T
    column["firm_topic"][:] = topics @ _weights([firm.topics], keys).T
    column["company_wanted"][:] = companies_wanted(documents, analysts)
    column["topic_wanted"][:] = topics_wanted(documents, analysts)
    column["both_wanted"][:] = column["company_wanted"] * column["topic_wanted"]
    column["taste"][:] = tastes(documents, [profile.taste for profile in profiles])
    kinds = tuple(dict.fromkeys(documents.kinds))
    is_kind = np.array([[kind == each for each in kinds] for kind in documents.kinds], dtype=float)
    column["kind_share"][:] = is_kind @ _weights([p.kinds for p in profiles], kinds).T
    column["followed_kind"][:] = [[kind in a.kinds for a in analysts] for kind in documents.kinds]
    _of_sources(column, documents, analysts, firm)
    _of_vectors(column, documents, analysts)
    column["phrase"][:] = 0.0
    for at in [at for at, analyst in enumerate(analysts) if analyst.phrases]:
        column["phrase"][:, at] = [
            any(phrase in opening for phrase in analysts[at].phrases)
            for opening in documents.opening
        ]
    seen = [analyst.seen for analyst in analysts]
    groups = documents.groups.tolist()
    column["seen_similar"][:] = [[group in one for one in seen] for group in groups]
    column["length"][:] = np.log10(np.maximum(documents.characters, 1.0))[:, None]
    column["engaged"][:] = np.log1p([profile.engaged for profile in profiles])
    column["follows"][:] = np.log1p([len(analyst.companies) for analyst in analysts])
    return made


def _of_companies(
    column: Mapping[str, Floats], documents: Documents, analysts: Sequence[Analyst]
) -> None:
    vocabulary = sorted(frozenset().union(*documents.companies, documents.main.tolist()))
    place = {company: at for at, company in enumerate(vocabulary)}
    named = np.zeros((len(documents), len(vocabulary)))
    for row, companies in enumerate(documents.companies):
        named[row, [place[company] for company in companies]] = 1.0
    count = np.maximum(named.sum(axis=1), 1.0)[:, None]
    followed = np.array([[key in a.companies for key in vocabulary] for a in analysts], dtype=float)
    followed = followed.reshape(len(analysts), len(vocabulary))
    profiles = [analyst.profile for analyst in analysts]
    hits = named @ followed.T
    column["followed_share"][:] = hits / count
    column["followed_any"][:] = hits > 0
    main = [place[company] for company in documents.main.tolist()]
    column["followed_main"][:] = followed[:, main].T * (documents.main != 0)[:, None]
    asked = _weights([p.asked_companies for p in profiles], vocabulary)
    column["asked_share"][:] = named @ asked.T / count
    read = _weights([p.companies for p in profiles], vocabulary)
    for row, companies in enumerate(documents.companies):
        at = [place[company] for company in companies]
        column["read_company"][row] = read[:, at].max(axis=1, initial=0.0)


def _of_sources(
    column: Mapping[str, Floats], documents: Documents, analysts: Sequence[Analyst], firm: Firm
) -> None:
    column["credibility"][:] = documents.credibility[:, None]
    sources, of = np.unique(documents.sources, return_inverse=True)
    nothing = (0.0, 0.0)
    own = np.array(
        [[a.profile.sources.get(s, nothing) for a in analysts] for s in sources.tolist()]
    )
    prior = np.array([firm_rate(firm, source) for source in sources.tolist()])[:, None]
    rates = (own[:, :, 0] + prior * SHRINKAGE) / (own[:, :, 1] + SHRINKAGE)
    column["source_rate"][:] = rates[of]
    followed = np.array([[s in a.sources for a in analysts] for s in sources.tolist()])
    column["followed_source"][:] = followed[of]


def firm_rate(firm: Firm, source: int) -> float:
    """Of the source's cards, the share that the firm opens: by hand, else as learned, shrunk."""
    if source in firm.by_hand:
        return firm.by_hand[source]
    opened, shown = firm.sources.get(source, (0.0, 0.0))
    return (opened + FIRM_RATE * SHRINKAGE) / (shown + SHRINKAGE)


def _of_vectors(
    column: Mapping[str, Floats], documents: Documents, analysts: Sequence[Analyst]
) -> None:
    if not documents.vectors.any():
        return
    known = np.asarray(documents.vectors.any(axis=1))[:, None]
    has = [at for at, analyst in enumerate(analysts) if len(analyst.profile.vector)]
    if has:
        vectors = np.array([analysts[at].profile.vector for at in has])
        column["profile_cosine"][:, has] = np.where(known, documents.vectors @ vectors.T, np.nan)
    states = [at for at, analyst in enumerate(analysts) if analyst.interests.size]
    if states:
        several = [analysts[at].interests for at in states]
        starts = np.cumsum([0, *(len(each) for each in several[:-1])])
        best = np.maximum.reduceat(documents.vectors @ np.concatenate(several).T, starts, axis=1)
        column["interest_cosine"][:, states] = np.where(known, best, np.nan)


def _weights(rows: Sequence[Mapping[Any, float]], keys: Sequence[Any]) -> Floats:
    """(rows, keys), zero where a row does not have the key."""
    made = np.zeros((len(rows), len(keys)))
    place = {key: at for at, key in enumerate(keys)}
    for line, row in enumerate(rows):
        for key, value in row.items():
            if key in place:
                made[line, place[key]] = value
    return made


def _best(topics: Floats, weights: Floats) -> Floats:
    """(documents, analysts): the greatest product of a probability and a weight."""
    if not topics.shape[1]:
        return np.zeros((len(topics), len(weights)))
    return np.stack([(topics * row).max(axis=1) for row in weights], axis=1)
