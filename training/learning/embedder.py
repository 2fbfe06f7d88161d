"""Train the embedder: a LoRA adapter of the live one, on questions and the sentences that answer.

What is kept is the encoder with the adapter merged in, a candidate for the gate; passing begins its
re-embedding. Trap: vectors of different embedders cannot be compared, so the ranker and the judge
of "not found" learned from other cosines than those that it will give.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from docintel import artefacts, encoders, promoted_weights, weights
from docintel.encoders import EncoderUnavailable
from docintel.models import ModelVersion
from docintel.registry import EMBEDDER
from docintel.scoring import CannotScore, Score
from docintel.weights import Weights, WeightsUnavailable
from ingestion.sentence_windows import windows
from qa.ranking.ranking_features import word_list
from qa.ranking.windows import Asked
from training.learning.grouping_evidence import (
    CREDITS_BY_SOURCE,
    POOL,
    Grouped,
    Prepared,
    add_sources,
    epoch,
    prepare,
    split,
    steps,
)
from training.learning.scoring_evidence import as_score, as_table, measures, ranks_of
from training.runs import Run

NEGATIVES = 2
QUESTIONS_PER_STEP = 32
# Questions of reports left out that are scored, before and after; each has some 30 candidates.
SCORED = 150
Encode = Callable[[Sequence[str]], NDArray[np.float32]]

CARD = """# An embedder tuned on company reports

{encoder} (Apache 2.0) with a LoRA adapter (rank {rank}) merged in; the adapter's SHA-256 is
{adapter}. {steps} steps of {per_step} questions, each beside the sentences that answer it and those
of up to {negatives} passages that words or meaning find for it and that do not; multiple negatives
ranking, texts of at most {tokens} tokens, seed {seed}.

Learned from {questions} questions with their evidence:

{credit_lines}
- questions mined from the line items, headings and sentences of public filings, for a part of them
  in other words

Scored on {left_out} questions of reports left out, among {pool} candidates:

| | reciprocal rank | first | in 3 |
|---|---|---|---|
{rows}

English alone. Passages are longer than what it was tuned on.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_sources(parser)
    parser.add_argument("--encoder", default="", help="a known model or a folder, not the live one")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--within", type=float, help="end the training after this many seconds")


def run(
    *,
    training_run: Run,
    tatqa: Path | None = None,
    convfinqa: Path | None = None,
    filings: Sequence[Path] = (),
    encoder: str = "",
    device: str = "auto",
    epochs: float = 1.0,
    seed: int = 7,
    within: float | None = None,
    **_: Any,
) -> Score:
    """Raises CannotScore where no set is given or there are no weights to learn from."""
    # Seconds to load, and only this command needs it.
    from training.learning.embedder_fitting import Fitting  # noqa: PLC0415

    started = time.perf_counter()
    base = base_of(encoder)
    prepared = prepare(tatqa, convfinqa, filings, brief=True)
    train, held = split(prepared.library.examples)
    held = evenly(held, SCORED)
    training_run.log(f"{len(train)} questions to learn from, {len(held)} left out are scored")
    fitting = Fitting(base, training_run.folder / "checkpoint.pt", device, seed)
    ranks = {"as it was": ranks_of(prepared, held, scorer(fitting.encode_untuned))}
    chance = random.Random(seed)  # noqa: S311
    total = max(1, int(len(epoch(prepared, train, chance)) * epochs / QUESTIONS_PER_STEP))
    fitting.fit(pairs(prepared, train, fitting.at, total), total, training_run.say, within=within)
    ranks["tuned"] = ranks_of(prepared, held, scorer(fitting.encode))
    detail = measures(prepared, held, ranks)
    told = {"steps": fitting.at, "questions": len(train), "seed": seed, "measures": detail}
    training_run.check_held()
    version = keep(fitting, base, told, training_run.label)
    training_run.produced(version)
    detail = detail | {"version": version.version, "kept": str(version)}
    return as_score(ranks["tuned"], time.perf_counter() - started, detail)


def base_of(encoder: str) -> Weights:
    """The weights to tune: those named, or the live embedder's. Raises CannotScore."""
    try:
        source = encoder or promoted_weights.embedder_source(encoders.live_embedder())
        return weights.describe(source)
    except (EncoderUnavailable, WeightsUnavailable) as error:
        raise CannotScore(str(error)) from error


def evenly(held: Sequence[int], most: int) -> list[int]:
    """At most so many, drawn evenly."""
    step = max(1, -(-len(held) // most))
    return list(held[::step])


def pairs(prepared: Prepared, train: Sequence[int], first: int, total: int) -> Any:
    """Per step its questions, each with its texts, the one that answers first."""
    chosen = steps(prepared, train, first, total, per_step=QUESTIONS_PER_STEP, negatives=NEGATIVES)
    return ([(group.asked.text, texts_of(group)) for group in step] for step in chosen)


def texts_of(group: Grouped) -> list[str]:
    """Of each piece the unit that has most of the question's words, as serving compares units; for
    half of the groups under the piece's header, as serving embeds whole passages."""
    units = [best_unit(group.asked, piece.text) for piece in group.pieces]
    if not group.with_lead:
        return units
    return [piece.header + unit for piece, unit in zip(group.pieces, units, strict=True)]


def best_unit(asked: Asked, text: str) -> str:
    """The first of the units of this text that weigh most by the question's words."""

    def weight(unit: str) -> float:
        return sum(asked.weights.get(word, 0.0) for word in set(word_list(unit)))

    units = [" ".join(text[low:high].split()) for low, high in windows(text, 0, len(text))]
    return max(units, key=weight, default=text)


def scorer(encode: Encode) -> Callable[[Grouped], list[float]]:
    """The cosines of a group's question with its texts."""

    def score(group: Grouped) -> list[float]:
        vectors = encode([group.asked.text, *texts_of(group)])
        return [float(cosine) for cosine in vectors[1:] @ vectors[0]]

    return score


def keep(fitting: Any, base: Weights, told: dict[str, Any], created_by: str) -> ModelVersion:
    """The tuned encoder as a candidate for the gate, with its adapter and its card."""
    # It loads PyTorch.
    from training.learning.embedder_fitting import ADAPTER  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "tuned"
        fitting.save(folder)
        adapter = hashlib.sha256((folder / ADAPTER).read_bytes()).hexdigest()
        told = told | {"encoder": base.name, "encoder_digest": base.digest, "adapter": adapter}
        (folder / "training.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        (folder / "card.md").write_text(card(told), encoding="utf-8")
        return artefacts.keep(
            folder, EMBEDDER, digest=weights.sha256(folder / weights.MODEL_FILE),
            dimensions=base.dimensions, base_encoder=base.name, base_digest=base.digest,
            metadata={"adapter": adapter}, metrics=told["measures"], created_by=created_by,
            card=card(told),
        )  # fmt: skip


def card(told: dict[str, Any]) -> str:
    """What it is, what it learned from and how it scored."""
    from training.learning.embedder_fitting import RANK, TOKENS  # noqa: PLC0415  loads PyTorch

    return CARD.format(
        **told,
        rank=RANK,
        tokens=TOKENS,
        per_step=QUESTIONS_PER_STEP,
        negatives=NEGATIVES,
        credit_lines="\n".join(f"- {line}" for line in sorted(CREDITS_BY_SOURCE.values())),
        rows=as_table(told["measures"]),
        left_out=told["measures"]["questions"],
        pool=POOL,
    )
