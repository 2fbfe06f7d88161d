"""Train the feed's ranker on what analysts were shown and read; the result is a candidate.

Each card counts with the features by which it was ranked when it was shown, kept with the event.
Two analysts in ten are never learned from: the gate compares on what these read.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.utils import timezone

from docintel import artefacts
from docintel.models import ModelVersion
from docintel.scoring import CannotScore, Score
from extraction.ml import splitting
from feed import live_ranker
from feed.ml.features import NAMES
from feed.models import FeedEvent
from training.learning.feed_fitting import Fitted, Shown, TooLittle, fit
from training.runs import Run

DAYS = 90
Verb = FeedEvent.Verb
CARD = """# Ranker of the feed

LightGBM's LambdaRank over {rows:,} cards that analysts were shown, {readings:,} of which they read,
each counted by the inverse of the chance that its position was looked at (position ** -{eta}).
The trees correct the cold-start formula; its weights of that day are kept beside them.
A document's worth halves in {half_life_days} days. Analysts whose readings are held out are not
among them; the gate compares it with the version in service on what those read.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--days", type=int, default=DAYS, help="of events, back from now")


def run(days: int = DAYS, training_run: Run | None = None, **_: Any) -> Score:
    """Raises CannotScore where too little was read."""
    started = time.perf_counter()
    try:
        shown = shown_since(timezone.now() - timedelta(days=days))
        if shown is None:
            raise CannotScore(f"no card was shown in the last {days} days")
        fitted = fit(shown)
        version = keep(fitted, training_run.label if training_run else "")
    except TooLittle as error:
        raise CannotScore(str(error)) from error
    if training_run:
        training_run.produced(version)
    best = max(fitted.detail["ndcg_by_half_life_and_trees"].values())
    return Score(
        headline="NDCG@10 of readings on the last fifth, by propensity",
        value=best,
        higher_is_better=True,
        n=len(shown),
        interval=None,
        seconds=time.perf_counter() - started,
        detail={**fitted.detail, "version": version.version, "live": version.is_live},
    )


def is_held_out(user: int) -> bool:
    """Whether this analyst's readings are for the gate alone; by a hash, so for good."""
    return splitting.tenth(f"analyst {user}") in splitting.TESTED


def shown_since(since: datetime, *, held_out: bool = False) -> Shown | None:
    """Every card shown since then, with what became of it; None where none was.

    To analysts to learn from, or to those who are held out.

    What was read counts for the last card of the document that was shown before it was opened.
    """
    rows = FeedEvent.objects.filter(
        verb=Verb.IMPRESSION, occurred_at__gte=since, page__isnull=False, features__isnull=False
    ).order_by("user", "page", "position")
    came_of = _outcomes(since)
    parts: dict[str, list[Any]] = {each.name: [] for each in fields(Shown)}
    numbers: dict[Any, int] = {}
    columns = rows.values_list(
        "user", "page", "document", "position", "exploring", "features", "occurred_at",
        "document__ranked__fresh_at",
    )  # fmt: skip
    for user, page, document, position, exploring, features, at, fresh in columns.iterator():
        if len(features or []) != len(NAMES) or is_held_out(user) is not held_out:
            continue
        outcome = came_of.get((user, document, page), _Outcome())
        values = (
            features, numbers.setdefault((user, page), len(numbers)), position, exploring,
            outcome.opened, outcome.seconds, outcome.again,
            max(0.0, (at - fresh) / timedelta(days=1)) if fresh else 0.0, user,
        )  # fmt: skip
        for column, value in zip(parts.values(), values, strict=True):
            column.append(value)
    if not numbers:
        return None
    return Shown(**{
        name: np.array(values, dtype=np.float64 if name == "features" else None)
        for name, values in parts.items()
    })  # fmt: skip


@dataclass(slots=True)
class _Outcome:
    opened: bool = False
    seconds: float = 0.0
    again: bool = False


def _outcomes(since: datetime) -> dict[tuple[int, int, Any], _Outcome]:
    """(user, document, rendering) -> what came of the card; what came by other ways is left out."""
    told = FeedEvent.objects.filter(occurred_at__gte=since, page__isnull=False)
    told = told.exclude(verb=Verb.IMPRESSION).order_by()
    found: dict[tuple[int, int, Any], _Outcome] = defaultdict(_Outcome)
    columns = ("user", "document", "page", "verb", "active_ms")
    for user, document, page, verb, active in told.values_list(*columns).iterator():
        outcome = found[user, document, page]
        outcome.opened = True
        outcome.seconds += (active or 0) / 1000
        outcome.again = outcome.again or verb == Verb.REOPEN
    return dict(found)


def keep(fitted: Fitted, created_by: str = "") -> ModelVersion:
    """The model as a candidate, with its card."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / live_ranker.FILE).write_text(fitted.text, encoding="utf-8")
        return artefacts.keep(
            Path(folder), live_ranker.NAME, created_by=created_by,
            metadata={
                "half_life_days": fitted.half_life, "features": list(NAMES),
                "prior": dict(fitted.prior),
                "analysts_held_out": True,
            },
            metrics={name: fitted.detail[name] for name in ("rows", "readings", "eta")},
            card=CARD.format(**fitted.detail),
        )  # fmt: skip
