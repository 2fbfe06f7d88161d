"""What the ranker is told of documents and of analysts; plain values, wherever they came from.

Serving makes them from the tables, training and the simulated firm from events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Documents:
    """n documents, column by column, in one order.

    `companies` are those that each mentions, its own included; `main` its own, 0 for none. A row of
    `vectors` is of unit length, or all zeros where it is not known. `group` is what nearly the same
    documents share. `opening` is its title and first words in lower case, for phrases.
    """

    ids: Ints
    companies: tuple[frozenset[int], ...]
    main: Ints
    topic_keys: tuple[str, ...]
    topics: Floats  # (n, topics), probabilities
    kinds: tuple[str, ...]
    sources: Ints
    credibility: Floats  # (n,), 0 to 1
    vectors: Floats  # (n, dimensions)
    characters: Floats
    groups: Ints
    opening: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, chosen: Sequence[int] | Ints) -> Documents:
        """These rows, in this order."""
        at = np.asarray(chosen, dtype=np.int64)
        return Documents(
            ids=self.ids[at],
            companies=tuple(self.companies[i] for i in at),
            main=self.main[at],
            topic_keys=self.topic_keys,
            topics=self.topics[at],
            kinds=tuple(self.kinds[i] for i in at),
            sources=self.sources[at],
            credibility=self.credibility[at],
            vectors=self.vectors[at],
            characters=self.characters[at],
            groups=self.groups[at],
            opening=tuple(self.opening[i] for i in at),
        )


@dataclass(frozen=True, slots=True)
class Profile:
    """What an analyst's doing amounts to, decayed; see `feed.ml.profiles.build`.

    `companies`, `topics` and `kinds` are shares of the engagement, so at most 1 each. `sources` are
    (opened, shown). `engaged` is how many documents were read; `vector` empty where none was.
    `taste` is of `feed.ml.tasting`.
    """

    companies: Mapping[int, float] = field(default_factory=dict)
    topics: Mapping[str, float] = field(default_factory=dict)
    kinds: Mapping[str, float] = field(default_factory=dict)
    sources: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    asked_companies: Mapping[int, float] = field(default_factory=dict)
    asked_topics: Mapping[str, float] = field(default_factory=dict)
    engaged: float = 0.0
    taste: Mapping[str, float] = field(default_factory=dict)
    vector: Floats = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, slots=True)
class Muted:
    """What an analyst does not want to see; beats what they follow."""

    companies: frozenset[int] = frozenset()
    topics: frozenset[str] = frozenset()
    sources: frozenset[int] = frozenset()
    kinds: frozenset[str] = frozenset()
    phrases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Analyst:
    """What one analyst has said, and what they did (`profile`).

    `interests` are unit vectors of stated interests, (n, dimensions); `seen` the groups of
    documents that they have opened.
    """

    id: int
    companies: frozenset[int] = frozenset()
    topics: frozenset[str] = frozenset()
    sources: frozenset[int] = frozenset()
    kinds: frozenset[str] = frozenset()
    phrases: tuple[str, ...] = ()
    interests: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    profile: Profile = field(default_factory=Profile)
    seen: frozenset[int] = frozenset()
    muted: Muted = field(default_factory=Muted)


@dataclass(frozen=True, slots=True)
class Firm:
    """What all analysts together read: topic -> share, source -> (opened, shown).

    `by_hand` is source -> rate where a person has set it.
    """

    topics: Mapping[str, float] = field(default_factory=dict)
    sources: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    by_hand: Mapping[int, float] = field(default_factory=dict)
