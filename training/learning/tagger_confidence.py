"""Calibrate a trained tagger anew: its weights stay, and how far to trust them is fitted again.

Fitted on the documents that training leaves out for it, scored on those that it leaves out for
that; kept as a candidate of the same name. See `extraction.ml.calibrating` for what is fitted.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import textwrap
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from docintel import artefacts
from docintel.models import ModelVersion
from docintel.scoring import CannotScore, Score
from docintel.weights import WeightsUnavailable
from extraction import base_encoders
from extraction.ml.errors import BadArtefact
from extraction.ml.folders import CARD
from training.learning import tagger, tagger_beginning, tagger_report
from training.learning.tagger_data import load
from training.runs import Run

if TYPE_CHECKING:
    from extraction.ml.calibrating import Trust
    from extraction.ml.judging import Judged
    from extraction.ml.tagger import Tagger
    from extraction.ml.training import Material

SECTION = "\n## Calibrated again\n"


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A tagger that is read by raw probabilities, and what was fitted to them."""

    plain: Tagger
    trust: Trust
    fitted: Judged
    tested: Judged


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--schema", required=True, help="whose live tagger")
    parser.add_argument("--data", type=Path, required=True, help="the labelled texts of training")
    parser.add_argument("--score-texts", type=int, help="score on at most so many texts")
    parser.add_argument("--output", type=Path, help="also write the files into this folder")


def run_name(**options: Any) -> str:
    """The model that is trained; two runs of one name take turns."""
    return tagger.run_name(**options)


def run(training_run: Run | None = None, output: Path | None = None, **options: Any) -> Score:
    """Raises CannotScore where no tagger is live, or there is nothing to calibrate it on."""
    started = time.perf_counter()
    spec = tagger.spec_of(options["schema"])
    material = tagger.parted(load(options["data"], spec.label_names), {**options, "folds": 0})
    if not any(example.spans for example in material.fitted):
        raise CannotScore("no labelled text is left out for the calibration")
    version, folder = tagger_beginning.opened(options["schema"])
    found = calibrated(plain(version, folder), material)
    metrics = measured(version.metrics, found)
    with tempfile.TemporaryDirectory() as temporary:
        place = output or Path(temporary)
        write(folder, place, found, metrics)
        if training_run:
            keep(place, version, metrics, training_run)
    return Score(
        headline=f"expected calibration error in {found.tested.texts} texts left out",
        value=metrics["ece"] if metrics["ece"] is not None else float("nan"),
        higher_is_better=False,
        n=len(found.tested.verdicts),
        interval=None,
        seconds=time.perf_counter() - started,
        detail=metrics,
    )


def plain(version: ModelVersion, folder: Path) -> Tagger:
    """The tagger of these files, read by its raw probabilities. Raises CannotScore."""
    from extraction.ml import tagger as ml  # noqa: PLC0415  what serves takes a second to load
    from extraction.ml.calibration import Calibration  # noqa: PLC0415

    try:
        base = base_encoders.folder_of(version.base_encoder)
        loaded = ml.load(
            folder, base, device=settings.INFERENCE_DEVICE, cache=Path(settings.MODELS_DIR)
        )
    except (BadArtefact, WeightsUnavailable, OSError) as error:
        raise CannotScore(f"{version} cannot be loaded: {error}") from error
    sheet = replace(loaded.sheet, calibration=Calibration())
    return ml.Tagger(sheet, loaded.reader, loaded.runtime, loaded.steps)


def calibrated(loaded: Tagger, material: Material) -> Calibrated:
    """Fitted on the one part, judged on the other."""
    from extraction.ml.calibrating import calibrate  # noqa: PLC0415
    from extraction.ml.judging import judge  # noqa: PLC0415

    fitted = judge(loaded, material.fitted)
    trust = calibrate(fitted, loaded.sheet.design.match)
    return Calibrated(loaded, trust, fitted, judge(loaded, material.tested))


def measured(before: dict[str, Any], found: Calibrated) -> dict[str, Any]:
    """The version's metrics with those that hang on its confidences as they are now."""
    now = tagger_report.trusted(found.trust, found.fitted, found.tested, _match(found))
    return {**before, **now}


def write(source: Path, folder: Path, found: Calibrated, metrics: dict[str, Any]) -> None:
    """All files of `source` with the new calibration."""
    from extraction.ml.artefact import write_confidence  # noqa: PLC0415  loads PyTorch

    folder.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        shutil.copyfile(path, folder / path.name)
    sheet = replace(
        found.plain.sheet,
        calibration=found.trust.calibration,
        thresholds=found.trust.thresholds,
        metrics=metrics,
    )
    told = (source / CARD).read_text(encoding="utf-8").split(SECTION)[0]
    write_confidence(folder, sheet, told + SECTION + in_words(found, metrics), found.trust.trees)


def in_words(found: Calibrated, metrics: dict[str, Any]) -> str:
    """What the card says of it."""
    how = "corrected by trees on what else is known" if found.trust.trees else "without trees"
    texts = f"{found.fitted.texts} texts that nothing was learned from"
    at = metrics["deliver_at"]
    delivered = "No span" if at is None else f"A span from {at:.3f} on"
    said = (
        f"Confidences are fitted on {texts}, {how}; "
        f"the figures above are from before. On {found.tested.texts} others: {_match(found)} F1 "
        f"{metrics['f1']:.3f}, expected calibration error {metrics['ece']}. {delivered} is sure "
        "enough to be delivered without review."
    )
    return f"\n{textwrap.fill(said, 100)}\n"


def keep(folder: Path, version: ModelVersion, metrics: dict[str, Any], training_run: Run) -> None:
    """A candidate in the registry, named in the run."""
    training_run.check_held()
    kept = artefacts.keep(
        folder,
        version.name,
        base_encoder=version.base_encoder,
        base_digest=version.base_digest,
        snapshot_hash=version.snapshot_hash,
        metrics=metrics,
        card=(folder / CARD).read_text(encoding="utf-8"),
        created_by=training_run.label,
    )
    training_run.produced(kept)
    training_run.log(f"{kept} is kept as a candidate; to use it: promote {kept.name}")


def _match(found: Calibrated) -> str:
    return found.plain.sheet.design.match
