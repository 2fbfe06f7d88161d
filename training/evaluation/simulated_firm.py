"""A made-up firm over a real newswire: what its analysts really want, and how they click.

Relevance rests on what editors said (topics, places), on companies, offices and form, and on
chance; the ranker is told companies, offices and form, but topics and places only by the texts.

Clicks: the position-based model with P(looked at) = 1 / position (Joachims, Swaminathan and
Schnabel 2017) and P(click | looked at) = e + (1 - e) (2^grade - 1) / 15 (Chapelle and others 2009,
with noise e as in Joachims'). Dwell: Weibull with a shape below 1 (Liu, White and Dumais 2010).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from feed.ml.facts import Analyst, Floats, Profile
from training.evaluation.newswire import Newswire

NOISE = 0.05
DWELL_SHAPE = 0.8
# Seconds of scale by grade, 0 to 4.
DWELL_SCALE = np.array([12.0, 25.0, 60.0, 110.0, 160.0])
REOPENS = 0.06
# What a document is worth to somebody is a sum of these and of chance.
TOPIC, COMPANY, PLACE, OFFICE, FORM, CHANCE = 1.0, 1.2, 0.5, 0.3, 0.3, 0.2
A_DAY = 0.12
# Of all pairs of analysts and documents, those below these shares are of grade 0, 1, 2 and 3.
SHARES = (0.85, 0.93, 0.97, 0.99)
FOLLOWED = 0.6
STATED = 0.5


@dataclass(slots=True)
class Wants:
    """What one analyst really wants; `follows` and `interests` is what they have said of it."""

    topics: dict[str, float]
    companies: frozenset[int]
    places: frozenset[str]
    offices: frozenset[int]
    kind: str
    follows: frozenset[int] = frozenset()
    followed_topics: frozenset[str] = frozenset()
    interests: Floats = field(default_factory=lambda: np.zeros((0, 0)))


class Firm:
    """`n` analysts; from `drifts_at` on (days) a third of them wants other things."""

    def __init__(self, wire: Newswire, n: int, drifts_at: float, seed: int) -> None:
        self.wire = wire
        self.dice = np.random.default_rng(seed)
        self.drifts_at = drifts_at
        counted = Counter(topic for topics in wire.topics for topic in topics)
        self._topics = [topic for topic, count in counted.items() if count >= 10]
        self._chances = np.sqrt([counted[topic] for topic in self._topics])
        self._chances /= self._chances.sum()
        self._places = Counter(place for places in wire.places for place in places)
        self.before = [self._wants() for _ in range(n)]
        self.drifted = np.arange(n) % 3 == 0
        self.after = [
            self._drift(wants) if self.drifted[at] else wants
            for at, wants in enumerate(self.before)
        ]
        self._chance = self.dice.normal(0, CHANCE, (n, len(wire.documents))).astype(np.float32)
        worth = [self._worth(self.before), self._worth(self.after)]
        self.limits = np.quantile(worth[0], SHARES)
        self._worth_by_time = worth

    def analyst(self, at: int, day: float, profile: Profile, seen: frozenset[int]) -> Analyst:
        """What the product knows of analyst number `at` on that day."""
        wants = self._current(day)[at]
        return Analyst(
            id=at, companies=wants.follows, topics=wants.followed_topics,
            interests=wants.interests, profile=profile, seen=seen,
        )  # fmt: skip

    def grades(self, day: float, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """(analysts, rows): what these documents are really worth on that day, 0 to 4."""
        worth = self._worth_by_time[int(day >= self.drifts_at)][:, rows]
        age = np.maximum(0.0, day - self.wire.days[rows])
        return np.searchsorted(self.limits, worth - A_DAY * age[None, :]).astype(np.int64)

    def expected(self, day: float, rows: NDArray[np.int64]) -> Floats:
        """The same before chance has its say: what the best of rankers could know."""
        worth = self._worth_by_time[int(day >= self.drifts_at)] - self._chance
        return np.asarray(worth[:, rows] - A_DAY * np.maximum(0.0, day - self.wire.days[rows]))

    def asked(self, at: int, day: float) -> list[int]:
        """The companies of the question that the analyst asks that day, if any."""
        companies = sorted(self._current(day)[at].companies)
        if not companies or self.dice.random() > 0.3:
            return []
        return [companies[int(self.dice.integers(len(companies)))]]

    def clicks(self, grades: NDArray[np.int64]) -> NDArray[np.bool_]:
        """For the cards of a page, best first: which are opened."""
        looked = self.dice.random(len(grades)) < 1 / np.arange(1, len(grades) + 1)
        attracted = NOISE + (1 - NOISE) * (2.0**grades - 1) / 15
        return looked & (self.dice.random(len(grades)) < attracted)

    def reading(self, grades: NDArray[np.int64]) -> tuple[Floats, NDArray[np.bool_]]:
        """Seconds of reading of opened documents, and which are opened again."""
        seconds = DWELL_SCALE[grades] * self.dice.weibull(DWELL_SHAPE, len(grades))
        return seconds, self.dice.random(len(grades)) < REOPENS * grades

    def _current(self, day: float) -> list[Wants]:
        return self.after if day >= self.drifts_at else self.before

    def _wants(self) -> Wants:
        dice, wire = self.dice, self.wire
        chosen = dice.choice(
            len(self._topics), int(dice.integers(2, 5)), replace=False, p=self._chances
        )
        topics = {self._topics[at]: float(dice.uniform(0.5, 1.0)) for at in chosen}
        near = Counter(
            company
            for row, own in enumerate(wire.topics)
            if own & topics.keys() or dice.random() < 0.1
            for company in wire.documents.companies[row]
        )
        names = sorted(near)
        share = np.sqrt([near[name] for name in names]) if names else np.zeros(0)
        count = min(len(names), int(dice.integers(8, 26)))
        covered: list[int] = []
        if count:
            covered = dice.choice(names, count, replace=False, p=share / share.sum()).tolist()
        places = dice.choice(sorted(self._places), 2, replace=False)
        offices = dice.choice(np.unique(wire.documents.sources), 3, replace=False)
        kind = str(dice.choice(["announcement", "research_note", "news"]))
        wants = Wants(
            topics, frozenset(covered), frozenset(map(str, places)),
            frozenset(int(o) for o in offices), kind,
        )  # fmt: skip
        return self._said(wants)

    def _said(self, wants: Wants) -> Wants:
        """Some of what they want they follow, and some topics they state in a word."""
        dice = self.dice
        wants.follows = frozenset(c for c in sorted(wants.companies) if dice.random() < FOLLOWED)
        stated = [topic for topic in sorted(wants.topics) if dice.random() < STATED]
        known = self.wire.mapped
        wants.followed_topics = frozenset(known[t] for t in stated if t in known)
        vectors = [self.wire.words[topic] for topic in stated]
        wants.interests = np.array(vectors) if vectors else np.zeros((0, 0))
        return wants

    def _drift(self, wants: Wants) -> Wants:
        """Half of the topics and of the companies are others; they follow what they followed."""
        fresh = self._wants()
        kept = dict(list(wants.topics.items())[: len(wants.topics) // 2])
        old = sorted(wants.companies)[::2]
        return Wants(
            kept | dict(list(fresh.topics.items())[: max(1, len(wants.topics) - len(kept))]),
            frozenset(old) | frozenset(sorted(fresh.companies)[::2]),
            wants.places, wants.offices, wants.kind,
            wants.follows, wants.followed_topics, wants.interests,
        )  # fmt: skip

    def _worth(self, wants: list[Wants]) -> NDArray[np.float32]:
        """(analysts, documents), without age."""
        wire, documents = self.wire, self.wire.documents
        worth = self._chance.copy()
        for at, one in enumerate(wants):
            for row in range(len(documents)):
                about = max((one.topics.get(topic, 0.0) for topic in wire.topics[row]), default=0)
                worth[at, row] += TOPIC * about
                worth[at, row] += COMPANY * bool(one.companies & documents.companies[row])
                worth[at, row] += PLACE * bool(one.places & wire.places[row])
            worth[at] += OFFICE * np.isin(documents.sources, list(one.offices))
            worth[at] += FORM * np.array([kind == one.kind for kind in documents.kinds])
        return worth
