"""A simulated firm reads its feed for some weeks: what is shown, clicked, and could have been."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from feed.ml import formula, profiles, tasting
from feed.ml.facts import Analyst, Floats, Profile
from feed.ml.features import NAMES, features
from feed.ml.muting import SHOWN
from feed.ml.profiles import CENTROID_OF, READ_SECONDS, Asked, Read, firm_of
from ingestion.classifying.pooling import unit
from training.evaluation.newswire import Newswire
from training.evaluation.simulated_firm import Firm
from training.learning.feed_fitting import Shown, TooLittle

CARDS = 20
COLD_SHARE = 0.1
EXPLORING = 0.05
# What is older is no candidate any more, in days; looks at the feed in a day, at these hours.
WINDOW = 3.0
LOOKS = (0.38, 0.5, 0.62, 0.75)
# What is explored stands below this rank.
BEYOND = 50
# (documents, analysts, names) and (documents,) ages in days -> (documents, analysts)
Policy = Callable[[Floats, Floats], Floats]


@dataclass(slots=True)
class Log:
    """What was shown, row by row, to be learned from; `weeks` counts by week what it came to."""

    parts: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    queries: int = 0
    sources: defaultdict[int, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    documents: defaultdict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    by_rank: NDArray[np.float64] = field(default_factory=lambda: np.zeros((2, CARDS)))

    def shown(self) -> Shown:
        """All rows. Raises TooLittle where there is none."""
        if not self.queries:
            raise TooLittle("nothing was shown yet")
        columns = {name: np.concatenate(rows) for name, rows in self.parts.items()}
        return Shown(**columns)

    def clicks_by_rank(self) -> list[float]:
        """The share of cards opened at each position, the first first."""
        rates: list[float] = (self.by_rank[0] / np.maximum(1, self.by_rank[1])).round(4).tolist()
        return rates


@dataclass(slots=True)
class _History:
    """What one analyst has done: document -> [day, seconds, opens], and of each that was shown
    [day of the last time, looks, score of the last time]."""

    reads: dict[int, list[float]] = field(default_factory=dict)
    cards: dict[int, list[float]] = field(default_factory=dict)
    asked: list[tuple[float, list[int], list[str]]] = field(default_factory=list)
    sources: defaultdict[int, list[float]] = field(
        default_factory=lambda: defaultdict(lambda: [0.0, 0.0])
    )


@dataclass(frozen=True, slots=True)
class Look:
    """One moment: all candidates for all analysts. `fresh` is False where it was read before."""

    day: float
    rows: NDArray[np.int64]
    made: Floats
    ages: Floats
    grades: NDArray[np.int64]  # (analysts, rows)
    unread: NDArray[np.bool_]  # (analysts, rows)


class Weeks:
    """The firm from its first day on; `silent` analysts look at nothing."""

    def __init__(self, wire: Newswire, firm: Firm, silent: Sequence[int], seed: int) -> None:
        self.wire, self.firm = wire, firm
        self.dice = np.random.default_rng(seed)
        self.silent = frozenset(silent)
        self.n = len(firm.before)
        self.histories = [_History() for _ in range(self.n)]
        self.log = Log()

    def days(self, first: float, last: float) -> list[float]:
        """Moments of looking, on days that have news."""
        there = np.unique(np.floor(self.wire.days)).astype(int)
        return [
            day + hour for day in there if first <= day < last and day % 7 < 5 for hour in LOOKS
        ]

    def looks(self, first: float, last: float) -> Iterator[Look]:
        """Every look from one day to before another; what is shown at one changes the next."""
        for day in self.days(first, last):
            if (look := self.look(day)) is not None:
                yield look

    def look(self, day: float) -> Look | None:
        """What stands to choice now; None where there is too little."""
        days = self.wire.days
        rows = np.flatnonzero((days <= day) & (days > day - WINDOW))
        if len(rows) < 2 * BEYOND:
            return None
        if day % 1 < LOOKS[1]:
            for at, history in enumerate(self.histories):
                history.asked.append((day, *self.firm.asked(at, day)))
        made_of = [self._profile(at, day) for at in range(self.n)]
        analysts = [self._analyst(at, day, profile) for at, profile in enumerate(made_of)]
        made = features(self.wire.documents.rows(rows), analysts, firm_of(made_of))
        unread = np.array([[row not in h.reads for row in rows] for h in self.histories])
        return Look(
            day, rows, made, day - self.wire.days[rows], self.firm.grades(day, rows), unread
        )

    def show(self, look: Look, policy: Policy, *, exploring: bool = True) -> None:
        """Everybody is shown a page, and does with it what people do."""
        scores = policy(look.made, look.ages)
        for at in range(self.n):
            if at in self.silent:
                continue
            unread = np.flatnonzero(look.unread[at])
            order = unread[np.argsort(-scores[unread, at], kind="stable")]
            page, explored = self._page(order, exploring=exploring)
            self._happen(at, look, page, explored)

    def _page(
        self, order: NDArray[np.int64], *, exploring: bool
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        # Nothing is explored where nothing stands beyond the top.
        possible = exploring and len(order) >= BEYOND + CARDS
        explored = self.dice.random(CARDS) < EXPLORING * possible
        page = np.empty(CARDS, dtype=np.int64)
        count = int(explored.sum())
        page[~explored] = order[: CARDS - count]
        page[explored] = self.dice.choice(order[BEYOND:], count, replace=False)
        return page, explored

    def _happen(
        self, at: int, look: Look, page: NDArray[np.int64], explored: NDArray[np.bool_]
    ) -> None:
        grades = look.grades[at, page]
        opened = self.firm.clicks(grades)
        seconds, again = self.firm.reading(grades)
        history = self.histories[at]
        week = int(look.day // 7)
        for hit in np.flatnonzero(opened):
            opened_row = int(look.rows[page[hit]])
            history.reads[opened_row] = [look.day, float(seconds[hit]), 1.0 + again[hit]]
            if seconds[hit] > READ_SECONDS:
                self.firm.read(at, look.day, opened_row)
        for place, row in enumerate(look.rows[page]):
            source = int(self.wire.documents.sources[row])
            history.sources[source][0] += float(opened[place])
            history.sources[source][1] += 1
            self.log.sources[week][source] += 1
            self.log.documents[week].add(int(row))
        self.log.by_rank += np.stack([opened, np.ones(CARDS)])
        scores = formula.expected(look.made[page, at], look.ages[page])
        for place, row in enumerate(look.rows[page].tolist()):
            card = history.cards.setdefault(row, [look.day, 0.0, 0.0])
            looks = 1.0 if opened[place] else 1 / (place + 1)
            card[:] = [look.day, card[1] + looks, float(scores[place])]
        parts = self.log.parts
        parts["features"].append(look.made[page, at])
        parts["query"].append(np.full(CARDS, self.log.queries))
        parts["position"].append(np.arange(1, CARDS + 1))
        parts["exploring"].append(explored)
        parts["opened"].append(opened)
        parts["seconds"].append(np.where(opened, seconds, 0.0))
        parts["reopened"].append(opened & again)
        parts["age"].append(look.ages[page])
        parts["analyst"].append(np.full(CARDS, at))
        self.log.queries += 1

    def _profile(self, at: int, day: float) -> Profile:
        history, documents = self.histories[at], self.wire.documents
        reads = [
            Read(
                days_ago=day - when, seconds=seconds, opens=int(opens),
                companies=documents.companies[row],
                topics=dict(zip(documents.topic_keys, documents.topics[row], strict=True)),
                kind=documents.kinds[row], vector=documents.vectors[row],
            )
            for row, (when, seconds, opens) in history.reads.items()
        ]  # fmt: skip
        asked = [Asked(day - when, companies, topics) for when, companies, topics in history.asked]
        sources = {source: (a, b) for source, (a, b) in history.sources.items()}
        return profiles.build(reads, asked, sources, self._taste(history, day))

    def _taste(self, history: _History, day: float) -> dict[str, float]:
        newest = sorted(history.cards, key=lambda row: -history.cards[row][0])[: tasting.MOST]
        cards = np.array([history.cards[row] for row in newest]).reshape(-1, 3)
        read = np.array([
            profiles.read_share(*history.reads[row][1:]) if row in history.reads else 0.0
            for row in newest
        ])  # fmt: skip
        aged = 2.0 ** (-(day - cards[:, 0]) / tasting.HALF_LIFE)
        return tasting.learn(
            self.wire.documents.rows(newest), cards[:, 1] * aged, read * aged, cards[:, 2]
        )

    def _analyst(self, at: int, day: float, profile: Profile) -> Analyst:
        groups = self.wire.documents.groups
        seen = frozenset(int(groups[row]) for row in self.histories[at].reads)
        analyst = self.firm.analyst(at, day, profile, seen)
        if len(profile.vector):
            return analyst
        return replace(analyst, profile=replace(profile, vector=self._centroid(analyst, day)))

    def _centroid(self, analyst: Analyst, day: float) -> Floats:
        """As `feed.facts.refresh` begins a profile: of the newest about what is followed."""
        documents, days = self.wire.documents, self.wire.days
        followed = np.isin(documents.topic_keys, list(analyst.topics))
        about = np.isin(documents.main, list(analyst.companies))
        about |= (documents.topics[:, followed] >= SHOWN).any(axis=1)
        newest = np.flatnonzero(about & (days <= day))[-CENTROID_OF:]
        if not len(newest):
            return np.zeros(0)
        return unit(documents.vectors[newest].mean(axis=0).astype(np.float32)).astype(np.float64)


def newcomers(analysts: int) -> list[int]:
    """Who joins with the judged week: what they follow is known by then, and nothing else."""
    return list(range(round(analysts * (1 - COLD_SHARE)), analysts))


def by_formula(weights: Mapping[str, float], half_life: float) -> Policy:
    """The formula with these weights, less what age costs."""

    def policy(made: Floats, ages: Floats) -> Floats:
        scores: Floats = formula.score(made, weights) - math.log(2) / half_life * ages[:, None]
        return scores

    return policy


def concentration(counts: Counter[int]) -> float:
    """Of impressions over sources: the sum of squared shares (Herfindahl), 1 for a single one."""
    shares = np.array(list(counts.values()), dtype=float)
    return float(((shares / shares.sum()) ** 2).sum()) if len(shares) else 0.0


def largest_share(counts: Counter[int], most: int = 5) -> float:
    """Of impressions, the share of the sources that have most of them."""
    return sum(n for _, n in counts.most_common(most)) / max(1, counts.total())


def column(name: str) -> int:
    return NAMES.index(name)
