"""Train the ranker, and the weight of the cross-encoder beside it, on questions mined from the
indexed filings, with candidates as served.

LightGBM's lambdarank, scored on companies left out; kept as a candidate where it beats the order
before it. A third of the companies is never learned from: the gate asks about those. Trap: its
features come from retrieval as it is, so a changed retrieval wants a new training.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from docintel.cross_encoding import RerankerUnavailable
from docintel.scoring import CannotScore, Score, bootstrap
from qa.ranking import reranking
from training.learning.ranker_candidates import Floats, Group, collect, read
from training.learning.ranker_fitting import (
    FOLDS,
    LINE_ITEMS,
    UNITS,
    fit,
    left_out,
    measures,
    ndcg,
    weigh,
    weighed_left_out,
    without,
)
from training.runs import Run

FEWEST = 50
# Questions whose candidates are read to fit one weight; reading takes most of the time.
READ_OF = 300


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--most", type=int, default=1_600, help="mine at most this many questions")
    parser.add_argument("--output", type=Path, help="write the model and its weight here as well")


def run(
    most: int = 1_600, output: Path | None = None, training_run: Run | None = None, **_: Any
) -> Score:
    """Raises CannotScore where too little is indexed to mine from, or nothing reads passages."""
    started = time.perf_counter()
    groups = collect(most)
    if len(groups) < FEWEST or len({group.mined.company for group in groups}) < FOLDS:
        raise CannotScore(
            f"{len(groups)} answerable questions could be mined; {FEWEST} of at least {FOLDS} "
            "companies are needed: index more annual reports"
        )
    orders = cross_validated(groups)
    weight, read_detail = blend(groups, orders["ranker"])
    text = fit(groups)
    detail = describe(groups, orders) | {"read": read_detail, "cross_weight": weight}
    detail["model_kilobytes"] = round(len(text) / 1000)
    if output:
        output.mkdir(parents=True, exist_ok=True)
        (output / "ranker.txt").write_text(text, encoding="utf-8")
        weights = json.dumps({"cross_weight": weight})
        (output / "ranker.json").write_text(weights + "\n", encoding="utf-8")
    before = max(detail[name]["ndcg@10"] for name in ("before", "formula"))
    detail["kept"] = detail["ranker"]["ndcg@10"] > before
    if detail["kept"]:
        digest = hashlib.sha256(f"{weight!r}\n{text}".encode()).hexdigest()
        version = f"{time.strftime('%Y-%m-%d')}-{digest[:8]}"
        kept = reranking.keep(
            text,
            version,
            digest,
            detail,
            created_by=training_run.label if training_run else "",
            cross_weight=weight,
        )
        if training_run:
            training_run.produced(kept)
        detail["version"] = version
        print(f"{kept} is kept as a candidate; to use it: judge {kept.name}")
    return Score(
        headline="NDCG@10 of the ranker on mined questions of companies left out",
        value=detail["ranker"]["ndcg@10"],
        higher_is_better=True,
        n=len(groups),
        interval=bootstrap(
            [ndcg(g.grades, s) for g, s in zip(groups, orders["ranker"], strict=True)]
        ),
        seconds=time.perf_counter() - started,
        detail=detail,
    )


def cross_validated(groups: Sequence[Group]) -> dict[str, list[Floats]]:
    """Scores by the name of each order, the ranker's on companies left out."""
    ranked: dict[str, dict[int, Floats]] = defaultdict(dict)
    lacking = {
        "ranker": (),
        "ranker, units withheld": UNITS,
        "ranker, line items withheld": LINE_ITEMS,
    }
    for test, model in left_out(groups):
        for at in test:
            for name, features in lacking.items():
                rows = without(groups[at].rows, features)
                ranked[name][at] = np.array(model.score(rows))
    return {
        "before": [group.fused for group in groups],
        "formula": [group.formula for group in groups],
    } | {name: [scores[at] for at in range(len(groups))] for name, scores in ranked.items()}


def blend(groups: Sequence[Group], ranked: Sequence[Floats]) -> tuple[float, dict[str, Any]]:
    """The weight of the cross-encoder beside these scores, and how good the two are together.

    Raises CannotScore where there is no cross-encoder, since a weight of none would be kept.
    """
    chosen = evenly(groups, READ_OF)
    some, scores = [groups[at] for at in chosen], [ranked[at] for at in chosen]
    try:
        cross = [read(group, own) for group, own in zip(some, scores, strict=True)]
    except RerankerUnavailable as error:
        raise CannotScore(f"the cross-encoder's weight cannot be fitted: {error}") from error
    orders = {
        "ranker": scores,
        "cross-encoder": [np.nan_to_num(said, nan=-np.inf) for said in cross],
        "together": weighed_left_out(some, scores, cross),
    }
    return weigh(some, scores, cross), describe(some, orders)


def evenly(groups: Sequence[Group], most: int) -> list[int]:
    """At most so many of them, as many of each sort as there are."""
    seen: Counter[str] = Counter()
    turns = []
    for at, group in enumerate(groups):
        turns.append((seen[group.mined.sort], at))
        seen[group.mined.sort] += 1
    return sorted(at for _, at in sorted(turns)[:most])


def describe(groups: Sequence[Group], orders: Mapping[str, Sequence[Floats]]) -> dict[str, Any]:
    """How good each order is, of all questions and by sort."""
    detail: dict[str, Any] = {name: measures(groups, scores) for name, scores in orders.items()}
    detail["questions"] = dict(Counter(group.mined.sort for group in groups))
    detail["companies"] = len({group.mined.company for group in groups})
    detail["by_sort"] = {}
    for sort in detail["questions"]:
        chosen = [at for at, group in enumerate(groups) if group.mined.sort == sort]
        detail["by_sort"][sort] = {
            name: measures([groups[at] for at in chosen], [scores[at] for at in chosen])
            for name, scores in orders.items()
        }
    return detail
