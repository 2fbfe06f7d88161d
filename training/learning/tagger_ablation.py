"""Whether the tagger's parts earn their keep: without type feature or CRF, at several sizes.

Every run ends with the weights of the epoch that was best on the same windows of documents left
out, and scores on other documents that none learns from. Of a seed, fewer windows are a part of
more. A killed ablation goes on with the runs that are missing.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from docintel.scoring import CannotScore, Score
from extraction.ml.spans import Example
from extraction.schema import SchemaSpec
from training.drawing_lines import BLUE, GREEN, GREY, ORANGE, Line, Panel, draw
from training.learning import tagger, tagger_report
from training.learning.tagger_data import load
from training.runs import Run

if TYPE_CHECKING:
    from extraction.ml.frozen_encoder import FrozenEncoder
    from extraction.ml.learning import Course
    from extraction.ml.lessons import Lessons
    from extraction.ml.training import Material, Plan

# Labelled windows that say which epoch was best; a second to read after each.
LEFT_OUT = 200
SIZES = (500, 1_000, 2_000, 4_000)
VARIANTS: dict[str, dict[str, bool]] = {
    "whole": {},
    "without type feature": {"no_type_feature": True},
    "without CRF": {"no_crf": True},
    "without either": {"no_type_feature": True, "no_crf": True},
}


@dataclass(frozen=True, slots=True)
class Result:
    """One run; `f1` at the best common threshold, `area` mean average precision over labels.

    `epochs` learned; the weights are those after the epoch `best`, counted from 1.
    """

    variant: str
    windows: int
    seed: int
    f1: float
    area: float
    epochs: int
    best: int
    seconds: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    tagger.add_arguments(parser)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="labelled windows")
    parser.add_argument("--seeds", type=int, default=1, help="runs of each, with other seeds")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--steps", type=int, default=0, help="at least so many at every size")
    parser.add_argument(
        "--patience", type=int, default=2, help="epochs no better than before, then a run ends"
    )
    parser.add_argument(
        "--frozen", action="store_true", help="the encoder stays as it is: minutes, not hours"
    )


def run_name(**options: Any) -> str:
    return f"ablation:{options['schema']}"


def run(training_run: Run | None = None, output: Path | None = None, **options: Any) -> Score:
    """Prints the table and writes ablation.json and ablation.svg into `output`."""
    started = time.perf_counter()
    if options.get("from_live"):
        raise CannotScore("an ablation begins with the encoder alone")
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
    """Every seed, variant and size, those done before from their file."""
    path = work / "results.jsonl"
    done = _read(path)
    seeds = range(options["seed"], options["seed"] + options["seeds"])
    wanted = [
        (variant, size, seed)
        for seed in seeds
        for variant in options["variants"]
        for size in options["sizes"]
    ]
    before = {(each.variant, each.windows, each.seed) for each in done}
    missing = [each for each in wanted if each not in before]
    if not missing:
        return done
    shared = _shared(material, options)
    for variant, size, seed in missing:
        plan = tagger.plan_of(shared.spec, {**options, **VARIANTS[variant], "seed": seed})
        epochs = _epochs(plan.course, size, options["steps"])
        course = replace(plan.course, limit=size, epochs=epochs, patience=options["patience"])
        plan = replace(plan, course=course, encoder=shared.encoder)
        result = one(shared, plan, variant, work / f"{variant}-{size}-{seed}")
        done.append(result)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result)) + "\n")
        if training_run:
            training_run.log(str(result))
    return done


@dataclass(frozen=True)
class Shared:
    """What all runs have in common: texts are cut, and by a frozen encoder read, only once."""

    spec: SchemaSpec
    lessons: Lessons
    left_out: Lessons
    tested: Sequence[Example]
    encoder: FrozenEncoder | None


def _shared(material: Material, options: dict[str, Any]) -> Shared:
    from extraction.ml.lessons import Lessons  # noqa: PLC0415  loads PyTorch

    spec = tagger.spec_of(options["schema"])
    plan = tagger.plan_of(spec, options)
    lessons, left_out = (
        Lessons(examples, plan.reader, plan.design)
        for examples in (material.learned, material.fitted)
    )
    left_out = left_out.limited(LEFT_OUT, plan.course.empty_share, options["seed"])
    encoder = _frozen(plan) if options.get("frozen") else None
    return Shared(spec, lessons, left_out, material.tested, encoder)


def _frozen(plan: Plan) -> FrozenEncoder:
    """One for all runs, which reads each window once."""
    from extraction.ml.frozen_encoder import FrozenEncoder  # noqa: PLC0415  loads PyTorch

    return FrozenEncoder(plan.base.folder)


def _epochs(course: Course, size: int, steps: int) -> int:
    """Those asked for, or more where so few windows would else be learned in too few steps."""
    return max(course.epochs, round(steps * course.batch / (size * (1 + course.empty_share))))


def one(shared: Shared, plan: Plan, variant: str, work: Path) -> Result:
    """Learn from so many windows and score; goes on in `work` after a kill."""
    started = time.perf_counter()
    course = plan.course
    lessons = shared.lessons.limited(course.limit, course.empty_share, course.seed)
    with tagger_report.bar(None) as tell:
        watch = partial(tell, f"{variant}, {course.limit}")
        network, history = plan.learn_from(lessons, work, watch, shared.left_out)
    judged = plan.judge(network, shared.tested)
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
        len(history.left_out),
        history.left_out.index(min(history.left_out)) + 1,
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
