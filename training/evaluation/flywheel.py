"""Whether review turns into a better tagger, and whether doubt is a better guide than chance.

From a tenth of the labels a simulated expert works down a queue, the tagger learns again, and so
on for some rounds. At a size for two CPU cores: the encoder stays as it is, or but its last layers;
of contracts, passages of about 1,000 characters. A killed or paused evaluation goes on.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from docintel.scoring import CannotScore, Score
from docintel.weights import WeightsUnavailable
from extraction import base_encoders
from extraction.ml.settings import Design
from extraction.ml.spans import Example, FoundSpan
from review.valuing import uncertainty
from training.drawing_lines import draw
from training.evaluation.extraction import DATASETS, FLOOR, Dataset, live_schema
from training.evaluation.flywheel_curves import Compared, panel, ratios
from training.evaluation.span_scores import (
    Judged,
    Match,
    average_precision,
    documents_of,
    f1,
    overlap_counts,
    strict_counts,
    verdicts,
)
from training.learning.cutting_passages import pieces
from training.learning.learning_heads import Classroom, Tagger
from training.learning.simulating_review import ORDERS, Waiting, taken

START = 0.1
# The desk shows nothing below it.
DOUBTED = 0.05
AT_ONCE = 32
RESULTS = "flywheel.jsonl"


@dataclass(frozen=True, slots=True)
class Turn:
    """One training: scores on held-out documents after so many corrections; `taken` since the last.

    `f1` is that of the spans shown, from thresholds that few labels fit badly; `area`, the average
    precision of all that was ranked, needs none. `doubt` is the mean uncertainty of what still
    waits, `flagged` its spans that wait for a look.
    """

    order: str
    seed: int
    round: int
    corrections: int
    texts: int
    f1: float
    area: float
    seconds: float
    taken: list[int]
    doubt: float
    flagged: int


@dataclass(frozen=True, slots=True)
class Experiment:
    """Texts to label and texts to score on, of different documents; `budget` is for one round."""

    pool: list[Example]
    tested: list[Example]
    classroom: Classroom
    match: Match
    rounds: int
    budget: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="folder of the shape of KPI-EDGAR or CUAD")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--share", type=float, default=0.05, help="of all labels, in one round")
    parser.add_argument("--orders", nargs="+", choices=ORDERS, default=["random", "uncertainty"])
    parser.add_argument("--steps", type=int, default=300, help="of each training")
    parser.add_argument("--layers", type=int, default=0, help="of the encoder that learn too")
    parser.add_argument("--most", type=int, default=2_000, help="passages of contracts")
    parser.add_argument("--labels", type=int, help="only so many, the most frequent to learn from")
    parser.add_argument("--encoder", default="all-MiniLM-L6-v2")
    parser.add_argument("--output", type=Path, required=True, help="rows, kept to go on; the plot")
    parser.add_argument("--seconds", type=float, help="pause after this long; run again to go on")


def run(folder: Path, output: Path, **options: object) -> Score:
    """Raises CannotScore where the data are missing, or the time ends before the rounds do."""
    started = time.perf_counter()
    chosen = argparse.Namespace(**options)
    experiment = prepared(folder, chosen)
    output.mkdir(parents=True, exist_ok=True)
    path = output / RESULTS
    done = read(path)
    until = started + chosen.seconds if chosen.seconds else None
    for turn in turns(experiment, chosen.orders, chosen.seeds, done):
        done.append(turn)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(turn)) + "\n")
        _say(turn)
        if until and time.perf_counter() > until and not _is_whole(done, chosen):
            raise CannotScore(f"paused after {len(done)} trainings; run it again to go on")
    return scored(done, experiment, output, time.perf_counter() - started)


def prepared(folder: Path, chosen: argparse.Namespace) -> Experiment:
    """Raises CannotScore."""
    kind = next((each for each in DATASETS.values() if (folder / each.file).is_file()), None)
    if kind is None:
        raise CannotScore(f"{folder} is of the shape of none of: {', '.join(DATASETS)}")
    spec = live_schema(kind.schema)
    groups = list(spec.groups.values())
    pool, tested = parts(kind, folder, groups, chosen.most)
    if chosen.labels:
        held = Counter(span.label for each in pool for span in each.spans)
        kept = {label for label, _ in held.most_common(chosen.labels)}
        groups = [own for group in groups if (own := tuple(n for n in group if n in kept))]
        pool, tested = parts(kind, folder, groups, chosen.most)
    try:
        encoder = base_encoders.fetch(chosen.encoder)
    except WeightsUnavailable as error:
        raise CannotScore(str(error)) from error
    design = Design(groups=tuple(groups), rank=0, match=kind.match)
    labels = sum(max(1, len(each.spans)) for each in pool)
    budget = max(1, round(chosen.share * labels))
    classroom = Classroom(encoder, design, steps=chosen.steps, layers=chosen.layers)
    return Experiment(pool, tested, classroom, kind.match, chosen.rounds, budget)


def parts(
    kind: Dataset, folder: Path, groups: Sequence[Sequence[str]], most: int
) -> tuple[list[Example], list[Example]]:
    """Texts with the spans of these labels: to label, and of other documents to score on."""
    loaded = kind.read(folder, [label for group in groups for label in group])
    if "valid" in loaded.parts:
        return loaded.parts["train"], loaded.parts["valid"]
    return pieces(loaded.of("all"), most)


def turns(
    experiment: Experiment, orders: Sequence[str], seeds: int, done: Sequence[Turn]
) -> Iterator[Turn]:
    """The trainings that are missing, seed by seed, so that a pause leaves whole seeds."""
    found = list(done)
    for seed in range(seeds):
        for order in orders:
            known = {e.round: e for e in found if (e.order, e.seed) == (order, seed)}
            same = [each for each in found if each.seed == seed and each.round == 0]
            if 0 not in known and same:
                # All orders start from the same texts.
                known[0] = replace(same[0], order=order, seconds=0.0)
                found.append(known[0])
                yield known[0]
            for turn in wheel(experiment, order, seed, known):
                found.append(turn)
                yield turn


def wheel(experiment: Experiment, order: str, seed: int, known: dict[int, Turn]) -> Iterator[Turn]:
    """Round 0 and those after it, but for what is known."""
    chance = random.Random(f"{seed} {experiment.rounds}")  # noqa: S311
    count = max(1, round(START * len(experiment.pool)))
    labelled = chance.sample(range(len(experiment.pool)), count)
    spent, chosen = 0, []
    for number in range(experiment.rounds + 1):
        if number in known:
            chosen, spent = known[number].taken, known[number].corrections
            labelled += chosen if number else []
            if number + 1 in known or number == experiment.rounds:
                continue
        began = time.perf_counter()
        labelled += [] if number in known or not number else chosen
        examples = [experiment.pool[at] for at in labelled]
        tagger = experiment.classroom.learn(examples, seed)
        left = sorted(set(range(len(experiment.pool))) - set(labelled))
        queue = waiting(tagger, experiment.pool, left)
        if number not in known:
            doubts = [span for each in queue for span in each.doubted]
            yield Turn(
                order, seed, number, spent, len(labelled), *scores(tagger, experiment),
                round(time.perf_counter() - began, 1), chosen, _mean_doubt(doubts), len(doubts),
            )  # fmt: skip
        ordered = ORDERS[order](queue, random.Random(f"{seed} {number}"))  # noqa: S311
        chosen, cost = taken(ordered, experiment.pool, experiment.budget)
        spent += cost


def waiting(tagger: Tagger, pool: Sequence[Example], left: Sequence[int]) -> list[Waiting]:
    """What the model shows and doubts of each text that nobody has labelled."""
    found = []
    for start in range(0, len(left), AT_ONCE):
        part = left[start : start + AT_ONCE]
        reads, candidates = tagger.candidates([pool[at].text for at in part])
        for at, read, each in zip(part, reads, candidates, strict=True):
            shown = tuple(tagger.spans(read, each))
            closest = max((uncertainty(tagger.raw(one)) for one in each), default=0.0)
            doubted = tuple(tagger.spans(read, each, DOUBTED))
            found.append(Waiting(at, shown, doubted, closest))
    return found


def scores(tagger: Tagger, experiment: Experiment) -> tuple[float, float]:
    """F1 and area on the held-out documents; of contracts by overlap, as their other scores."""
    judged, ranked = [], []
    for start in range(0, len(experiment.tested), AT_ONCE):
        part = experiment.tested[start : start + AT_ONCE]
        reads, candidates = tagger.candidates([each.text for each in part])
        for each, read, found in zip(part, reads, candidates, strict=True):
            shown, every = tagger.spans(read, found), tagger.spans(read, found, FLOOR)
            judged.append(Judged(each.key, each.text, each.spans, tuple(shown)))
            ranked.append(Judged(each.key, each.text, each.spans, tuple(every)))
    counts = strict_counts(judged) if experiment.match == "exact" else overlap_counts(judged)
    documents = documents_of(judged)
    value = f1(counts, documents)(np.ones(int(documents.max(initial=-1)) + 1))
    every_one = verdicts(ranked, lambda _: 0.0, experiment.match)
    return round(value, 4), round(average_precision(every_one, int(counts[:, 2].sum())), 4)


def scored(done: Sequence[Turn], experiment: Experiment, output: Path, seconds: float) -> Score:
    """Against random order; the plot goes beside the rows."""
    found = ratios([(each.order, each.seed, each.corrections, each.f1) for each in done])
    areas = ratios([(each.order, each.seed, each.corrections, each.area) for each in done])
    shown = f"F1 of the spans shown ({experiment.match})"
    plot = draw([panel(shown, found), panel("Average precision", areas)])
    (output / "flywheel.svg").write_text(plot, encoding="utf-8")
    for order, curve in found.curves.items():
        print(f"{order:12}", *(f"{spent:.0f}: {value:.3f} " for spent, value in curve))
    return Score(
        headline="corrections by doubt for random order's final F1, as a share of random's",
        value=found.ratio.get("uncertainty", float("nan")),
        higher_is_better=False,
        n=len({(each.order, each.seed) for each in done}),
        interval=None,
        seconds=seconds,
        detail={
            "f1": _compared(found),
            "area": _compared(areas),
            "labels": [label for group in experiment.classroom.design.groups for label in group],
            "texts": len(experiment.pool),
            "tested_texts": len(experiment.tested),
            "budget": experiment.budget,
            "training_seconds": statistics.median(e.seconds for e in done if e.seconds),
            "match": experiment.match,
        },
    )


def _compared(found: Compared) -> dict[str, object]:
    return {
        "curves": found.curves,
        "ratio": found.ratio,
        "ratio_of_seeds": found.by_seed,
        "ahead_of_random": found.ahead,
    }


def read(path: Path) -> list[Turn]:
    """Those done before; a line that a kill cut off counts as none."""
    if not path.is_file():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(Turn(**json.loads(line)))
        except (ValueError, TypeError):
            break
    kept = "".join(json.dumps(asdict(each)) + "\n" for each in rows)
    path.write_text(kept, encoding="utf-8")
    return rows


def _mean_doubt(spans: Sequence[FoundSpan]) -> float:
    doubts = [uncertainty(span.confidence) for span in spans]
    return round(statistics.fmean(doubts), 4) if doubts else 0.0


def _is_whole(done: Sequence[Turn], chosen: argparse.Namespace) -> bool:
    return len(done) == len(chosen.orders) * chosen.seeds * (chosen.rounds + 1)


def _say(turn: Turn) -> None:
    print(
        f"{turn.order}, seed {turn.seed}, round {turn.round}: {turn.corrections} corrections, "
        f"{turn.texts} texts, F1 {turn.f1:.3f}, area {turn.area:.3f}, {turn.flagged} flagged, "
        f"{turn.seconds:.0f} s",
        file=sys.stderr,
        flush=True,
    )
