"""What a training of the tagger tells: a bar while it goes on, then a card, figures and curves."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from extraction import delivering
from extraction.ml import calibration
from training.runs import Run

if TYPE_CHECKING:
    from extraction.ml.calibrating import Trust
    from extraction.ml.judging import Judged
    from extraction.ml.learning import Progress as Step
    from extraction.ml.training import Material, Outcome, Plan

LOGGED_EVERY = 60.0


@contextmanager
def bar(training_run: Run | None) -> Iterator[Callable[[str, Step], None]]:
    """A bar with loss, windows a second and the time left; once a minute a line for the log."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.3f}, {task.fields[speed]:.0f} windows/s"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    logged = time.monotonic()
    with Progress(*columns) as shown:
        tasks: dict[str, Any] = {}

        def tell(name: str, step: Step) -> None:
            nonlocal logged
            if name not in tasks:
                tasks[name] = shown.add_task(name, total=step.steps, loss=0.0, speed=0.0)
            shown.update(
                tasks[name],
                completed=step.step,
                description=f"{name}, epoch {step.epoch}",
                loss=step.loss,
                speed=step.windows_per_second,
            )
            if training_run and time.monotonic() - logged >= LOGGED_EVERY:
                logged = time.monotonic()
                training_run.progress(step.step / step.steps)
                training_run.log(
                    f"{name}: step {step.step} of {step.steps}, loss {step.loss:.3f}, "
                    f"{step.windows_per_second:.1f} windows/s"
                )

        yield tell


def facts(outcome: Outcome, plan: Plan, material: Material, schema: str) -> dict[str, Any]:
    """Everything that the card, the registry and the report say, as plain values."""
    from extraction.ml.training import precision_of  # noqa: PLC0415  loads PyTorch

    sheet, design = outcome.sheet, plan.design
    metrics = trusted(outcome.trust, outcome.fitted, outcome.tested, design.match)
    return {
        "schema": schema,
        "match": design.match,
        "encoder": plan.base.name,
        "encoder_digest": sheet.encoder_digest,
        "design": asdict(design),
        "course": asdict(plan.course),
        "computed_in": precision_of(plan.course.device),
        "learned_texts": len(material.learned),
        "fitted_texts": len(material.fitted),
        "tested_texts": len(material.tested),
        "folds": material.folds,
        "training_notes": outcome.history.notes,
        "metrics": metrics,
    }


def trusted(trust: Trust, fitted: Judged, tested: Judged, match: str) -> dict[str, Any]:
    """What a version's metrics say: found in the tested texts, delivered as in the fitted ones."""
    from extraction.ml.judging import table  # noqa: PLC0415

    sure = trust.confidences(tested)
    rows = table(tested, sure, trust.thresholds, match)
    every = rows[-1]
    return {
        "match": match,
        "f1": every.f1,
        "precision": every.precision,
        "recall": every.recall,
        "spans": every.gold,
        "aupr_macro": _rounded(macro_area(tested, sure, match)),
        "ece": _rounded(_ece(tested, sure, match)),
        "ece_uncalibrated": _rounded(_ece(tested, tested.raw(), match)),
        "deliver_at": deliver_at(trust, fitted, match),
        "labels": {row.label: asdict(row) for row in rows[:-1]},
    }


def deliver_at(trust: Trust, fitted: Judged, match: str) -> float | None:
    """From which confidence on what was calibrated on is right often enough to be delivered.

    None where no confidence is, or where it was calibrated on too few documents to say.
    """
    if len(np.unique(fitted.documents())) < delivering.DOCUMENTS:
        return None
    least = np.array([trust.thresholds.get(each.label, 1.0) for each in fitted.verdicts])
    shown = trust.sure >= least
    return delivering.fit(trust.sure[shown], fitted.right(match)[shown])


def macro_area(judged: Judged, sure: np.ndarray, match: str) -> float:
    """Mean over labels with gold of the area under precision over recall, by average precision.

    `sure` ranks the verdicts.

    A second span on the same clause counts as another hit, so this is a training's own measure;
    the published one is that of `evaluate extraction`.
    """
    right = judged.right(match)
    labels = np.array([each.label for each in judged.verdicts])
    areas = []
    for label, gold in judged.gold.items():
        own = labels == label
        order = np.argsort(-sure[own], kind="stable")
        hits = right[own][order]
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        areas.append(min(1.0, float((precision * hits).sum()) / gold))
    return float(np.mean(areas)) if areas else math.nan


def card(told: dict[str, Any]) -> str:
    """The model card, in Markdown."""
    design, course, metrics = told["design"], told["course"], told["metrics"]
    how = f"LoRA of rank {design['rank']}" if design["rank"] else "all weights tuned"
    fitted = (
        f"out-of-fold spans of {told['folds']} parts"
        if told["folds"]
        else f"{told['fitted_texts']} texts left out"
    )
    begun = f"\n- Goes on from {told['begun']}" if told["begun"] else ""
    rows = "\n".join(
        f"| {row['label']} | {row['precision']:.3f} | {row['recall']:.3f} | {row['f1']:.3f} "
        f"| {row['gold']} |"
        for row in metrics["labels"].values()
    )
    return f"""# Tagger for the schema {told["schema"]}

Finds labelled spans: a shared encoder, a classifier of windows whose answer is a feature of the
BIO tagger, and a CRF. Windows of {design["length"]} tokens, stride {design["stride"]}.

- Encoder: {told["encoder"]} ({told["encoder_digest"][:12]}…), {how}
- Learned from {told["learned_texts"]} texts: {told["credit"]}{begun}
- {course["epochs"]} epochs, batches of {course["batch"]}, rate {course["rate"]:g}, \
seed {course["seed"]}, on {course["device"]} in {told["computed_in"]}, {told["seconds"]:.0f} s
- Confidence: calibrated on {fitted}; what counts as right is {design["match"]} match
- Expected calibration error on the score's texts: {metrics["ece"]} (uncalibrated \
{metrics["ece_uncalibrated"]})

On {told["tested_texts"]} texts that were never learned from: precision {metrics["precision"]:.3f},
recall {metrics["recall"]:.3f}, F1 {metrics["f1"]:.3f} ({metrics["match"]} match), mean average
precision over labels {metrics["aupr_macro"]}.

| label | precision | recall | F1 | spans |
|---|---|---|---|---|
{rows}

Limits: English; texts like those it learned from. A label with few spans above is a guess.
"""


def draw(outcome: Outcome, folder: Path) -> None:
    """losses.png, precision_recall.png and calibration.png into the folder."""
    import matplotlib as mpl  # noqa: PLC0415  only a training draws

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    design = outcome.sheet.design
    figure, axes = plt.subplots(figsize=(6, 4))
    if outcome.history.losses:
        axes.plot(*zip(*outcome.history.losses, strict=True))
    axes.set(xlabel="step", ylabel="loss", title="Training loss", yscale="log")
    _save(figure, folder / "losses.png")
    figure, axes = plt.subplots(figsize=(6, 4))
    right, sure = outcome.tested.right(design.match), outcome.tested_sure
    order = np.argsort(-sure, kind="stable")
    gold = max(1, sum(outcome.tested.gold.values()))
    hits = np.cumsum(right[order])
    axes.plot(hits / gold, hits / np.arange(1, len(hits) + 1))
    axes.set(xlabel="recall", ylabel="precision", title="All labels", xlim=(0, 1), ylim=(0, 1))
    _save(figure, folder / "precision_recall.png")
    figure, axes = plt.subplots(figsize=(4, 4))
    place = np.minimum((sure * 10).astype(int), 9)
    bins = [at for at in range(10) if (place == at).any()]
    axes.plot((0, 1), (0, 1), "--", color="grey")
    axes.plot(
        [sure[place == at].mean() for at in bins], [right[place == at].mean() for at in bins], "o-"
    )
    axes.set(xlabel="confidence", ylabel="share right", title="Calibration")
    _save(figure, folder / "calibration.png")


def _save(figure: Any, path: Path) -> None:
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)


def _ece(judged: Judged, sure: np.ndarray, match: str) -> float:
    """Over the spans that would be shown: a thousand candidates of no chance would flatter it."""
    shown = sure >= 0.1
    return calibration.expected_error(sure[shown], judged.right(match)[shown])


def _rounded(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
