"""What the units of passages tell a ranker: how near they come, and whether the words stand
together; pure.

Trap: a learned ranker is bound to these names, as to those of `ranking_features`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ingestion.sentence_windows import Span
from qa.ranking.ranking_features import word_list

Row = dict[str, float]


def of_units(
    cosines: NDArray[np.float32],
    spans: Sequence[Span],
    text: str,
    start: int,
    asked: frozenset[str],
) -> Row:
    """The features of one passage: `text` begins at `start` of its document, as the spans count.

    `unit_words` is the share of the words asked that stand in the nearest unit. Needs one unit.
    """
    order = np.argsort(-cosines)
    low, high = spans[int(order[0])]
    near = frozenset(word_list(text[max(0, low - start) : max(0, high - start)]))
    return {
        "unit": float(cosines[order[0]]),
        "unit_two": float(cosines[order[:2]].mean()),
        "unit_mean": float(cosines.mean()),
        "unit_words": len(asked & near) / len(asked) if asked else 0.0,
    }


def compare_units_of_all(rows: Sequence[Row]) -> None:
    """To the features of one look's candidates, the gaps to the nearest and the place among them.

    What the filter let in comes first: without its names a question is as near to what others say.
    Rows without units are left as they are.
    """
    known = [row for row in rows if "unit" in row]
    for name in ("unit", "unit_two"):
        most = max((row[name] for row in known), default=math.nan)
        for row in known:
            row[f"{name}_gap"] = most - row[name]
    known.sort(key=lambda row: (-row["inside"], -row["unit"]))
    for place, row in enumerate(known, start=1):
        row["unit_rank"] = math.log1p(place)
