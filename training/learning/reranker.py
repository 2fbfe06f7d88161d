"""Train the cross-encoder: a LoRA adapter of the small embedder that reads question and passage.

Questions with their evidence are those of `reranker_reports`; negatives are what words and meaning
find beside it. It is scored on reports left out, and stops and resumes by its checkpoint.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from docintel import artefacts, promoted_weights, rerankers, weights
from docintel.models import ModelVersion
from docintel.scoring import CannotScore, Score
from qa.ranking.windows import window
from training.learning.grouping_evidence import (
    CREDITS_BY_SOURCE,
    POOL,
    Grouped,
    add_sources,
    epoch,
    prepare,
    split,
    steps,
)
from training.learning.scoring_evidence import as_score, as_table, measures, ranks_of
from training.runs import Run

ENCODER = "all-MiniLM-L6-v2"
NEGATIVES = 5
QUESTIONS_PER_STEP = 8

CARD = """# {name}

A cross-encoder for questions on company reports: a LoRA adapter (rank {rank}) and a head for
{encoder} (Apache 2.0), which reads a question of up to half and a passage of the rest of {tokens}
tokens together. {steps} steps of {per_step} questions, each beside up to {negatives} passages that
words or meaning find for it and that do not answer it.

Learned from {questions} questions with their evidence:

{credit_lines}
- questions mined from the line items and headings of public filings

Scored on {left_out} questions of reports left out, among {pool} candidates:

| | reciprocal rank | first | in 3 |
|---|---|---|---|
{rows}

English alone. Scores compare passages of one question; they are no probabilities, and no threshold
on them says that a passage answers.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_sources(parser)
    parser.add_argument("--encoder", default=ENCODER, help="a known model or a folder")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, help="pause after this long; run again to go on")
    parser.add_argument("--within", type=float, help="end the training after this many seconds")
    parser.add_argument(
        "--output", type=Path, required=True, help="folder to resume by; a copy is kept"
    )


def run(
    *,
    output: Path,
    tatqa: Path | None = None,
    convfinqa: Path | None = None,
    filings: Sequence[Path] = (),
    encoder: str = ENCODER,
    device: str = "auto",
    epochs: float = 1.0,
    seconds: float | None = None,
    within: float | None = None,
    training_run: Run | None = None,
    **_: Any,
) -> Score:
    """Raises CannotScore where no set is given or the time ends before the training does."""
    # Seconds to load, and only this command needs it.
    from training.learning.reranker_fitting import Fitting  # noqa: PLC0415

    started = time.perf_counter()
    prepared = prepare(tatqa, convfinqa, filings)
    train, held = split(prepared.library.examples)
    _say(f"{len(train)} questions to learn from, {len(held)} left out, {_passed(started)}")
    output.mkdir(parents=True, exist_ok=True)
    fitting = Fitting(weights.describe(encoder).folder, output / "checkpoint.pt", device)
    one = len(epoch(prepared, train, random.Random(0)))  # noqa: S311
    total = int(one * epochs / QUESTIONS_PER_STEP)
    budget = None if seconds is None else seconds - (time.perf_counter() - started)
    groups = steps(
        prepared, train, fitting.at, total, per_step=QUESTIONS_PER_STEP, negatives=NEGATIVES
    )
    say = training_run.say if training_run else _say
    pairs = ([(group.asked.query, as_windows(group)) for group in step] for step in groups)
    if not fitting.fit(pairs, total, say, seconds=budget, within=within):
        raise CannotScore(f"stopped at step {fitting.at} of {total}; run it again to go on")
    ranks = ranks_of(
        prepared, held, lambda group: fitting.score(group.asked.query, as_windows(group))
    )
    detail = measures(prepared, held, {"reranker": ranks})
    _say(json.dumps(detail, indent=1))
    digest = _write(output, fitting, encoder, detail, len(train))
    detail["digest"] = digest
    version = keep(output, training_run.label if training_run else "")
    if training_run:
        training_run.produced(version)
    detail["version"] = version.version
    return as_score(ranks, time.perf_counter() - started, detail)


def as_windows(group: Grouped) -> list[str]:
    """What the cross-encoder reads of each piece."""
    return [window(group.asked, group.header(piece), piece.text) for piece in group.pieces]


def _write(output: Path, fitting: Any, encoder: str, detail: dict[str, Any], n: int) -> str:
    """The artefact: adapter.safetensors, config.json and card.md; its digest."""
    from training.learning.reranker_fitting import ALPHA, RANK, TOKENS  # noqa: PLC0415  PyTorch

    fitting.save(output / "adapter.safetensors")
    digest = hashlib.sha256((output / "adapter.safetensors").read_bytes()).hexdigest()
    found = weights.describe(encoder)
    config = {
        "format": 1,
        "name": "docintel-reranker",
        "steps": fitting.at, "encoder": found.name, "encoder_digest": found.digest, "rank": RANK,
        "alpha": ALPHA, "tokens": TOKENS, "digest": digest, "questions": n,
        "measures": detail, "credits": sorted(CREDITS_BY_SOURCE.values()),
    }  # fmt: skip
    (output / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    (output / "card.md").write_text(card(config), encoding="utf-8")
    return digest


def keep(output: Path, created_by: str = "") -> ModelVersion:
    """The artefact in this folder as a candidate for the gate, without what was kept to resume."""
    config = json.loads((output / rerankers.CONFIG).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        for file in (rerankers.ADAPTER, rerankers.CONFIG, "card.md"):
            shutil.copy(output / file, folder)
        return artefacts.keep(
            Path(folder), promoted_weights.RERANKER, digest=str(config["digest"]),
            base_encoder=str(config["encoder"]), base_digest=str(config["encoder_digest"]),
            metrics=config["measures"], created_by=created_by,
            card=(output / "card.md").read_text(encoding="utf-8"),
        )  # fmt: skip


def card(config: dict[str, Any]) -> str:
    """What the artefact is, what it learned from, how it scored and what it is not for."""
    sources = "\n".join(f"- {line}" for line in config["credits"])
    return CARD.format(
        **config,
        credit_lines=sources,
        rows=as_table(config["measures"]),
        left_out=config["measures"]["questions"],
        per_step=QUESTIONS_PER_STEP,
        negatives=NEGATIVES,
        pool=POOL,
    )


def _passed(started: float) -> str:
    return f"{time.perf_counter() - started:.0f} s"


def _say(line: str, _share: float = 0.0) -> None:
    print(line, file=sys.stderr, flush=True)
