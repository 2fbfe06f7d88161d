"""Recency by the clock, without anything to be written again as documents age.

A score is a log-odds, so a relevance that halves every `half_life` days loses ln 2 / half_life a
day, the same for every document. What two documents differ by stays what it was, hence
`order = score + ln 2 / half_life * days since 2000` gives at every moment the order of
`score - ln 2 / half_life * age`, and an index over `order` never goes stale.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta

# By hand, as what a simulated firm wears out is made up too; its fit says 1.5.
HALF_LIFE = 2.0
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
# What arrives long after it was published is news of a kind all the same.
OLDEST = timedelta(days=30)


def fresh_at(published_on: date | None, received_at: datetime) -> datetime:
    """From when a document's age counts: its day of publication, at most 30 days before arrival.

    A day has no hour; one that came on the day it was published counts from its arrival.
    """
    if published_on is None:
        return received_at
    published = datetime.combine(published_on, time(12), tzinfo=UTC)
    return max(min(published, received_at), received_at - OLDEST)


def gain(at: datetime, half_life: float) -> float:
    """What is added to the score of a document whose age counts from `at`."""
    return math.log(2) / half_life * ((at - EPOCH) / timedelta(days=1))


def order(score: float, at: datetime, half_life: float) -> float:
    return score + gain(at, half_life)
