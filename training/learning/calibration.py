"""Fit the calibration of the default classifier of topics for the embedder of this installation.

It is fitted on short texts written for this project, each labelled with all that it is about.
"""

from __future__ import annotations

import argparse
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss
from sklearn.model_selection import GroupKFold, cross_val_predict

from docintel import encoders
from docintel.encoders import EncoderUnavailable
from docintel.scoring import CannotScore, Score
from ingestion import topics
from ingestion.classifying import calibration, pooling
from ingestion.classifying.known import known_topics
from training.learning.embedding import passages_of
from training.learning.one_vs_rest import macro_f1

EXAMPLES = Path(__file__).parents[1] / "calibration" / "topic_examples.toml"
FOLDS = 10
HEAD = """# Made by `manage.py train calibration` from the project's own labelled examples: how the
# default classifier turns similarities into probabilities, per embedder (by its digest).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--write", action="store_true", help="keep the numbers in the data file")


def run(*, write: bool = False, **_: Any) -> Score:
    """Macro-F1 on examples that a fold left out. Raises CannotScore."""
    started = time.perf_counter()
    try:
        embedder = encoders.live_embedder()
        found, labels = _examples(embedder)
    except EncoderUnavailable as error:
        raise CannotScore(str(error)) from error
    rows = calibration.features(found).reshape(-1, 3)
    wanted = labels.ravel()
    # Hardly any penalty: three weights and thousands of pairs.
    model = LogisticRegression(C=1e4, max_iter=2_000)
    groups = np.repeat(np.arange(len(labels)), labels.shape[1])
    left_out = cross_val_predict(
        model, rows, wanted, groups=groups, cv=GroupKFold(FOLDS), method="predict_proba"
    )[:, 1]
    model.fit(rows, wanted)
    numbers = calibration.Calibration(
        *(round(float(weight), 4) for weight in (*model.coef_[0], model.intercept_[0]))
    )
    if write:
        keep(embedder.version, embedder.digest, numbers)
    return Score(
        headline="macro-F1 on examples left out",
        value=macro_f1(labels, left_out.reshape(labels.shape)),
        higher_is_better=True,
        n=len(labels),
        interval=None,
        seconds=time.perf_counter() - started,
        detail={
            "embedder": embedder.version,
            "calibration": [numbers.similarity, numbers.above_mean, numbers.below_best],
            "intercept": numbers.intercept,
            "brier": brier_score_loss(wanted, left_out),
            "written": write,
        },
    )


def keep(version: str, digest: str, numbers: calibration.Calibration) -> None:
    """Write the data file anew, with these numbers in it."""
    entries = tomllib.loads(calibration.DATA.read_text("utf-8")).get("embedder", [])
    kept = [entry for entry in entries if entry["digest"] != digest]
    kept.append(
        {
            "version": version,
            "digest": digest,
            "similarity": numbers.similarity,
            "above_mean": numbers.above_mean,
            "below_best": numbers.below_best,
            "intercept": numbers.intercept,
        }
    )
    kept.sort(key=lambda entry: entry["version"])
    lines = [HEAD]
    for entry in kept:
        lines.append("[[embedder]]")
        lines += [
            f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value}"
            for name, value in entry.items()
        ]
        lines.append("")
    calibration.DATA.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    calibration.calibrations.cache_clear()


def _examples(embedder: Any) -> tuple[pooling.Floats, np.ndarray]:
    """Similarities and labels of the examples, both (examples, topics), of the shipped topics."""
    examples = tomllib.loads(EXAMPLES.read_text(encoding="utf-8"))["example"]
    shipped = {
        row.key: (f"{row.name}. {row.description}", [*row.phrases]) for row in known_topics()
    }
    vectors = topics.vectors_of_topics(list(shipped.values()), embedder)
    passages = passages_of([example["text"] for example in examples])
    found = np.stack([pooling.similarities(rows, vectors) for rows in passages])
    labels = [[key in example["topics"] for key in shipped] for example in examples]
    return found, np.array(labels, dtype=np.int8)
