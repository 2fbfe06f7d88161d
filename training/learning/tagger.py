"""Train the tagger of a schema: learned by a shared encoder, calibrated, and kept as a candidate.

Killed, the same command goes on where it was. Nothing goes live by itself: see `promote`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docintel import artefacts, weights
from docintel.scoring import CannotScore, Score
from docintel.weights import WeightsUnavailable
from extraction import base_encoders, schema
from extraction.ml import splitting
from extraction.ml.folders import LEARNED
from extraction.ml.spans import Example
from extraction.schema import SchemaSpec
from training.learning import tagger_beginning, tagger_report
from training.learning.tagger_beginning import Beginning
from training.learning.tagger_data import Labelled, check_labels, load
from training.runs import Run

if TYPE_CHECKING:
    from extraction.ml.learning import Course
    from extraction.ml.settings import Design
    from extraction.ml.training import Material, Outcome, Plan

# What the project's own default versions were trained with; other schemas take the first.
PRESETS: dict[str, dict[str, Any]] = {
    "": {"epochs": 10, "batch": 16, "folds": 0, "match": "exact", "rate": 1e-3},
    "kpis": {"epochs": 14, "batch": 16, "folds": 0, "match": "exact", "rate": 1.5e-3},
    "contracts": {"epochs": 2, "batch": 16, "folds": 0, "match": "overlap", "rate": 1e-3},
}
NAMED = ("epochs", "batch", "folds", "match", "rate")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--schema", required=True, help="kpis, contracts, or a saved schema's name")
    parser.add_argument("--data", type=Path, required=True, help="a folder of labelled texts")
    parser.add_argument(
        "--encoder", default="all-MiniLM-L6-v2", help="a known model, a folder, or a hub's id"
    )
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--epochs", type=int, help="how often each window is learned from")
    parser.add_argument("--batch", type=int, help="windows of one step")
    parser.add_argument(
        "--from-live", action="store_true", help="go on from the live version: its encoder and size"
    )
    parser.add_argument("--rate", type=float, help="the encoder's highest learning rate")
    parser.add_argument("--head-rate", type=float, default=1e-3, help="that of all else")
    parser.add_argument("--rank", type=int, default=16, help="of the low-rank additions (LoRA)")
    parser.add_argument("--full", action="store_true", help="tune the whole encoder, not LoRA")
    parser.add_argument("--folds", type=int, help="calibrate by cross-validation in so many parts")
    parser.add_argument("--match", choices=("exact", "overlap"), help="what counts as right")
    parser.add_argument("--no-type-feature", action="store_true", help="ablation")
    parser.add_argument("--no-crf", action="store_true", help="ablation")
    parser.add_argument("--limit-windows", type=int, default=0, help="learn from so many, labelled")
    parser.add_argument("--empty-share", type=float, default=1.0, help="unlabelled ones for each")
    parser.add_argument("--score-texts", type=int, help="score on at most so many texts")
    parser.add_argument("--everything", action="store_true", help="learn from the valid part too")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--output", type=Path, help="also write the files into this folder")


def run_name(**options: Any) -> str:
    """The model that is trained; two runs of one name take turns."""
    return f"tagger:{options['schema']}"


def run(training_run: Run | None = None, output: Path | None = None, **options: Any) -> Score:
    """Raises CannotScore where there is nothing to learn from, or the encoder is not there."""
    started = time.perf_counter()
    options = with_preset(options)
    spec = spec_of(options["schema"])
    labelled = load(options["data"], spec.label_names)
    material = parted(labelled, options)
    notes = labelled.notes + check_labels(material.learned, spec.label_names)
    begin = beginning(options)
    if begin:
        material = begin.unseen(material)
    plan = plan_of(spec, options, begin)
    snapshot = options.get("snapshot") or snapshot_of([*material.learned, *material.fitted])
    if training_run:
        training_run.learned_from(snapshot)
        for note in notes:
            training_run.log(note)
    outcome = learned(material, plan, training_run, begin)
    seconds = time.perf_counter() - started
    facts = tagger_report.facts(outcome, plan, material, options["schema"])
    facts |= {"snapshot": snapshot, "seconds": round(seconds, 1), "credit": labelled.credit}
    facts["begun"] = str(begin.version) if begin else ""
    with tempfile.TemporaryDirectory() as temporary:
        folder = output or Path(temporary)
        write(folder, outcome, facts, [*notes, *outcome.notes])
        seen = {splitting.mark(each.key) for each in (*material.learned, *material.fitted)}
        seen |= begin.marks if begin else set()
        (folder / LEARNED).write_text(json.dumps(sorted(seen)), encoding="utf-8")
        if training_run:
            keep(folder, plan, facts, training_run)
    return _score(outcome, facts, seconds)


def with_preset(options: dict[str, Any]) -> dict[str, Any]:
    """What was not asked for is as the project's own versions have it."""
    preset = PRESETS.get(options["schema"], PRESETS[""])
    chosen = {n: preset[n] if options.get(n) is None else options[n] for n in NAMED}
    return {**options, **chosen}


def beginning(options: dict[str, Any]) -> Beginning | None:
    """What to go on from; None to begin with the encoder alone. Raises CannotScore."""
    if not options.get("from_live"):
        return None
    if options["folds"] > 1:
        raise CannotScore("what goes on from the live version knows what folds would leave out")
    return tagger_beginning.live(options["schema"])


def spec_of(name: str) -> SchemaSpec:
    """The saved schema of this name as it is now, else the one that comes with the project."""
    from extraction.models import Schema  # noqa: PLC0415  the tables are not needed for a file's

    saved = Schema.objects.filter(name=name).first()
    if saved is not None and saved.version:
        return saved.current.read()
    if name in schema.bundled_names():
        return schema.bundled(name)
    raise CannotScore(f"there is no schema {name!r}; bundled: {', '.join(schema.bundled_names())}")


def parted(labelled: Labelled, options: dict[str, Any]) -> Material:
    """Which documents are learned from, calibrated on and scored: by parts, else by hash."""
    from extraction.ml.training import Material  # noqa: PLC0415  loads PyTorch

    if "valid" in labelled.parts:
        tested = labelled.of("valid")
        rest = [each for name, part in labelled.parts.items() if name != "valid" for each in part]
        rest += tested if options.get("everything") else []
    else:
        every = labelled.of("all") or labelled.of("train")
        tested = splitting.in_tenths(every, splitting.TESTED)
        others = set(range(splitting.TENTHS)) - set(splitting.TESTED)
        rest = splitting.in_tenths(every, sorted(others))
    # By hash again, so that fewer of them are a fair sample of all.
    tested = sorted(tested, key=lambda each: snapshot_of([each]))[: options["score_texts"]]
    if options["folds"] > 1:
        return Material(rest, (), tested, options["folds"])
    fitted = splitting.in_tenths(rest, splitting.FITTED)
    others = set(range(splitting.TENTHS)) - set(splitting.FITTED)
    return Material(splitting.in_tenths(rest, sorted(others)), fitted, tested)


def plan_of(spec: SchemaSpec, options: dict[str, Any], begin: Beginning | None = None) -> Plan:
    """Encoder, design and course as asked for, the first two as `begin` has them.

    Raises CannotScore.
    """
    from extraction.ml.learning import Course  # noqa: PLC0415  loads PyTorch
    from extraction.ml.tags import BadLabels  # noqa: PLC0415
    from extraction.ml.training import Base, Plan, choose_device  # noqa: PLC0415

    encoder = begin.version.base_encoder if begin else options["encoder"]
    try:
        device = choose_device(options["device"])
        folder = base_encoders.fetch(encoder)
        design = begin.design(spec, options["match"]) if begin else design_of(spec, options)
        _ = design.scheme
    except (ValueError, BadLabels, WeightsUnavailable) as error:
        raise CannotScore(str(error)) from error
    course: Course = Course(
        epochs=options["epochs"],
        batch=options["batch"],
        # Whole weights break at a rate that additions of low rank need.
        rate=options["rate"] if design.rank else options["rate"] / 20,
        head_rate=options["head_rate"],
        seed=options["seed"],
        limit=options["limit_windows"],
        empty_share=options["empty_share"],
        device=device,
    )
    name = encoder if encoder in weights.KNOWN or "/" in encoder else str(folder)
    plan: Plan = Plan(Base(name, folder), design, course, begin=begin.folder if begin else None)
    if begin:
        begin.check(plan)
    return plan


def design_of(spec: SchemaSpec, options: dict[str, Any]) -> Design:
    """How a tagger of this schema is built that begins with an encoder alone."""
    from extraction.ml.settings import Design  # noqa: PLC0415  is not needed to ask for options

    return Design(
        groups=tuple(spec.groups.values()),
        rank=0 if options["full"] else options["rank"],
        type_feature=not options["no_type_feature"],
        crf=not options["no_crf"],
        match=options["match"],
    )


def learned(
    material: Material, plan: Plan, training_run: Run | None, begin: Beginning | None
) -> Outcome:
    """Train with a bar on the screen; in the run's folder, so that a kill loses a minute."""
    from extraction.ml.training import train  # noqa: PLC0415  loads PyTorch

    with tempfile.TemporaryDirectory() as temporary, tagger_report.bar(training_run) as tell:
        work = training_run.folder if training_run else Path(temporary)
        # Another version may be live when a killed run goes on: what it learned began elsewhere.
        work = work / f"from-{begin.version.number}" if begin else work
        return train(material, plan, work, tell)


def write(folder: Path, outcome: Outcome, facts: dict[str, Any], notes: list[str]) -> None:
    """Artefact, report and curves into a folder."""
    from extraction.ml.training import save  # noqa: PLC0415  loads PyTorch

    outcome.sheet = replace(outcome.sheet, metrics=facts["metrics"])
    save(outcome, folder, tagger_report.card(facts))
    report = {**facts, "notes": notes, "losses": outcome.history.losses}
    (folder / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    tagger_report.draw(outcome, folder)


def keep(folder: Path, plan: Plan, facts: dict[str, Any], training_run: Run) -> None:
    """A candidate in the registry, named in the run."""
    training_run.check_held()
    version = artefacts.keep(
        folder,
        run_name(schema=facts["schema"]),
        base_encoder=plan.base.name,
        base_digest=facts["encoder_digest"],
        snapshot_hash=facts["snapshot"],
        metrics=facts["metrics"],
        card=(folder / "card.md").read_text(encoding="utf-8"),
        created_by=training_run.label,
    )
    training_run.produced(version)
    training_run.log(f"{version} is kept as a candidate; to use it: promote {version.name}")


def snapshot_of(examples: Iterable[Example]) -> str:
    """SHA-256 of exactly these examples, in their order."""
    found = hashlib.sha256()
    for example in examples:
        found.update(json.dumps(asdict(example), sort_keys=True).encode())
    return found.hexdigest()


def _score(outcome: Outcome, facts: dict[str, Any], seconds: float) -> Score:
    rows = outcome.rows
    value = rows[-1].f1 if rows else 0.0
    return Score(
        headline=f"{facts['match']} F1 of spans in {facts['tested_texts']} texts left out",
        value=value,
        higher_is_better=True,
        n=outcome.rows[-1].gold if rows else 0,
        interval=None,
        seconds=seconds,
        detail=facts["metrics"],
    )
