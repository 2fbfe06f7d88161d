"""What each feature added to what a card was ranked by, by the version that ranked it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from docintel.models import ModelVersion
from feed import live_ranker
from feed.live_ranker import CannotUse, Formula, Ranker
from feed.ml.facts import Floats
from feed.ml.features import NAMES
from feed.models import FeedEvent, FeedItem

# Which of the ranker's features speak of the same thing.
GROUPS = {
    "followed company": ("followed_share", "followed_any", "followed_main"),
    "asked company": ("asked_share",),
    "read company": ("read_company",),
    "followed topic": ("followed_topic",),
    "asked topic": ("asked_topic",),
    "read topic": ("topic_match",),
    "kind": ("kind_share",),
    "followed kind": ("followed_kind",),
    "source": ("source_rate",),
    "followed source": ("followed_source",),
    "close": ("profile_cosine",),
    "interest": ("interest_cosine",),
    "phrase": ("phrase",),
    "firm": ("firm_topic",),
}
# What several groups tell together is said by the one of them that tells most of this card.
SHARED = {
    "company_wanted": ("followed company", "asked company", "read company"),
    "both_wanted": ("followed company", "asked company", "read company"),
    "topic_wanted": ("followed topic", "asked topic"),
    "taste": ("read company", "read topic"),
}
_PLACES = {group: [NAMES.index(name) for name in names] for group, names in GROUPS.items()}


@dataclass(frozen=True, slots=True)
class Part:
    """One feature of what was shown: its value, None where unknown, and what it added."""

    name: str
    value: float | None
    added: float


def why(event: FeedEvent) -> list[Part]:
    """What an impression was ranked by, the strongest first."""
    found = contributions_of([event])
    if event.features is None or event.pk not in found:
        return []
    parts = [Part(*each) for each in zip(NAMES, event.features, found[event.pk], strict=True)]
    return sorted(parts, key=lambda part: -abs(part.added))


def contributions_of(ranked: Iterable[FeedItem | FeedEvent]) -> dict[int, Floats]:
    """Row's id -> what each of NAMES added.

    Where the version that ranked it cannot be used any more, by the formula.
    """
    by_version: defaultdict[int | None, list[Any]] = defaultdict(list)
    for item in ranked:
        if item.pk and len(item.features or []) == len(NAMES):
            by_version[item.version_id].append(item)
    versions = ModelVersion.objects.in_bulk([pk for pk in by_version if pk is not None])
    found: dict[int, Floats] = {}
    for pk, items in by_version.items():
        rows = np.array([item.features for item in items], dtype=np.float64)
        added = _ranker(versions, pk).contributions(rows)
        found |= dict(zip((item.pk for item in items), added, strict=True))
    return found


def strongest(items: Iterable[FeedItem]) -> dict[int, list[str]]:
    """FeedItem's id -> the groups that added to its score, the strongest first.

    A group none of whose features is there is left out, whatever the ranker made of that.
    """
    rows = {item.pk: item for item in items}
    found = {}
    for pk, added in contributions_of(rows.values()).items():
        sums = _by_group(rows[pk].features, added)
        found[pk] = sorted((g for g, total in sums.items() if total > 0), key=lambda g: -sums[g])
    return found


def _by_group(values: Sequence[float | None], added: Floats) -> dict[str, float]:
    sums = {
        group: sum(float(added[at]) for at in places)
        for group, places in _PLACES.items()
        if any(values[at] for at in places)
    }
    for name, groups in SHARED.items():
        if tellers := [group for group in groups if group in sums]:
            teller = max(tellers, key=lambda g: max(values[at] or 0.0 for at in _PLACES[g]))
            sums[teller] += float(added[NAMES.index(name)])
    return sums


def _ranker(versions: Mapping[int, ModelVersion], pk: int | None) -> Ranker:
    try:
        return live_ranker.use(versions[pk]) if pk is not None else Formula()
    except CannotUse:
        return Formula()
