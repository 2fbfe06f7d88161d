"""Two classifiers of topics on labelled documents that no training has seen, as they would serve.

Where no trained one is live, the descriptions alone classify, and the candidate must beat those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from docintel import encoders, registry
from docintel.encoders import EncoderUnavailable
from docintel.models import ModelVersion
from docintel.scheduling import enqueue
from docintel.scoring import CannotScore
from ingestion import topics
from ingestion.classifying.pooling import Floats
from ingestion.topics import Classifier, ClassifierUnavailable
from training.comparing.comparison import CannotCompare, Comparison, seconds_in_turns
from training.evaluation.span_scores import Verdicts
from training.gate import Label, Measure, Measured
from training.learning.labelled import Labelled, gather
from training.learning.one_vs_rest import UNKNOWN, Labels


def live(name: str) -> ModelVersion | None:
    """The trained one that is live, also where the live embedder's vectors are not what it knows.

    Then it serves nobody, and the candidate is compared with the descriptions alone.
    """
    return registry.live(name)


def compare(
    candidate: ModelVersion, live: ModelVersion | None, folder: Path | None = None
) -> Comparison:
    """On the held-out part of experts' labels, and of a folder of labelled texts if one is given.

    Raises CannotCompare.
    """
    try:
        embedder = encoders.live_embedder()
        keys = list(topics.live_classifier(embedder).keys)
        return compared(candidate, live, gather(folder, keys, embedder, labels=True))
    except (EncoderUnavailable, ClassifierUnavailable, CannotScore) as error:
        raise CannotCompare(str(error)) from error


def compared(candidate: ModelVersion, live: ModelVersion | None, found: Labelled) -> Comparison:
    """On what these documents hold out; over the topics that either version has learned."""
    embedder = encoders.live_embedder()
    if candidate.metadata.get("embedder") != embedder.digest:
        raise CannotCompare(f"{candidate} knows vectors of another embedder than the live one")
    default = replace(topics.live_classifier(embedder), learned=None)
    opponent = live if live and live.metadata.get("embedder") == embedder.digest else None
    learned = [topics.load_trained(each) if each else None for each in (candidate, opponent)]
    both = [replace(default, learned=each) for each in learned]
    known = {topic for each in learned if each for topic in each.topics}
    columns = [at for at, key in enumerate(default.keys) if key in known]
    rows = np.flatnonzero(found.held_out)
    passages = [found.passages[row] for row in rows]
    labels = found.labels[rows][:, columns]
    named = [default.keys[column] for column in columns]
    found_by = [_told(each, passages, columns) for each in both]
    seconds: list[list[float]] = [[], []]
    if opponent is not None:
        # Descriptions alone are always quicker; all three cost a thousandth of making the vectors.
        seconds = seconds_in_turns([partial(_told, each, passages, columns) for each in both])
    measured = [
        _measured(told, labels, named, took) for told, took in zip(found_by, seconds, strict=True)
    ]
    return Comparison(
        "macro-F1 of topics",
        len(rows),
        measured[0],
        measured[1],
        detail={"topics": named, "against": str(opponent or "descriptions alone")},
    )


def went_live(_: ModelVersion) -> None:
    """Documents are classified anew."""
    enqueue("ingestion.tasks.classify_pending")


def _told(
    classifier: Classifier, passages: Sequence[Floats], columns: Sequence[int]
) -> NDArray[np.float64]:
    """(documents, columns) probabilities, as they are served."""
    found = [classifier.probabilities(each)[list(columns)] for each in passages]
    return np.array(found, dtype=np.float64).reshape(-1, len(columns))


def _measured(
    told: NDArray[np.float64], labels: Labels, named: Sequence[str], seconds: Sequence[float]
) -> Measured:
    known = labels != UNKNOWN
    wanted, got = (labels == 1) & known, (told >= 0.5) & known
    # (documents, topics): right, found and gold of each.
    counts = np.stack([wanted & got, got, wanted], axis=2).astype(np.float64)
    every = _f1_of(counts.sum(axis=0))
    gold = wanted.sum(axis=0)
    documents, _ = np.nonzero(known)
    sure = Verdicts(told[known], wanted[known], known[known], documents)
    return Measured(
        _macro_f1(counts),
        {
            key: Label(float(value), int(n))
            for key, value, n in zip(named, every, gold, strict=True)
            if n
        },
        sure.calibration_error,
        seconds,
    )


def _macro_f1(counts: NDArray[np.float64]) -> Measure:
    """The mean over topics with a yes, as `one_vs_rest.macro_f1` has it."""

    def measure(weights: NDArray[np.float64]) -> float:
        summed = np.tensordot(weights, counts, axes=1)
        judged = summed[:, 2] > 0
        return float(_f1_of(summed)[judged].mean()) if judged.any() else 0.0

    return measure


def _f1_of(summed: NDArray[np.float64]) -> NDArray[np.float64]:
    """(topics, 3) to (topics,); 0 where nothing was found and nothing was there."""
    below = summed[:, 1] + summed[:, 2]
    scores: NDArray[np.float64] = 2 * summed[:, 0] / np.maximum(below, 1e-9)
    return scores
