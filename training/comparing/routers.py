"""Two routers on questions of people that an expert has judged and neither has learned from."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from docintel import registry
from docintel.models import ModelVersion
from docintel.scoring import CannotScore
from qa import routing
from qa.ml import router
from qa.ml.router import TIERS, BadModel, Router
from training.comparing.comparison import CannotCompare, Comparison
from training.corrected_routes import Routed, judged_routes
from training.evaluation.span_scores import Floats, Verdicts
from training.fitting_router import read_corrections
from training.gate import Label, Measured

AT_ONCE = 20


def live(name: str) -> ModelVersion | None:
    """None where the one that comes with the code answers."""
    return registry.live(name)


def compare(
    candidate: ModelVersion, live: ModelVersion | None, folder: Path | None = None
) -> Comparison:
    """On what the desk's verdicts hold out, or on a file of {"question", "label"} a line.

    Raises CannotCompare.
    """
    if folder is None:
        asked = [each for each in judged_routes() if each.is_held_out]
    else:
        try:
            asked = [Routed(row.question, row.label) for row in read_corrections(folder)]
        except CannotScore as error:
            raise CannotCompare(str(error)) from error
    versions = [version for version in (candidate, live) if version]
    learned = {mark for version in versions for mark in version.metadata.get("learned", ())}
    fresh = [each for each in asked if each.mark not in learned]
    try:
        routers = [routing.router_of(candidate), routing.router_of(live) if live else None]
    except BadModel as error:
        raise CannotCompare(str(error)) from error
    measured = [_measured(each or router.bundled(), fresh) for each in routers]
    return Comparison(
        "accuracy of routes",
        len(fresh),
        measured[0],
        measured[1],
        detail={
            "questions": len(fresh),
            "questions_left_out": len(asked) - len(fresh),
            "against": str(live) if live else "the one that comes with the code",
        },
    )


def _measured(chosen: Router, asked: Sequence[Routed]) -> Measured:
    routes, seconds = [], []
    for start in range(0, len(asked), AT_ONCE):
        began = time.perf_counter()
        part = [each.question for each in asked[start : start + AT_ONCE]]
        routes += [chosen.predict(question, routing.flags(question)) for question in part]
        seconds.append(time.perf_counter() - began)
    right = np.array(
        [route.likeliest == each.route for route, each in zip(routes, asked, strict=True)], bool
    )
    every = np.arange(len(asked))
    told = np.array([route.confidence for route in routes], dtype=np.float64)
    sure = Verdicts(told, right, np.ones(len(asked), bool), every)

    def accuracy(weights: Floats) -> float:
        return float(weights @ right / max(weights.sum(), 1.0))

    labels = {}
    for tier in TIERS:
        own = np.array([each.route == tier for each in asked], bool)
        if own.any():
            labels[tier] = Label(float(right[own].mean()), int(own.sum()))
    return Measured(accuracy, labels, sure.calibration_error, seconds)
