"""A made-up firm over a real newswire: what its analysts really want, and how they click.

Relevance rests on what editors said (topics, places), on companies, offices and form, and on
chance; the ranker is told companies, offices and form, but topics and places only by the texts.

Clicks: the position-based model with P(looked at) = 1 / position (Joachims, Swaminathan and
Schnabel 2017) and P(click | looked at) = e + (1 - e) (2^grade - 1) / 15 (Chapelle and others 2009,
with noise e as in Joachims'). Dwell: Weibull with a shape below 1 (Liu, White and Dumais 2010).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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
# Of the companies that are covered, those that are followed: from the first day, and of those that
# came later, on the day they came or after reading of one. Of the topics, those stated in a word.
FOLLOWED, FOLLOWED_LATER, FOLLOWED_ONCE_READ = 0.9, 0.5, 0.3
STATED = 0.5
# The share of analysts who come to want other things, each on a day of their own.
DRIFTING = 1 / 3
# Questions in a day: about one of the companies, and about one of the topics.
ASKS_OF_COMPANY, ASKS_OF_TOPIC = 0.6, 0.4
# Nobody covers what is named only once: it would be wanted where nothing can tell of it.
FEWEST_STORIES = 2


@dataclass(slots=True)
class Wants:
    """What one analyst really wants; `follows` and `interests` is what they have said of it
    before the first day."""

    topics: dict[str, float]
    companies: frozenset[int]
    places: frozenset[str]
    offices: frozenset[int]
    kind: str
    follows: frozenset[int] = frozenset()
    followed_topics: frozenset[str] = frozenset()
    interests: Floats = field(default_factory=lambda: np.zeros((0, 0)))


class Firm:
    """`n` analysts; each third one comes to want other things, some day before `until`."""

    def __init__(self, wire: Newswire, n: int, until: float, seed: int) -> None:
        self.wire = wire
        self.dice = np.random.default_rng(seed)
        counted = Counter(topic for topics in wire.topics for topic in sorted(topics))
        self._topics = [topic for topic, count in counted.items() if count >= 10]
        self._chances = np.sqrt([counted[topic] for topic in self._topics])
        self._chances /= self._chances.sum()
        self._places = Counter(place for places in wire.places for place in sorted(places))
        named = Counter(name for names in wire.documents.companies for name in names)
        self._newsworthy = {name for name, count in named.items() if count >= FEWEST_STORIES}
        self.before = [self._wants() for _ in range(n)]
        self.drifts_at = self.dice.uniform(float(wire.days.min()), until, n)
        self.drifts_at[np.arange(n) % round(1 / DRIFTING) > 0] = np.inf
        self.after = [
            self._drift(wants) if self.drifts_at[at] < until else wants
            for at, wants in enumerate(self.before)
        ]
        self._of_topic = _rows_by(wire.topics)
        self._of_place = _rows_by(wire.places)
        self._of_company = _rows_by(wire.documents.companies)
        self._once_read: list[set[int]] = [set() for _ in range(n)]
        self._chance = self.dice.normal(0, CHANCE, (n, len(wire.documents))).astype(np.float32)
        worth = [self._worth(self.before), self._worth(self.after)]
        self.limits = np.quantile(worth[0], SHARES)
        self._worth_by_time = worth

    def analyst(self, at: int, day: float, profile: Profile, seen: frozenset[int]) -> Analyst:
        """What the product knows of analyst number `at` on that day."""
        wants = self._wants_of(at, day)
        return Analyst(
            id=at, companies=wants.follows | self._once_read[at], topics=wants.followed_topics,
            interests=wants.interests, profile=profile, seen=seen,
        )  # fmt: skip

    def grades(self, day: float, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """(analysts, rows): what these documents are really worth on that day, 0 to 4."""
        return np.searchsorted(self.limits, self._worth_on(day, rows)).astype(np.int64)

    def expected(self, day: float, rows: NDArray[np.int64]) -> Floats:
        """The same before chance has its say: what the best of rankers could know."""
        return np.asarray(self._worth_on(day, rows) - self._chance[:, rows])

    def _worth_on(self, day: float, rows: NDArray[np.int64]) -> Floats:
        before, after = (worth[:, rows] for worth in self._worth_by_time)
        worth = np.where((day >= self.drifts_at)[:, None], after, before)
        return np.asarray(worth - A_DAY * np.maximum(0.0, day - self.wire.days[rows]))

    def asked(self, at: int, day: float) -> tuple[list[int], list[str]]:
        """The companies and the product's topics of what the analyst asks that day, if anything."""
        wants = self._wants_of(at, day)
        companies, topics = sorted(wants.companies), sorted(wants.topics)
        some = self.dice.random(2) < (ASKS_OF_COMPANY * bool(companies), ASKS_OF_TOPIC)
        chosen = [str(self.dice.choice(topics))] if some[1] else []
        return (
            [int(self.dice.choice(companies))] if some[0] else [],
            [self.wire.mapped[topic] for topic in chosen if topic in self.wire.mapped],
        )

    def read(self, at: int, day: float, row: int) -> None:
        """What somebody has read they may follow from then on, if it is what they want."""
        wants, main = self._wants_of(at, day), int(self.wire.documents.main[row])
        if main in wants.companies and self.dice.random() < FOLLOWED_ONCE_READ:
            self._once_read[at].add(main)

    def clicks(self, grades: NDArray[np.int64]) -> NDArray[np.bool_]:
        """For the cards of a page, best first: which are opened."""
        looked = self.dice.random(len(grades)) < 1 / np.arange(1, len(grades) + 1)
        attracted = NOISE + (1 - NOISE) * (2.0**grades - 1) / 15
        return looked & (self.dice.random(len(grades)) < attracted)

    def reading(self, grades: NDArray[np.int64]) -> tuple[Floats, NDArray[np.bool_]]:
        """Seconds of reading of opened documents, and which are opened again."""
        seconds = DWELL_SCALE[grades] * self.dice.weibull(DWELL_SHAPE, len(grades))
        return seconds, self.dice.random(len(grades)) < REOPENS * grades

    def _wants_of(self, at: int, day: float) -> Wants:
        return (self.after if day >= self.drifts_at[at] else self.before)[at]

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
            if company in self._newsworthy
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
        """Half of the topics and of the companies are others; nobody unfollows the old ones."""
        fresh = self._wants()
        kept = dict(list(wants.topics.items())[: len(wants.topics) // 2])
        old, new = sorted(wants.companies)[::2], sorted(fresh.companies)[::2]
        later = frozenset(c for c in new if self.dice.random() < FOLLOWED_LATER)
        return Wants(
            kept | dict(list(fresh.topics.items())[: max(1, len(wants.topics) - len(kept))]),
            frozenset(old) | frozenset(new), wants.places, wants.offices, wants.kind,
            wants.follows | later, wants.followed_topics, wants.interests,
        )  # fmt: skip

    def _worth(self, wants: list[Wants]) -> NDArray[np.float32]:
        """(analysts, documents), without age."""
        documents, worth = self.wire.documents, self._chance.copy()
        kinds = np.array(documents.kinds)
        for at, one in enumerate(wants):
            about = [weight * self._of_topic[topic] for topic, weight in one.topics.items()]
            worth[at] += TOPIC * np.max(about, axis=0)
            worth[at] += COMPANY * _any_of(self._of_company, one.companies)
            worth[at] += PLACE * _any_of(self._of_place, one.places)
            worth[at] += OFFICE * np.isin(documents.sources, list(one.offices))
            worth[at] += FORM * (kinds == one.kind)
        return worth


def _rows_by(things: Sequence[Collection[Any]]) -> defaultdict[Any, NDArray[np.bool_]]:
    """Which documents, as a mask over all of them, each thing is in; a thing of none is in none."""
    found: defaultdict[Any, NDArray[np.bool_]] = defaultdict(
        lambda: np.zeros(len(things), dtype=bool)
    )
    for row, several in enumerate(things):
        for thing in several:
            found[thing][row] = True
    return found


def _any_of(
    rows_by: Mapping[Any, NDArray[np.bool_]], things: Collection[Any]
) -> NDArray[np.bool_] | bool:
    return np.any([rows_by[thing] for thing in things], axis=0) if things else False
