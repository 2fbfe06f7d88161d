"""One order of a look's candidates from three opinions: ranker, cross-encoder, nearness of units.

Each place keeps the score that the ranker gave to it, so that scores mean what they did.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from qa.ranking.candidates import Entry

# Reciprocal rank fusion of few places: with 60, as for long lists, the first counts hardly more
# than the tenth.
K = 10
# Ranker and cross-encoder go by words for the most part, so meaning counts as much as both.
RANKER, CROSS, UNITS = 1.0, 1.0, 2.0
Scored = tuple[Entry, float]
Places = Mapping[int, int]


def blended(order: Sequence[Scored], cross: Mapping[int, float]) -> list[Scored]:
    """The look's candidates by their places in all three orders; `order` is the ranker's.

    `cross` has the cross-encoder's scores by chunk id, of those that were read; the others have no
    place there. Units are heard where no known metric is asked for, whose line items say where it
    stands. Without either the order stays. Entries gain `cross`, its gap to the
    best read and its rank, and `unit_rank`, as features.
    """
    by_reading = _by_reading(order, cross)
    by_units = _by_units(order)
    heard = bool(by_units) and not _asks_metric(order)
    most = max((cross[pk] for pk in by_reading), default=math.nan)
    made = []
    for place, (entry, _) in enumerate(order, start=1):
        pk = entry.passage.chunk_id
        read, near = by_reading.get(pk), by_units.get(pk)
        score = cross.get(pk, math.nan)
        value = RANKER / (K + place)
        value += CROSS / (K + read) if read else 0.0
        if heard:
            # One whose units have no vectors yet is neither raised nor lowered for it.
            value += UNITS / (K + (near or place))
        told = {
            "cross": score,
            "cross_gap": most - score,
            "cross_rank": math.log1p(read) if read else math.nan,
            "unit_rank": math.log1p(near) if near else math.nan,
        }
        made.append((value, -place, replace(entry, features=entry.features | told)))
    made.sort(key=lambda row: row[:2], reverse=True)
    return [(entry, score) for (_, _, entry), (_, score) in zip(made, order, strict=True)]


def _asks_metric(order: Sequence[Scored]) -> bool:
    return any(entry.features.get("metrics_asked") for entry, _ in order)


def _by_reading(order: Sequence[Scored], cross: Mapping[int, float]) -> Places:
    known = [e.passage.chunk_id for e, _ in order if e.passage.chunk_id in cross]
    return _places(sorted(known, key=lambda pk: -cross[pk]))


def _by_units(order: Sequence[Scored]) -> Places:
    """What the filter let in comes first: without its names a question is as near to what others
    say."""
    known = [entry for entry, _ in order if "unit" in entry.features]
    known.sort(key=lambda entry: (-entry.features["inside"], -entry.features["unit"]))
    return _places([entry.passage.chunk_id for entry in known])


def _places(ids: Sequence[int]) -> Places:
    return {pk: place for place, pk in enumerate(ids, start=1)}
