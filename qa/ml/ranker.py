"""The ranker of passages that comes with the code, and the weight of the cross-encoder beside it.

The two are fitted together and belong together.
"""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

from docintel.lightgbm_text import BadTrees, Trees, read

BUNDLED = Path(__file__).with_name("ranker.txt")
WEIGHTS = Path(__file__).with_name("ranker.json")


@cache
def bundled() -> Trees:
    """The ranker that comes with the code. Raises BadTrees, also where there is none."""
    try:
        return read(BUNDLED.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadTrees(f"there is no bundled ranker: {error}") from error


@cache
def bundled_weight() -> float:
    """Of the cross-encoder's scores, beside the ranker's. Raises BadTrees."""
    try:
        return checked_weight(json.loads(WEIGHTS.read_text(encoding="utf-8"))["cross_weight"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadTrees(f"there is no weight of the bundled ranker: {error!r}") from error


def checked_weight(found: Any) -> float:
    """Raises BadTrees for what is no weight."""
    known = isinstance(found, int | float) and not isinstance(found, bool)
    if not known or not math.isfinite(found) or found < 0:
        raise BadTrees(f"{found!r} is no weight of the cross-encoder")
    return float(found)
