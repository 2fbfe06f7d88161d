"""Train the reranker on questions mined from the indexed filings, with candidates as served.

LightGBM's lambdarank, scored on companies left out; kept as a candidate where it beats the order
before it. A third of the companies is never learned from: the gate asks about those. Trap: its
features come from retrieval as it is, so a changed retrieval wants a new training.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from docintel import lightgbm_text
from docintel.scoring import CannotScore, Score, bootstrap
from ingestion.models import Document
from qa.evidence import Evidence
from qa.gathering import DEPTH
from qa.ranking import reranking
from qa.ranking.ranking_looks import rank_all
from qa.understanding import Understanding, understand
from training.answerable_questions import is_held_out, shortened
from training.learning.ranker_questions import KINDS, Mined, grade, mine
from training.learning.rewording import Rewording
from training.runs import Run

FOLDS = 5
TREES = 120
SETTINGS = {
    "objective": "lambdarank",
    "num_leaves": 15,
    "learning_rate": 0.06,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "label_gain": [0, 1, 3, 7],
    "verbosity": -1,
    "num_threads": 2,
    "seed": 7,
    "deterministic": True,
}
# What the grades of mined questions rest on. For some questions it is withheld, so that the ranker
# also learns to do without: a real question may name its metric in words no list knows.
WITHHELD = ("item_coverage", "item_rows", "statement_match", "expansion_coverage")
WITHHELD_SHARE = 0.35
FEWEST = 50
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Group:
    """One question's candidates in their order before: features, grades 0 to 3, formula's score."""

    mined: Mined
    rows: list[dict[str, float]]
    grades: NDArray[np.int64]
    fused: Floats
    formula: Floats
    chunks: list[int]
    asked: Understanding


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--most", type=int, default=1_500, help="mine at most this many questions")
    parser.add_argument("--output", type=Path, help="also write the model's text to this file")


def run(
    most: int = 1_500, output: Path | None = None, training_run: Run | None = None, **_: Any
) -> Score:
    """Raises CannotScore where too little is indexed to mine from."""
    started = time.perf_counter()
    groups = collect(most)
    if len(groups) < FEWEST or len({group.mined.company for group in groups}) < FOLDS:
        raise CannotScore(
            f"{len(groups)} answerable questions could be mined; {FEWEST} of at least {FOLDS} "
            "companies are needed: index more annual reports"
        )
    detail, after = cross_validated(groups)
    text = fit(groups)
    detail["model_kilobytes"] = round(len(text) / 1000)
    if output:
        output.write_text(text, encoding="utf-8")
    better = detail["after"]["ndcg@10"] > max(
        detail["before"]["ndcg@10"], detail["formula"]["ndcg@10"]
    )
    if better:
        digest = hashlib.sha256(text.encode()).hexdigest()
        version = f"{time.strftime('%Y-%m-%d')}-{digest[:8]}"
        kept = reranking.keep(
            text, version, digest, detail, created_by=training_run.label if training_run else ""
        )
        if training_run:
            training_run.produced(kept)
        detail["version"] = version
        print(f"{kept} is kept as a candidate; to use it: judge {kept.name}")
    detail["kept"] = better
    return Score(
        headline="NDCG@10 of the ranker on mined questions of companies left out",
        value=detail["after"]["ndcg@10"],
        higher_is_better=True,
        n=len(groups),
        interval=bootstrap(after),
        seconds=time.perf_counter() - started,
        detail=detail,
    )


def collect(most: int, *, held_out: bool = False) -> list[Group]:
    """Mined questions with their candidates by the code that serves; unanswered ones left out.

    About companies to learn from, or about those that are held out for good.
    """
    # Never saved: a superuser sees all sources, and this one can sign in nowhere.
    everyone = User(username="training", is_superuser=True)
    documents = Document.objects.searchable().filter(kind__in=KINDS, company__isnull=False)
    rows = documents.select_related("company").order_by("pk")
    filings = [row for row in rows if _is_held_out(row) is held_out]
    rewording = Rewording(filing.text for filing in filings)
    questions = sorted(mine(filings, rewording), key=lambda each: each.text)
    random.Random(7).shuffle(questions)  # noqa: S311
    groups = []
    for number, mined in enumerate(questions[:most], start=1):
        group = _candidates(mined, everyone)
        if group is not None and group.grades.any():
            groups.append(group)
        if number % 50 == 0:
            print(f"{number} asked, {len(groups)} with evidence", file=sys.stderr, flush=True)
    return groups


def _is_held_out(filing: Document) -> bool:
    return filing.company is not None and is_held_out(shortened(filing.company.name))


def _candidates(mined: Mined, everyone: User) -> Group | None:
    understanding = understand(mined.text, everyone)
    if understanding.comparison:
        return None
    found = rank_all(Evidence(), understanding, everyone, "lookup", DEPTH, lambda: False)
    ranked = found[0].ranked if found else []
    ids = {entry.passage.document_id for entry, _ in ranked}
    documents = Document.objects.defer("text", "tables", "sections").in_bulk(ids)
    grades = [grade(mined, e.passage, documents[e.passage.document_id]) for e, _ in ranked]
    return Group(
        mined,
        [entry.features for entry, _ in ranked],
        np.array(grades, dtype=np.int64),
        np.array([entry.fused for entry, _ in ranked]),
        np.array([score for _, score in ranked]),
        [entry.passage.chunk_id for entry, _ in ranked],
        understanding,
    )


def fit(groups: Sequence[Group]) -> str:
    """The text of a model trained on these groups."""
    # Seconds to load, and nothing that serves needs it.
    import lightgbm  # noqa: PLC0415

    names = sorted({name for group in groups for row in group.rows for name in row})
    chance = random.Random(7)  # noqa: S311
    table = np.concatenate([_matrix(group.rows, names, chance) for group in groups])
    grades = np.concatenate([group.grades for group in groups])
    sizes = [len(group.rows) for group in groups]
    data = lightgbm.Dataset(table, grades, group=sizes, feature_name=names)
    booster = lightgbm.train(SETTINGS, data, TREES)
    return str(booster.model_to_string(num_iteration=TREES)).split("\nfeature_importances:")[0]


def _matrix(
    rows: Iterable[dict[str, float]], names: Sequence[str], chance: random.Random | None
) -> Floats:
    withheld = WITHHELD if chance and chance.random() < WITHHELD_SHARE else ()
    return np.array(
        [[np.nan if name in withheld else row.get(name, np.nan) for name in names] for row in rows]
    )


def cross_validated(groups: Sequence[Group]) -> tuple[dict[str, Any], list[float]]:
    """Measures before, by the formula and after, on companies left out; NDCG@10 per question."""
    companies = [group.mined.company for group in groups]
    after: dict[int, Floats] = {}
    bare: dict[int, Floats] = {}
    for train, test in GroupKFold(FOLDS).split(np.zeros(len(groups)), groups=companies):
        model = lightgbm_text.read(fit([groups[at] for at in train]))
        for at in test:
            rows = groups[at].rows
            after[at] = np.array(model.score(rows))
            without = [{k: v for k, v in row.items() if k not in WITHHELD} for row in rows]
            bare[at] = np.array(model.score(without))
    orders = {
        "before": [group.fused for group in groups],
        "formula": [group.formula for group in groups],
        "after": [after[at] for at in range(len(groups))],
        "after_without_line_items": [bare[at] for at in range(len(groups))],
    }
    detail: dict[str, Any] = {name: _measures(groups, scores) for name, scores in orders.items()}
    detail["questions"] = dict(Counter(group.mined.sort for group in groups))
    detail["companies"] = len(set(companies))
    detail["by_sort"] = {}
    for sort in detail["questions"]:
        chosen = [at for at, group in enumerate(groups) if group.mined.sort == sort]
        detail["by_sort"][sort] = {
            name: _measures([groups[at] for at in chosen], [scores[at] for at in chosen])
            for name, scores in orders.items()
        }
    pairs = zip(groups, orders["after"], strict=True)
    return detail, [ndcg(group.grades, scores) for group, scores in pairs]


def _measures(groups: Sequence[Group], scores: Sequence[Floats]) -> dict[str, float]:
    pairs = list(zip(groups, scores, strict=True))
    return {
        "ndcg@10": round(float(np.mean([ndcg(g.grades, s) for g, s in pairs])), 4),
        "best_in_10": round(float(np.mean([_best_in(g.grades, s, 10) for g, s in pairs])), 4),
        "best_in_3": round(float(np.mean([_best_in(g.grades, s, 3) for g, s in pairs])), 4),
    }


def ndcg(grades: NDArray[np.int64], scores: Floats, k: int = 10) -> float:
    """Järvelin and Kekäläinen 2002 with gain 2^grade - 1; 0 where nothing is graded."""
    discounts = 1 / np.log2(np.arange(2, k + 2))
    gains = 2.0**grades - 1
    order = np.argsort(-scores, kind="stable")[:k]
    best = np.sort(gains)[::-1][:k]
    ideal = float((best * discounts[: len(best)]).sum())
    return float((gains[order] * discounts[: len(order)]).sum()) / ideal if ideal else 0.0


def _best_in(grades: NDArray[np.int64], scores: Floats, k: int) -> bool:
    """Whether one of the best grade is among the first k."""
    order = np.argsort(-scores, kind="stable")[:k]
    return bool((grades[order] == grades.max()).any())
