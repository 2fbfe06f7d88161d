"""Fit the router: logistic regression over words, character n-grams and flags of questions.

Trains on the labelled questions that come with the code, plus experts' corrections; keeps whole
families of questions for the score, so that no held-out question is a variant of a trained one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar  # type: ignore[import-untyped]
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from docintel.scoring import CannotScore, Score, bootstrap
from qa import routing
from qa.ml import router
from qa.ml.router import TIERS
from training.corrected_routes import Routed, judged_routes
from training.runs import Run

QUESTIONS = router.BUNDLED.with_name("router_questions.jsonl")
# Whole families, chosen before anything was fitted: about a quarter of each tier.
HELD_OUT = frozenset(
    {
        "search_for", "which_documents", "typos_lookup", "pull_up",
        "how_many", "from_statement", "typos_factual", "single_growth",
        "why", "across_companies", "typos_synthesis", "before_after",
    }
)  # fmt: skip
FEWEST = 2  # questions that hold a feature
STRENGTH = 3.0  # inverse of the regularisation
CORRECTION_WEIGHT = 3.0
FAMILY = "corrections"
SEED = 7


@dataclass(frozen=True, slots=True)
class Labelled:
    question: str
    label: str
    family: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Fitted:
    numbers: dict[str, Any]
    temperature: float
    n: int
    left_out_accuracy: float  # of families left out in turn


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--corrections", type=Path, help='a file of experts\' {"question", "label"}, one per line'
    )
    parser.add_argument(
        "--from-desk", action="store_true", help="learn from routes judged at the review desk too"
    )
    parser.add_argument(
        "--bundle", action="store_true", help="also write the file that comes with the code"
    )
    parser.add_argument(
        "--strength", type=float, default=STRENGTH, help="inverse of the regularisation"
    )


def run(
    corrections: Path | None = None,
    *,
    from_desk: bool = False,
    bundle: bool = False,
    strength: float = STRENGTH,
    training_run: Run | None = None,
    **_: Any,
) -> Score:
    """Score a fit without the held-out families, then fit on all: a candidate for the gate.

    What people asked and experts judged is held out in part, for good: see `corrected_routes`.
    Raises CannotScore.
    """
    started = time.perf_counter()
    asked = [Routed(row.question, row.label) for row in read_corrections(corrections)]
    asked += judged_routes() if from_desk else []
    seen = [each for each in asked if not each.is_held_out]
    extra = [Labelled(each.question, each.route, FAMILY, CORRECTION_WEIGHT) for each in seen]
    detail, n = held_out_measures(extra, strength)
    fitted = fit(read_questions(QUESTIONS) + extra, strength)
    text = json.dumps(fitted.numbers, ensure_ascii=False, separators=(",", ":"))
    version = routing.keep(
        fitted.numbers,
        f"{fitted.n} questions",
        hashlib.sha256(text.encode()).hexdigest(),
        metrics={"accuracy": detail["accuracy"]},
        learned=[each.mark for each in seen],
        created_by=training_run.label if training_run else "",
    )
    if training_run:
        training_run.produced(version)
    print(f"{version} is kept as a candidate; to use it: judge {version.name}")
    if bundle:
        router.BUNDLED.write_text(text + "\n", encoding="utf-8")
    return scored(detail, n, time.perf_counter() - started)


def held_out_measures(
    extra: Sequence[Labelled] = (), strength: float = STRENGTH
) -> tuple[dict[str, Any], int]:
    """What a fit without the held-out families makes of them, and how many questions they are."""
    rows = read_questions(QUESTIONS)
    train = [row for row in rows if row.family not in HELD_OUT] + list(extra)
    held_out = [row for row in rows if row.family in HELD_OUT]
    fitted = fit(train, strength)
    detail = measures(router.read(fitted.numbers), held_out)
    detail |= {
        "train": fitted.n,
        "corrections": len(extra),
        "features": len(fitted.numbers["weights"]),
        "temperature": fitted.temperature,
        "families_left_out_in_turn": fitted.left_out_accuracy,
    }
    return detail, len(held_out)


def read_questions(path: Path) -> list[Labelled]:
    """Raises CannotScore for a line that is no labelled question."""
    return [Labelled(row["question"], row["label"], row["family"]) for row in _rows(path, "family")]


def read_corrections(path: Path | None) -> list[Labelled]:
    """Experts' labels; each counts as much as three written ones. Raises CannotScore."""
    return [
        Labelled(row["question"], row["label"], FAMILY, CORRECTION_WEIGHT)
        for row in (_rows(path) if path else ())
    ]


def fit(rows: Sequence[Labelled], strength: float = STRENGTH) -> Fitted:
    """The model of all rows; its temperature from questions of families left out in turn."""
    scores = np.zeros((len(rows), len(TIERS)))
    groups = [row.family for row in rows]
    folds = GroupKFold(min(8, len(set(groups))))
    for inside, outside in folds.split(rows, groups=groups):
        numbers = _fit_once([rows[i] for i in inside], strength, 1.0)
        part = router.read(numbers)
        for i in outside:
            told = part.predict(rows[i].question, _flags(rows[i].question)).probabilities
            scores[i] = np.log([told[tier] for tier in TIERS])
    labels = np.array([TIERS.index(row.label) for row in rows])
    temperature = _temperature(scores, labels)
    accuracy = float((scores.argmax(axis=1) == labels).mean())
    return Fitted(_fit_once(rows, strength, temperature), temperature, len(rows), accuracy)


def measures(model: router.Router, rows: Sequence[Labelled]) -> dict[str, Any]:
    """Accuracy, confusion, calibration of the likeliest tier, and what the 0.7 rule does."""
    routes = [model.predict(row.question, _flags(row.question)) for row in rows]
    right = np.array([r.likeliest == row.label for r, row in zip(routes, rows, strict=True)])
    confidence = np.array([r.confidence for r in routes])
    sure = confidence >= router.CONFIDENT
    confusion = {gold: dict.fromkeys(TIERS, 0) for gold in TIERS}
    taken = {gold: dict.fromkeys(TIERS, 0) for gold in TIERS}
    families: dict[str, list[bool]] = defaultdict(list)
    for route, row in zip(routes, rows, strict=True):
        confusion[row.label][route.likeliest] += 1
        taken[row.label][route.tier] += 1
        families[row.family].append(route.likeliest == row.label)
    return {
        "accuracy": float(right.mean()),
        "accuracy_when_sure": float(right[sure].mean()) if sure.any() else math.nan,
        "share_sure": float(sure.mean()),
        # Synthesis can answer all; another path cannot. So this is what goes wrong.
        "wrong_path": float(
            np.mean(
                [
                    r.tier not in (row.label, "synthesis")
                    for r, row in zip(routes, rows, strict=True)
                ]
            )
        ),
        "calibration_error": calibration_error(confidence, right),
        "confusion": confusion,
        "taken": taken,
        "by_family": {name: float(np.mean(values)) for name, values in families.items()},
        "wrong": [
            f"{row.label} as {route.likeliest} {route.confidence:.2f}: {row.question}"
            for route, row in zip(routes, rows, strict=True)
            if route.likeliest != row.label
        ],
        "right": right.tolist(),
    }


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Expected calibration error over ten bins of equal width (Guo et al. 2017)."""
    bins = np.minimum((confidence * 10).astype(int), 9)
    gaps = [
        (bins == n).mean() * abs(confidence[bins == n].mean() - right[bins == n].mean())
        for n in range(10)
        if (bins == n).any()
    ]
    return float(sum(gaps))


def scored(detail: dict[str, Any], n: int, seconds: float) -> Score:
    right = [float(value) for value in detail.pop("right")]
    for line in detail.pop("wrong"):
        print(line)
    for gold, row in detail["confusion"].items():
        print(f"{gold:10}", *(f"{name} {count:4}" for name, count in row.items()))
    return Score(
        headline="accuracy on held-out families",
        value=detail["accuracy"],
        higher_is_better=True,
        n=n,
        interval=bootstrap(right),
        seconds=seconds,
        detail=detail,
    )


@cache
def _flags(question: str) -> tuple[str, ...]:
    return routing.flags(question)


def _fit_once(rows: Sequence[Labelled], strength: float, temperature: float) -> dict[str, Any]:
    raw = [router.counts(row.question, _flags(row.question)) for row in rows]
    held = Counter(name for features in raw for name in features)
    idf = {
        name: 1.0 if name.startswith("f:") else 1.0 + math.log((1 + len(rows)) / (1 + count))
        for name, count in sorted(held.items())
        if count >= (FEWEST if not name.startswith("c:") else FEWEST + 1)
    }
    names = list(idf)
    at = {name: index for index, name in enumerate(names)}
    values, columns, starts = [], [], [0]
    for row in rows:
        for name, value in router.vector(row.question, _flags(row.question), idf).items():
            values.append(value)
            columns.append(at[name])
        starts.append(len(values))
    matrix = csr_matrix((values, columns, starts), shape=(len(rows), len(names)))
    model = LogisticRegression(C=strength, max_iter=2_000, random_state=SEED)
    labels = [TIERS.index(row.label) for row in rows]
    model.fit(matrix, labels, sample_weight=[row.weight for row in rows])
    if list(model.classes_) != list(range(len(TIERS))):
        raise CannotScore("every tier needs questions to learn from")
    return router.as_json(names, idf, model.coef_, model.intercept_, temperature)


def _temperature(log_probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """The one that makes held-out questions likeliest (temperature scaling)."""

    def loss(temperature: float) -> float:
        scaled = log_probabilities / temperature
        told = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
        return float(-told[np.arange(len(labels)), labels].mean())

    return float(minimize_scalar(loss, bounds=(0.2, 5.0), method="bounded").x)


def _rows(path: Path, *more: str) -> list[dict[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines if line.strip()]
        for row in rows:
            if not all(isinstance(row[name], str) for name in ("question", "label", *more)):
                raise TypeError("question and label are texts")  # noqa: TRY301
            if row["label"] not in TIERS:
                raise ValueError(f"{row['label']!r} is none of {', '.join(TIERS)}")  # noqa: TRY301
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotScore(f"cannot read {path}: {error}") from error
    return rows
