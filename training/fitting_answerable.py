"""Fit "not found": how likely the passages found for a question answer it, and where to stop.

Questions are made from the documents at hand and asked of the serving code. The threshold is the
one at which, of questions about companies left out in turn, at most so many are refused wrongly.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]
from scipy.special import expit  # type: ignore[import-untyped]
from sklearn.model_selection import GroupKFold

from docintel import encoders
from docintel.scoring import CannotScore, Score, bootstrap
from qa import answerable
from qa.asking import LOOKED_AT
from qa.gathering import gather
from qa.keeping_to_companies import keep_to_companies
from qa.ml import answerable as numbers
from qa.ml.answerable import COSINES, FEATURES, Model
from qa.offering import Offered, offer
from qa.routing import route
from qa.understanding import Understanding, understand
from training.answerable_questions import Made, counted, made
from training.answerable_tables import made_of_tables, take_in_pages
from training.runs import Run

STRENGTH = 0.3  # inverse of the regularisation
# Of people's questions that were not fitted on, between as many and twice as many are refused
# wrongly as of the fit's own; docs/results.md has what a lower aim costs.
MOST_WRONG_REFUSALS = 0.05
MOST_SURE_REFUSALS = 0.0025  # wrong ones, of those that spare a model call
# Of the wrong refusals, those at which the whole trade-off is shown.
CURVE = (0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.2)
AGAINST = frozenset(
    "heaviest_missing nothing_found metric_missing metric_missing_in_unit "  # noqa: SIM905
    "company_without_documents company_not_among_passages name_missing period_not_covered "
    "year_not_in_passages future private".split()
)
FOR = frozenset(
    "dense coverage_of_nearest unit_words unit_words_around unit_of_kind heaviest_together "  # noqa: SIM905
    "row_label unit_dense unit_dense_fitting".split()
)
# They tell of the question and nothing of what was found: made questions without a company are
# mostly of another world, people's are not.
UNHEARD = frozenset({"has_company", "has_name"})
FEWEST = 60  # questions of either sort
SEED = 7


@dataclass(frozen=True, slots=True)
class Row:
    """A question with what the model sees of it; `corpus` tells whose documents it was asked of."""

    made: Made
    features: dict[str, float]
    embedder: str
    corpus: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--per-company", type=int, default=24, help="answerable questions of each")
    parser.add_argument("--limit", type=int, help="only so many questions, drawn at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--rows", type=Path, nargs="*", default=(),
        help="files of rows that earlier runs wrote, of other corpora or embedders",
    )  # fmt: skip
    parser.add_argument(
        "--tables", type=Path, metavar="FOLDER",
        help="TAT-QA: take its pages into this empty database, and ask what people asked of them",
    )  # fmt: skip
    parser.add_argument("--write-rows", type=Path, help="keep what was collected in this file")
    parser.add_argument("--only-rows", action="store_true", help="ask nothing, use the files only")
    parser.add_argument(
        "--bundle", action="store_true", help="also write the file that comes with the code"
    )


def run(
    per_company: int = 24,
    limit: int | None = None,
    seed: int = 0,
    rows: Sequence[Path] = (),
    write_rows: Path | None = None,
    *,
    tables: Path | None = None,
    only_rows: bool = False,
    bundle: bool = False,
    training_run: Run | None = None,
    **_: Any,
) -> Score:
    """Score a fit without the held-out companies and keep it: a candidate for the gate.

    What comes with the code is fitted on all. The value is the share of right refusals on held-out
    companies. Raises CannotScore.
    """
    started = time.perf_counter()
    collected = [row for path in rows for row in read_rows(path)]
    if not only_rows:
        if tables:
            take_in_pages(tables)
        asked = made_of_tables(tables) if tables else made(seed, per_company)
        fresh = collect(sample(asked, limit, seed))
        if tables:
            fresh = [row for row in fresh if _has_its_year(row)]
        if write_rows:
            _write_rows(write_rows, fresh)
        collected += fresh
    models, detail, right = fit_all(collected)
    learned = sum(not row.made.held_out for row in collected)
    text = _as_text(models, learned)
    version = answerable.keep(
        json.loads(text),
        f"{learned} questions",
        hashlib.sha256(text.encode()).hexdigest(),
        {"right_refusals": float(np.mean(right)), "held_out": detail},
        created_by=training_run.label if training_run else "",
    )
    if training_run:
        training_run.produced(version)
    print(f"{version} is kept as a candidate; to use it: judge {version.name}")
    if bundle:
        every = {name: fit(part) for name, part in by_embedder(collected).items()}
        numbers.BUNDLED.write_text(f"{_as_text(every, len(collected))}\n", encoding="utf-8")
    return Score(
        headline="right refusals on held-out companies, all embedders",
        value=float(np.mean(right)),
        higher_is_better=True,
        n=len(right),
        interval=bootstrap(right),
        seconds=time.perf_counter() - started,
        detail=detail,
    )


def sample(questions: Sequence[Made], limit: int | None, seed: int) -> list[Made]:
    """So many of them, in an order of their own."""
    order = np.random.default_rng(seed).permutation(len(questions))
    return [questions[i] for i in order[:limit]]


def _has_its_year(row: Row) -> bool:
    """The year of a page of tables is guessed; where wrongly, a question looks uncovered."""
    return not (row.made.answerable and row.features["period_not_covered"])


def collect(questions: Iterable[Made]) -> list[Row]:
    """Ask each of the serving code, with every document visible."""
    everyone = User(username="training", is_superuser=True)
    embedder = encoders.live_embedder().version
    rows = []
    for question in questions:
        understanding, offered = evidence(question.text, everyone)
        seen = answerable.features(understanding, offered, everyone)
        rows.append(Row(question, seen, embedder, "here"))
    return rows


def evidence(question: str, user: User) -> tuple[Understanding, list[Offered]]:
    """What is understood, and the ten passages gathered, as answers are given of them."""
    understanding = understand(question, user)
    found = gather(understanding, user, tier=route(question).tier, limit=LOOKED_AT)
    return understanding, offer(keep_to_companies(understanding, found.passages).passages, user)


def _as_text(models: dict[str, Model], questions: int) -> str:
    told = numbers.as_json(models, questions=questions)
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def by_embedder(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each, and under "" all of them without cosines."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.embedder].append(row)
    return {**groups, numbers.WITHOUT_COSINES: [_without_cosines(row) for row in rows]}


def fit_all(rows: Sequence[Row]) -> tuple[dict[str, Model], dict[str, Any], list[float]]:
    """A model per embedder and one without cosines, the measures of each, all right refusals.

    None has learned from the held-out companies.
    """
    models, detail, right = {}, {}, []
    for name, part in by_embedder(rows).items():
        models[name] = fit([row for row in part if not row.made.held_out])
        detail[name or "without cosines"], refused = measures(
            models[name], [row for row in part if row.made.held_out]
        )
        detail[name or "without cosines"]["trade_off"] = trade_off(part)
        right += refused if name else []
    return models, detail | {"made": counted([row.made for row in rows])}, right


def fit(rows: Sequence[Row]) -> Model:
    """The model of these rows, its thresholds from companies left out in turn."""
    labels = _labels(rows)
    positive = left_out(rows)[labels]
    least = float(np.quantile(positive, MOST_WRONG_REFUSALS))
    sure = float(np.quantile(positive, MOST_SURE_REFUSALS))
    return replace(_fit_once(_matrix(rows), labels), least=least, clearly_below=min(sure, least))


def left_out(rows: Sequence[Row]) -> NDArray[np.float64]:
    """The probability of each row by a fit without its company. Raises CannotScore."""
    labels = _labels(rows)
    if min(labels.sum(), (~labels).sum()) < FEWEST:
        raise CannotScore(f"at least {FEWEST} questions of either sort are needed; ingest more")
    found = np.zeros(len(rows))
    matrix = _matrix(rows)
    groups = [row.made.company or row.made.text for row in rows]
    for inside, outside in GroupKFold(5).split(matrix, labels, groups):
        part = _fit_once(matrix[inside], labels[inside])
        found[outside] = [part.probability(rows[i].features) for i in outside]
    return found


def trade_off(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Wrong against right refusals, in all and by kind, of companies left out in turn."""
    found, labels = left_out(rows), _labels(rows)
    kinds = np.array([row.made.kind for row in rows])
    points = []
    for share in CURVE:
        refused = found < np.quantile(found[labels], share)
        points.append({
            "wrong": float(refused[labels].mean()),
            "right": float(refused[~labels].mean()),
            "by_kind": {
                str(kind): float(refused[kinds == kind].mean())
                for kind in np.unique(kinds[~labels])
            },
        })  # fmt: skip
    return points


def measures(model: Model, rows: Sequence[Row]) -> tuple[dict[str, Any], list[float]]:
    """Shares refused by kind, of all families and of those left out; and each right refusal."""
    refused = {row.made.text: model.probability(row.features) < model.least for row in rows}
    by_kind: dict[str, list[bool]] = defaultdict(list)
    new: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        by_kind[row.made.kind].append(refused[row.made.text])
        if row.made.held_out_family:
            new["answerable" if row.made.answerable else "not"].append(refused[row.made.text])
    right = [float(refused[row.made.text]) for row in rows if not row.made.answerable]
    shares = {kind: [float(np.mean(each)), len(each)] for kind, each in sorted(by_kind.items())}
    return {
        "right_refusals": float(np.mean(right)) if right else None,
        "wrong_refusals": float(np.mean(by_kind["answerable"])) if by_kind["answerable"] else None,
        "refused_by_kind": shares,
        "refused_of_new_wordings": {k: [float(np.mean(v)), len(v)] for k, v in new.items()},
        "least": model.least,
        "clearly_below": model.clearly_below,
        "clearly_refused": float(
            np.mean([model.probability(r.features) < model.clearly_below for r in rows])
        ),
        "weights": dict(zip(FEATURES, model.weights.round(2).tolist(), strict=True)),
    }, right


def read_rows(path: Path) -> list[Row]:
    """Raises CannotScore for a file that is none of this command's."""
    try:
        stored = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        found = [
            Row(Made(**each["made"]), each["features"], each["embedder"], path.stem)
            for each in stored
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotScore(f"cannot read {path}: {error}") from error
    if any(set(row.features) != set(FEATURES) for row in found):
        raise CannotScore(f"{path} was written when the features were others; collect it again")
    return found


def _write_rows(path: Path, rows: Iterable[Row]) -> None:
    lines = (json.dumps(asdict(row), ensure_ascii=False) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _without_cosines(row: Row) -> Row:
    blank = dict.fromkeys(COSINES, 0.0) | {"no_cosine": 1.0}
    return replace(row, features=row.features | blank)


def _labels(rows: Sequence[Row]) -> NDArray[np.bool_]:
    return np.array([row.made.answerable for row in rows])


def _matrix(rows: Sequence[Row]) -> NDArray[np.float64]:
    return np.array([[row.features[name] for name in FEATURES] for row in rows])


def _fit_once(matrix: NDArray[np.float64], labels: NDArray[np.bool_]) -> Model:
    """Logistic regression, both labels of one weight, each weight of a sign that makes sense.

    Features overlap, and a free fit sets the surplus of one against another; on questions of
    another sort that makes a refusal likelier the more is found.
    """
    means, deviations = matrix.mean(axis=0), matrix.std(axis=0)
    # A feature that never varied says nothing, also when it does later.
    flat = deviations < 1e-6
    deviations = np.where(flat, 1.0, deviations)
    rows = np.column_stack([(matrix - means) / deviations, np.ones(len(matrix))])
    signs = np.where(labels, 1.0, -1.0)
    shares = np.where(labels, 0.5 / labels.mean(), 0.5 / (~labels).mean())

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margins = signs * (rows @ weights)
        slope = -shares * signs * expit(-margins)
        value = float(
            STRENGTH * (shares @ np.logaddexp(0, -margins)) + 0.5 * weights[:-1] @ weights[:-1]
        )
        return value, STRENGTH * (rows.T @ slope) + np.append(weights[:-1], 0.0)

    bounds = [
        (0.0, 0.0) if empty or name in UNHEARD else _bounds(name)
        for name, empty in zip(FEATURES, flat, strict=True)
    ]
    found = minimize(
        loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B", bounds=[*bounds, (None, None)]
    )
    return Model(found.x[:-1], means, deviations, float(found.x[-1]), 0.5, 0.5)


def _bounds(name: str) -> tuple[float | None, float | None]:
    return (0.0 if name in FOR else None), (0.0 if name in AGAINST else None)
