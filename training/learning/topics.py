"""Train the classifier of topics on experts' labels, or on a folder of labelled texts.

It goes live only if its macro-F1 on held-out documents is better than the default classifier's.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from docintel import encoders, registry
from docintel.encoders import EncoderUnavailable
from docintel.models import ModelVersion
from docintel.scheduling import enqueue
from docintel.scoring import CannotScore, Score
from ingestion import topics
from ingestion.classifying.learned import Learned
from ingestion.classifying.pooling import Floats
from ingestion.topics import Classifier, ClassifierUnavailable
from training.learning.labelled import Labelled, from_corpus, from_folder
from training.learning.one_vs_rest import (
    LEAST,
    Labels,
    fit_topics,
    macro_f1,
    mean_average_precision,
)
from training.runs import Run

# With fewer documents, which of two classifiers is better is a matter of luck.
LEAST_HELD_OUT = 20


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both classifiers on the same held-out documents, over the topics that were learned."""

    documents: int
    trained: float
    default: float
    trained_precision: float
    default_precision: float

    @property
    def is_better(self) -> bool:
        return self.documents >= LEAST_HELD_OUT and self.trained > self.default


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
    compared = compare(learned, classifier, found, held_out)
    created_by = training_run.label if training_run else ""
    version = keep(learned, embedder, compared, len(found.ids), created_by)
    if training_run:
        training_run.produced(version)
    print(in_words(version, compared))
    return Score(
        headline="macro-F1 of the trained classifier on held-out documents",
        value=compared.trained,
        higher_is_better=True,
        n=compared.documents,
        interval=None,
        seconds=time.perf_counter() - started,
        detail={**version.metrics, "version": version.version, "live": version.is_live},
    )


def gather(
    folder: Path | None, keys: list[str], embedder: ModelVersion, *, labels: bool
) -> Labelled:
    """Labelled documents of the corpus, of the folder, or of both. Raises CannotScore."""
    if folder is None and not labels:
        raise CannotScore("name a folder of labelled texts, or use --from-corpus")
    parts = [from_folder(folder, keys)] if folder else []
    parts += [from_corpus(keys, embedder)] if labels else []
    found = parts[0] if len(parts) == 1 else parts[0] + parts[1]
    if not found.ids:
        raise CannotScore("there are no labelled documents with vectors")
    return found


def learn(vectors: Floats, labels: Labels, keys: tuple[str, ...]) -> Learned:
    """A line for each topic with enough examples; perhaps for none."""
    lines = fit_topics(vectors, labels)
    weights = [lines[column].weights for column in lines]
    return Learned(
        tuple(keys[column] for column in lines),
        np.array(weights, dtype=np.float32).reshape(len(lines), vectors.shape[1]),
        np.array([lines[column].intercept for column in lines], dtype=np.float32),
    )


def compare(
    learned: Learned, default: Classifier, found: Labelled, chosen: NDArray[np.bool_]
) -> Comparison:
    """Both as they would serve, on the chosen documents."""
    rows = np.flatnonzero(chosen)
    columns = [default.keys.index(key) for key in learned.topics]
    labels = found.labels[rows][:, columns]
    both = replace(default, learned=learned)
    trained, plain = (
        served(classifier, [found.passages[row] for row in rows])[:, columns]
        for classifier in (both, default)
    )
    return Comparison(
        len(rows),
        macro_f1(labels, trained),
        macro_f1(labels, plain),
        mean_average_precision(labels, trained),
        mean_average_precision(labels, plain),
    )


def served(classifier: Classifier, passages: list[Floats]) -> Floats:
    """Probabilities (documents, topics) by the code that serves."""
    rows = [classifier.probabilities(vectors) for vectors in passages]
    return np.array(rows, dtype=np.float32).reshape(-1, len(classifier.keys))


def keep(
    learned: Learned, embedder: ModelVersion, compared: Comparison, n: int, created_by: str = ""
) -> ModelVersion:
    """Register it; make it live, and have documents classified anew, if it is better."""
    digest = topics.keep_trained(learned)
    metrics = {
        "held_out_documents": compared.documents,
        "macro_f1": round(compared.trained, 4),
        "default_macro_f1": round(compared.default, 4),
        "mean_average_precision": round(compared.trained_precision, 4),
        "default_mean_average_precision": round(compared.default_precision, 4),
    }
    version = registry.add(
        topics.TRAINED,
        f"trained {digest[:12]}",
        digest,
        dimensions=learned.weights.shape[1],
        metadata={
            "embedder": embedder.digest,
            "topics": list(learned.topics),
            "documents": n,
        },
        metrics=metrics,
        base_encoder=embedder.version,
        base_digest=embedder.digest,
        created_by=created_by,
    )
    if compared.is_better:
        registry.make_live(version, who="train topics", why="better on held-out documents")
        enqueue("ingestion.tasks.classify_pending")
    return version


def in_words(version: ModelVersion, compared: Comparison) -> str:
    """What became of it and why."""
    figures = (
        f"macro-F1 {compared.trained:.3f} against {compared.default:.3f} of the default classifier "
        f"on {compared.documents} held-out documents"
    )
    if version.is_live:
        return f"{version.version} is live: {figures}. Documents are being classified anew."
    few = compared.documents < LEAST_HELD_OUT
    reason = f"at least {LEAST_HELD_OUT} are needed" if few else "it is not better"
    return f"{version.version} is registered as a candidate, not live: {figures}; {reason}."
