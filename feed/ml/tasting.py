"""What somebody reads and passes over beyond what they have said: a weight for each topic, company,
source and kind.

A Bayesian logistic regression of what was read among what was looked at (one Newton step of the
Laplace approximation, Rasmussen and Williams 2006, 3.4), beside what the formula expected: so
it tells only what the formula does not know. Trap: the scores that it is given must not hold an
earlier taste, or it would explain itself away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from docintel.logistic import logistic
from feed.ml.facts import Documents, Floats
from feed.ml.wanting import about

# Days after which a card that was shown counts half, and of how many documents taste is made.
HALF_LIFE = 14.0
MOST = 300
# The variance of a weight before anything was read; half of it for sources and kinds, as each
# document has one of each.
VARIANCE = 0.5
OF_FORM = 0.5
# By how much the log-odds of a reading rise with the formula's score, and what they are at a score
# of 0: as in the simulated firm, but an analyst who reads more or less of all moves the level.
SLOPE, LEVEL, OF_LEVEL = 0.6, -4.0, 0.25
MOST_KEPT = 300
# Taste for what nothing was read or passed over of is nothing.
LEAST_KEPT = 1e-3


def attributes(documents: Documents) -> tuple[list[str], Floats]:
    """The names of what documents are of, and (documents, names) how much each is of it."""
    columns = [about(documents.topics)]
    names = [f"topic {key}" for key in documents.topic_keys]
    for word, values in (("source", documents.sources.tolist()), ("kind", documents.kinds)):
        known = sorted(set(values))
        names += [f"{word} {value}" for value in known]
        is_one = np.array([[value == each for each in known] for value in values], dtype=float)
        columns.append(np.sqrt(OF_FORM) * is_one.reshape(len(documents), len(known)))
    companies = sorted(frozenset().union(*documents.companies))
    place = {company: at for at, company in enumerate(companies)}
    named = np.zeros((len(documents), len(companies)))
    for row, several in enumerate(documents.companies):
        named[row, [place[company] for company in several]] = 1 / np.sqrt(max(1, len(several)))
    names += [f"company {company}" for company in companies]
    return names, np.concatenate([*columns, named], axis=1)


def learn(documents: Documents, looked: Floats, read: Floats, scores: Floats) -> dict[str, float]:
    """Attribute -> its weight in log-odds, of documents that were shown.

    Of each: how often it was looked at, as a sum of chances; how often it was read, at most that;
    and what the formula gave it then, age and all but taste.
    """
    if not len(documents):
        return {}
    names, table = attributes(documents)
    expected = logistic(_levelled(SLOPE * scores, looked, read))
    missed = read - looked * expected
    spread = np.sqrt(np.maximum(looked * expected * (1 - expected), 1e-6))
    kernel = VARIANCE * table @ table.T
    inner = np.eye(len(documents)) + spread[:, None] * kernel * spread[None, :]
    told = missed - spread * np.linalg.solve(inner, spread * (kernel @ missed))
    weights = VARIANCE * table.T @ told
    largest = np.argsort(-np.abs(weights), kind="stable")[:MOST_KEPT]
    return {names[at]: float(weights[at]) for at in largest if abs(weights[at]) >= LEAST_KEPT}


def _levelled(log_odds: Floats, looked: Floats, read: Floats) -> Floats:
    """With the likeliest level: near LEVEL, and as many readings expected as there were."""
    low, high = LEVEL - 10.0, LEVEL + 10.0
    for _ in range(40):
        level = (low + high) / 2
        missed = (read - looked * logistic(log_odds + level)).sum()
        if missed > (level - LEVEL) / OF_LEVEL:
            low = level
        else:
            high = level
    return log_odds + low


def tastes(documents: Documents, weights: Sequence[Mapping[str, float]]) -> Floats:
    """(documents, analysts): the log-odds that each one's taste adds."""
    made = np.zeros((len(documents), len(weights)))
    if not len(documents) or not any(weights):
        return made
    names, table = attributes(documents)
    for at, own in enumerate(weights):
        known = [column for column, name in enumerate(names) if name in own]
        if known:
            values = np.array([own[names[column]] for column in known])
            made[:, at] = table[:, known] @ values
    return made
