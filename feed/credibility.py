"""How often the firm opens what a source brings: as learned from reading, and as set by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from feed.ml import profiles
from feed.ml.facts import Firm
from feed.ml.features import firm_rate
from feed.models import FeedProfile, SourceRate


@dataclass(frozen=True, slots=True)
class Learned:
    """`rate` is shrunk towards the firm's: few impressions say little."""

    opened: float
    shown: float
    rate: float


def firm() -> Firm:
    """What all analysts read together, with the rates by hand."""
    rows = FeedProfile.objects.values_list("facts", flat=True)
    found = profiles.firm_of(profiles.from_json(facts, np.zeros(0)) for facts in rows)
    return Firm(found.topics, found.sources, by_hand())


def by_hand() -> dict[int, float]:
    return dict(SourceRate.objects.values_list("source", "rate"))


def learned(found: Firm, source: int) -> Learned:
    opened, shown = found.sources.get(source, (0.0, 0.0))
    return Learned(opened, shown, firm_rate(Firm(found.topics, found.sources), source))
