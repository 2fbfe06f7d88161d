"""A learned ranker in the made-up firm: trained there, and in service while pages are measured.

Its cards and clicks are drawn by chance, so it ranks no better than the formula; it costs as much
as one that was trained on real ones. Rows are only said to be ranked by it, their order stays.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np

from docintel import registry
from feed import live_ranker
from feed.ml import formula
from feed.ml.features import NAMES
from feed.models import FeedItem, RankedDocument
from training.learning.feed import keep
from training.learning.feed_fitting import Shown, fit

# Cards on so many pages, and how many of the newest documents their rows speak of.
PAGES, PER_PAGE = 1_000, 20
NEWEST = 1_500


def begin() -> dict[str, Any]:
    """Trains, puts into service, and marks the rows of the newest documents."""
    began = time.perf_counter()
    fitted = fit(_shown())
    version = keep(fitted, "bench")
    registry.make_live(version, why="bench")
    newest = RankedDocument.objects.order_by("-fresh_at").values("pk")[:NEWEST]
    marked = FeedItem.objects.filter(document__in=newest).update(version=version)
    return {
        "seconds": time.perf_counter() - began, "rows": marked, "cards": PAGES * PER_PAGE,
        "trees": fitted.text.count("Tree="),
    }  # fmt: skip


def end() -> dict[str, Any]:
    """All is as it was before."""
    version = registry.live(live_ranker.NAME)
    if version is not None:
        registry.retire(version, why="bench")
    return {"rows": FeedItem.objects.filter(version__isnull=False).update(version=None)}


def _shown() -> Shown:
    """Cards with features of the firm's own rows, opened the likelier the higher they scored."""
    dice = np.random.default_rng(11)
    count = PAGES * PER_PAGE
    rows = FeedItem.objects.order_by("pk").values_list("features", flat=True)[:count]
    table = np.array(list(rows), dtype=np.float64).reshape(-1, len(NAMES))
    table = table[dice.integers(0, len(table), count)]
    position = np.tile(np.arange(1, PER_PAGE + 1), PAGES)
    score = formula.score(table)
    liked = 1 / (1 + np.exp(-(score - np.median(score)) / (np.std(score) or 1.0)))
    opened = dice.random(count) < liked / position**0.5
    pages = np.repeat(np.arange(PAGES), PER_PAGE)
    return Shown(
        features=table, query=pages, position=position, exploring=dice.random(count) < 0.05,
        opened=opened, seconds=np.where(opened, dice.exponential(60.0, count), 0.0),
        reopened=opened & (dice.random(count) < 0.1), age=dice.exponential(2.0, count),
        analyst=pages % 50,
    )  # fmt: skip


def main() -> None:
    """`begin` or `end` from the command line; prints one line of JSON."""
    print("learned " + json.dumps({"begin": begin, "end": end}[sys.argv[1]]()), flush=True)
