"""From what an analyst did to a profile: one verb for serving, training and the simulated firm."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from feed.ml.facts import Firm, Floats, Profile

# Days after which what was read counts half, and after which it counts nothing.
HALF_LIFE = 30.0
DAYS = 90
# Seconds of reading from which an opened document counts as read; the article's figure.
READ_SECONDS = 30.0
# A question tells of an interest now.
ASKED_HALF_LIFE = 14.0
# Opened and shut again tells little of what it is about.
BOUNCED = 0.05
MOST_KEPT = 200
# Documents about what is followed whose centroid a profile begins with, the newest.
CENTROID_OF = 50


@dataclass(frozen=True, slots=True)
class Read:
    """One document that an analyst opened; `vector` is of unit length, or empty."""

    days_ago: float
    seconds: float  # of active reading, all visits together
    opens: int
    companies: frozenset[int]
    topics: Mapping[str, float]
    kind: str
    vector: Floats


@dataclass(frozen=True, slots=True)
class Asked:
    days_ago: float
    companies: Sequence[int] = ()
    topics: Sequence[str] = ()


@dataclass(slots=True)
class _Sums:
    companies: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    topics: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    kinds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))


def weight(read: Read) -> float:
    """How much one document says: 2 ** (-days / 30) * min(2, ln(1 + seconds) / ln 31).

    So half a minute of reading is 1, a quarter of an hour 2; coming back to it adds a half.
    """
    if read.seconds < READ_SECONDS and read.opens < 2:
        return BOUNCED * decay(read.days_ago, HALF_LIFE)
    said = min(2.0, math.log1p(read.seconds) / math.log1p(READ_SECONDS))
    return decay(read.days_ago, HALF_LIFE) * (said + 0.5 * (read.opens > 1))


def read_share(seconds: float, opens: float) -> float:
    """1 for a document that was read, next to nothing for one that was opened and left."""
    return 1.0 if seconds >= READ_SECONDS or opens > 1 else BOUNCED


def decay(days: float, half_life: float) -> float:
    """2 ** (-days / half_life); what is in the future counts as now."""
    return float(2.0 ** (-max(0.0, days) / half_life))


def build(
    reads: Iterable[Read],
    asked: Iterable[Asked] = (),
    sources: Mapping[int, tuple[float, float]] | None = None,
    taste: Mapping[str, float] | None = None,
) -> Profile:
    """The profile of these reads, each document once; what is older than 90 days is left out."""
    sums, total, engaged = _Sums(), 0.0, 0
    vector: Floats = np.zeros(0)
    for read in reads:
        if read.days_ago > DAYS:
            continue
        said = weight(read)
        total += said
        engaged += read.seconds >= READ_SECONDS or read.opens > 1
        for company in read.companies:
            # A document that names many companies is about none of them.
            sums.companies[company] += said / math.sqrt(len(read.companies))
        for topic, probability in read.topics.items():
            sums.topics[topic] += said * probability
        sums.kinds[read.kind] += said
        if len(read.vector):
            vector = read.vector * said if not len(vector) else vector + read.vector * said
    length = float(np.linalg.norm(vector)) if len(vector) else 0.0
    asked_companies, asked_topics = _asked(asked)
    return Profile(
        companies=_shares(sums.companies, total),
        topics=_shares(sums.topics, total),
        kinds=_shares(sums.kinds, total),
        sources=dict(sources or {}),
        asked_companies=asked_companies,
        asked_topics=asked_topics,
        engaged=float(engaged),
        taste=dict(taste or {}),
        vector=vector / length if length else np.zeros(0),
    )


def firm_of(profiles: Iterable[Profile]) -> Firm:
    """What all of them read together, each analyst counting alike."""
    topics: defaultdict[str, float] = defaultdict(float)
    sources: defaultdict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    readers = 0
    for profile in profiles:
        readers += profile.engaged > 0
        for topic, share in profile.topics.items():
            topics[topic] += share
        for source, (opened, shown) in profile.sources.items():
            sources[source][0] += opened
            sources[source][1] += shown
    return Firm(
        {topic: share / max(1, readers) for topic, share in topics.items()},
        {source: (opened, shown) for source, (opened, shown) in sources.items()},
    )


def to_json(profile: Profile) -> dict[str, Any]:
    """All of it but the vector, which has a column of its own."""
    return {
        "companies": {str(key): round(share, 5) for key, share in profile.companies.items()},
        "topics": {key: round(share, 5) for key, share in profile.topics.items()},
        "kinds": {key: round(share, 5) for key, share in profile.kinds.items()},
        "sources": {str(key): list(pair) for key, pair in profile.sources.items()},
        "asked_companies": {str(key): round(w, 5) for key, w in profile.asked_companies.items()},
        "asked_topics": {key: round(w, 5) for key, w in profile.asked_topics.items()},
        "engaged": profile.engaged,
        "taste": {name: round(weight, 4) for name, weight in profile.taste.items()},
    }


def from_json(facts: Mapping[str, Any], vector: Floats) -> Profile:
    """What `to_json` wrote; an empty one of an empty one."""
    return Profile(
        companies={int(key): share for key, share in facts.get("companies", {}).items()},
        topics=dict(facts.get("topics", {})),
        kinds=dict(facts.get("kinds", {})),
        sources={int(k): (pair[0], pair[1]) for k, pair in facts.get("sources", {}).items()},
        asked_companies={int(k): w for k, w in facts.get("asked_companies", {}).items()},
        asked_topics=dict(facts.get("asked_topics", {})),
        engaged=float(facts.get("engaged", 0.0)),
        taste=dict(facts.get("taste", {})),
        vector=vector,
    )


def _shares(sums: Mapping[Any, float], total: float) -> dict[Any, float]:
    largest = sorted(sums.items(), key=lambda pair: -pair[1])[:MOST_KEPT]
    return {key: min(1.0, value / total) for key, value in largest} if total > 0 else {}


def _asked(asked: Iterable[Asked]) -> tuple[dict[int, float], dict[str, float]]:
    """Each at most 1, however often it was asked about."""
    companies: defaultdict[int, float] = defaultdict(float)
    topics: defaultdict[str, float] = defaultdict(float)
    for one in asked:
        said = decay(one.days_ago, ASKED_HALF_LIFE)
        for company in one.companies:
            companies[company] += said
        for topic in one.topics:
            topics[topic] += said
    return (
        {key: min(1.0, value) for key, value in companies.items()},
        {key: min(1.0, value) for key, value in topics.items()},
    )
