"""Two routers on questions of people that an expert has judged and neither has learned from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from docintel import registry
from docintel.models import ModelVersion
from docintel.scoring import CannotScore
from qa import routing
from qa.ml import router
from qa.ml.router import TIERS, BadModel, Route, Router
from training.comparing.comparison import CannotCompare, Comparison, seconds_in_turns
from training.corrected_routes import Routed, judged_routes
from training.evaluation.span_scores import Floats, Verdicts
from training.fitting_router import read_corrections
from training.gate import Label, Measured


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
    chosen = [each or router.bundled() for each in routers]
    seconds = seconds_in_turns([partial(_routed, each, fresh) for each in chosen])
    measured = [_measured(*each, fresh) for each in zip(chosen, seconds, strict=True)]
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


def _routed(chosen: Router, asked: Sequence[Routed]) -> list[Route]:
    return [chosen.predict(each.question, routing.flags(each.question)) for each in asked]


def _measured(chosen: Router, seconds: Sequence[float], asked: Sequence[Routed]) -> Measured:
    routes = _routed(chosen, asked)
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
