"""Whether the tagger's parts earn their keep: without type feature or CRF, at several sizes.

Every run scores on the same documents, which none learns from. A killed ablation goes on with the
runs that are missing.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from docintel.scoring import Score
from training.drawing_lines import BLUE, GREEN, GREY, ORANGE, Line, Panel, draw
from training.learning import tagger, tagger_report
from training.learning.tagger_data import load
from training.runs import Run

if TYPE_CHECKING:
    from extraction.ml.frozen_encoder import FrozenEncoder
    from extraction.ml.learning import Course
    from extraction.ml.training import Material, Plan

SIZES = (500, 1_000, 2_000, 4_000)
VARIANTS: dict[str, dict[str, bool]] = {
    "whole": {},
    "without type feature": {"no_type_feature": True},
    "without CRF": {"no_crf": True},
    "without either": {"no_type_feature": True, "no_crf": True},
}


@dataclass(frozen=True, slots=True)
class Result:
    """One run; `f1` at the best common threshold, `area` mean average precision over labels."""

    variant: str
    windows: int
    seed: int
    f1: float
    area: float
    seconds: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    tagger.add_arguments(parser)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="labelled windows")
    parser.add_argument("--seeds", type=int, default=1, help="runs of each, with other seeds")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--steps", type=int, help="so many at every size, whatever the epochs")
    parser.add_argument(
        "--frozen", action="store_true", help="the encoder stays as it is: minutes, not hours"
    )


def run_name(**options: Any) -> str:
    return f"ablation:{options['schema']}"


def run(training_run: Run | None = None, output: Path | None = None, **options: Any) -> Score:
    """Prints the table and writes ablation.json and ablation.svg into `output`."""
    started = time.perf_counter()
    options = tagger.with_preset({**options, "folds": 0})
    spec = tagger.spec_of(options["schema"])
    material = tagger.parted(load(options["data"], spec.label_names), options)
    with TemporaryDirectory() as temporary:
        work = training_run.folder if training_run else Path(temporary)
        found = results(material, options, work, training_run)
    print(in_words(found))
    if output:
        output.mkdir(parents=True, exist_ok=True)
        rows = json.dumps([asdict(each) for each in found], indent=1)
        (output / "ablation.json").write_text(rows, encoding="utf-8")
        panels = [
            _panel(found, "F1 at the best common threshold", lambda each: each.f1),
            _panel(found, "Mean average precision over labels", lambda each: each.area),
        ]
        (output / "ablation.svg").write_text(draw(panels), encoding="utf-8")
    whole = [each.f1 for each in found if each.variant == "whole"]
    return Score(
        headline=f"{options['match']} F1 of the whole tagger at the largest size",
        value=whole[-1] if whole else float("nan"),
        higher_is_better=True,
        n=len(found),
        interval=None,
        seconds=time.perf_counter() - started,
        detail={"runs": [asdict(each) for each in found]},
    )


def results(
    material: Material, options: dict[str, Any], work: Path, training_run: Run | None
) -> list[Result]:
    """Every size, variant and seed, those done before from their file."""
    path = work / "results.jsonl"
    done = _read(path)
    spec = tagger.spec_of(options["schema"])
    encoder = _frozen(tagger.plan_of(spec, options)) if options.get("frozen") else None
    for size in options["sizes"]:
        for variant in options["variants"]:
            for seed in range(options["seed"], options["seed"] + options["seeds"]):
                if any((e.variant, e.windows, e.seed) == (variant, size, seed) for e in done):
                    continue
                plan = tagger.plan_of(spec, {**options, **VARIANTS[variant], "seed": seed})
                course = replace(
                    plan.course, limit=size, epochs=_epochs(plan.course, size, options)
                )
                plan = replace(plan, course=course, encoder=encoder)
                result = one(material, plan, variant, work / f"{variant}-{size}-{seed}")
                done.append(result)
                with path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(result)) + "\n")
                if training_run:
                    training_run.log(str(result))
    return done


def _frozen(plan: Plan) -> FrozenEncoder:
    """One for all runs, which reads each window once."""
    from extraction.ml.frozen_encoder import FrozenEncoder  # noqa: PLC0415  loads PyTorch

    return FrozenEncoder(plan.base.folder)


def _epochs(course: Course, size: int, options: dict[str, Any]) -> int:
    """Those asked for, or as many as make the steps: few windows are then seen more often."""
    if not options.get("steps"):
        return course.epochs
    return max(1, round(options["steps"] * course.batch / (size * (1 + course.empty_share))))


def one(material: Material, plan: Plan, variant: str, work: Path) -> Result:
    """Learn from so many windows and score; goes on in `work` after a kill."""
    started = time.perf_counter()
    with tagger_report.bar(None) as tell:
        name = f"{variant}, {plan.course.limit}"
        network, _, _ = plan.learn(material.learned, work, lambda step: tell(name, step))
    judged = plan.judge(network, material.tested)
    right, raw = judged.right(plan.design.match), judged.raw()
    hits = np.cumsum(right[np.argsort(-raw, kind="stable")])
    gold = sum(judged.gold.values())
    f1 = float((2 * hits / (np.arange(1, len(hits) + 1) + gold)).max()) if len(hits) else 0.0
    return Result(
        variant,
        plan.course.limit,
        plan.course.seed,
        round(f1, 4),
        round(tagger_report.macro_area(judged, raw, plan.design.match), 4),
        round(time.perf_counter() - started, 1),
    )


def in_words(found: list[Result]) -> str:
    """A table in Markdown: a row for each size, a column for each variant; means over seeds."""
    variants = [name for name in VARIANTS if any(each.variant == name for each in found)]
    lines = [
        "| labelled windows | " + " | ".join(variants) + " |",
        "|---" * (len(variants) + 1) + "|",
    ]
    for size in _sizes(found):
        cells = [_cell([e for e in found if (e.variant, e.windows) == (v, size)]) for v in variants]
        lines.append(f"| {size:,} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _panel(found: list[Result], title: str, value: Callable[[Result], float]) -> Panel:
    lines = []
    for variant, colour in zip(VARIANTS, (BLUE, ORANGE, GREY, GREEN), strict=True):
        own = [each for each in found if each.variant == variant]
        by_size = {size: [value(e) for e in own if e.windows == size] for size in _sizes(own)}
        means = [(size, float(np.mean(values))) for size, values in by_size.items()]
        around = [float(np.std(values)) for values in by_size.values()]
        if own:
            lines.append(Line(variant, colour, means, around))
    return Panel(title, "labelled windows", lines)


def _sizes(found: list[Result]) -> list[int]:
    return sorted({each.windows for each in found})


def _cell(found: list[Result]) -> str:
    if not found:
        return ""
    return f"{np.mean([e.f1 for e in found]):.3f} / {np.mean([e.area for e in found]):.3f}"


def _read(path: Path) -> list[Result]:
    if not path.is_file():
        return []
    rows = path.read_text(encoding="utf-8").splitlines()
    return [Result(**json.loads(row)) for row in rows if row.endswith("}")]
