"""Two judges of "not found" on questions about companies that no fit of them learns from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from docintel import registry
from docintel.encoders import EncoderUnavailable
from docintel.models import ModelVersion
from docintel.scoring import CannotScore
from qa import answerable
from qa.ml.answerable import BadModel, Model
from training.answerable_questions import made
from training.comparing.comparison import CannotCompare, Comparison, numbered, seconds_in_turns
from training.comparing.rankers import AS_BUNDLED
from training.evaluation.span_scores import Verdicts
from training.fitting_answerable import Row, collect, read_rows, sample
from training.gate import Floats, Label, Measured

MOST = 400
PER_COMPANY = 24


def live(name: str) -> ModelVersion | None:
    """None where the one that comes with the code judges."""
    return registry.live(name)


def compare(
    candidate: ModelVersion, live: ModelVersion | None, folder: Path | None = None
) -> Comparison:
    """On questions made of the documents at hand, or on rows that `train answerable` wrote.

    Raises CannotCompare.
    """
    try:
        models = [answerable.model_of(candidate), answerable.model_of(live)]
        rows = read_rows(folder) if folder else _asked()
    except (BadModel, CannotScore, EncoderUnavailable) as error:
        raise CannotCompare(str(error)) from error
    kept = [row for row in rows if row.made.held_out]
    seconds = seconds_in_turns([partial(_told, each, kept) for each in models])
    measured = [_measured(*each, kept) for each in zip(models, seconds, strict=True)]
    _, units = _units(kept)
    return Comparison(
        "right answers and refusals, each half",
        units,
        measured[0],
        measured[1],
        detail={"questions": len(kept), "against": str(live or AS_BUNDLED)},
    )


def _asked() -> list[Row]:
    held_out = [each for each in made(0, PER_COMPANY) if each.held_out]
    return collect(sample(held_out, MOST, 0))


def _units(rows: Sequence[Row]) -> tuple[np.ndarray, int]:
    """By company; of the world outside each question by itself."""
    return numbered([row.made.company or row.made.text for row in rows])


def _told(model: Model, rows: Sequence[Row]) -> Floats:
    return np.array([model.probability(row.features) for row in rows])


def _measured(model: Model, seconds: Sequence[float], rows: Sequence[Row]) -> Measured:
    told = _told(model, rows)
    wanted = np.array([row.made.answerable for row in rows], bool)
    right = (told >= model.least) == wanted
    units, _ = _units(rows)

    def both_halves(weights: Floats) -> float:
        """Mean of the shares right among what has an answer and what has none."""
        counted = weights[units]
        sums = [counted[side].sum() for side in (wanted, ~wanted)]
        if not all(sums):
            return math.nan
        halves = [counted[s] @ right[s] / n for s, n in zip((wanted, ~wanted), sums, strict=True)]
        return float(np.mean(halves))

    # Fitted with both sides of equal weight, so its probabilities are of such a mixture.
    share = np.where(wanted, 1 / max(1, wanted.sum()), 1 / max(1, (~wanted).sum()))
    sure = Verdicts(told, wanted, np.ones(len(rows), bool), np.arange(len(rows)))
    kinds = np.array([row.made.kind for row in rows])
    return Measured(
        both_halves,
        {
            str(kind): Label(float(right[kinds == kind].mean()), int((kinds == kind).sum()))
            for kind in dict.fromkeys(kinds.tolist())
        },
        lambda weights: sure.calibration_error(weights[units] * share),
        seconds,
    )
