"""Train the classifier of topics on experts' labels, or on a folder of labelled texts.

What was learned goes through the gate at once, on documents that training never sees.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from docintel import encoders, registry
from docintel.encoders import EncoderUnavailable
from docintel.models import ModelVersion
from docintel.scoring import CannotScore, Score
from ingestion import topics
from ingestion.classifying.learned import Learned
from ingestion.classifying.pooling import Floats
from ingestion.topics import ClassifierUnavailable
from training import promotion
from training.comparing import topics as comparing
from training.comparing.comparison import CannotCompare, Comparison
from training.learning.labelled import Labelled, gather
from training.learning.one_vs_rest import LEAST, Labels, fit_topics
from training.runs import Run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, nargs="?", help="a folder of labelled texts (.jsonl)")
    parser.add_argument("--from-corpus", action="store_true", help="learn from experts' labels")


def run(
    folder: Path | None = None,
    *,
    from_corpus: bool = False,
    training_run: Run | None = None,
    **_: Any,
) -> Score:
    """Raises CannotScore where there is too little to learn from."""
    started = time.perf_counter()
    try:
        embedder = encoders.live_embedder()
        classifier = replace(topics.live_classifier(embedder), learned=None)
        found = gather(folder, list(classifier.keys), embedder, labels=from_corpus)
    except (EncoderUnavailable, ClassifierUnavailable) as error:
        raise CannotScore(str(error)) from error
    held_out = found.held_out
    learned = learn(found.vectors[~held_out], found.labels[~held_out], classifier.keys)
    if not learned.topics:
        raise CannotScore(
            f"no topic has {LEAST} documents of each kind, yes and no, to learn from "
            f"({len(found.ids)} labelled documents)"
        )
    created_by = training_run.label if training_run else ""
    version = keep(learned, embedder, len(found.ids), created_by)
    if training_run:
        training_run.produced(version)
    compared, words = judged(version, found, training_run)
    print(words)
    version.refresh_from_db()
    ones = np.ones(compared.documents)
    return Score(
        headline="macro-F1 of the trained classifier on held-out documents",
        value=compared.candidate.primary(ones),
        higher_is_better=True,
        n=compared.documents,
        interval=None,
        seconds=time.perf_counter() - started,
        detail={**compared.detail, "version": version.version, "live": version.is_live},
    )


def learn(vectors: Floats, labels: Labels, keys: tuple[str, ...]) -> Learned:
    """A line for each topic with enough examples; perhaps for none."""
    lines = fit_topics(vectors, labels)
    weights = [lines[column].weights for column in lines]
    return Learned(
        tuple(keys[column] for column in lines),
        np.array(weights, dtype=np.float32).reshape(len(lines), vectors.shape[1]),
        np.array([lines[column].intercept for column in lines], dtype=np.float32),
    )


def keep(learned: Learned, embedder: ModelVersion, n: int, created_by: str = "") -> ModelVersion:
    """A candidate, which only the gate or a person makes live."""
    digest = topics.keep_trained(learned)
    return registry.add(
        topics.TRAINED,
        f"trained {digest[:12]}",
        digest,
        dimensions=learned.weights.shape[1],
        metadata={
            "embedder": embedder.digest,
            "topics": list(learned.topics),
            "documents": n,
        },
        base_encoder=embedder.version,
        base_digest=embedder.digest,
        created_by=created_by,
    )


def judged(version: ModelVersion, found: Labelled, run: Run | None) -> tuple[Comparison, str]:
    """Through the gate: how it compares with what is live, and what became of it, in words."""
    live = comparing.live(topics.TRAINED)
    compared = comparing.compared(version, live, found)
    try:
        row = run.row if run else None
        verdict = promotion.settle(version, live, compared, who="train topics", run=row)
    except CannotCompare as error:
        return compared, f"{version.version} is registered as a candidate, not live: {error}."
    return compared, f"{version.version}: {verdict.get_outcome_display().lower()}. {verdict.why}."
