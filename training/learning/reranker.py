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
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from docintel import artefacts, encoders, promoted_weights, rerankers, weights
from docintel.models import ModelVersion
from docintel.scoring import CannotScore, Score, bootstrap
from qa.question.asked_items import read_metrics
from qa.ranking.windows import Asked, window
from training.learning import reranker_reports
from training.learning.reranker_negatives import Finder, ranked
from training.learning.reranker_reports import Example, Library
from training.runs import Run

ENCODER = "all-MiniLM-L6-v2"
RANK, ALPHA = 32, 64
RATE, HEAD_RATE = 1e-3, 1e-3
# The first blocks read words, which is what the embedder can already.
FROZEN_BLOCKS = 2
WARM_UP = 0.05
NEGATIVES = 5
# Of one context of a set, whose questions are much alike; mined ones have negatives of the same
# filing, which serving has too, and count more.
MOST_OF_CONTEXT = 4
MINED_TIMES = 1.5
QUESTIONS_PER_STEP = 8
# What the model reads; windows are made to fit, a longer pair is cut at its end.
TOKENS = 256
HELD_OUT = 0.12
POOL = 30
CHECKPOINT_SECONDS = 120.0
CREDITS_BY_SOURCE = {
    "tatqa": "TAT-QA, Zhu et al. 2021, CC BY 4.0",
    "convfinqa": "ConvFinQA, Chen et al. 2022, MIT",
}


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


@dataclass(slots=True)
class Prepared:
    """Examples with their negatives; `asked` is each question as windows see it."""

    library: Library
    words: list[list[int]] = field(default_factory=list)
    meaning: list[list[int]] = field(default_factory=list)
    baselines: dict[str, list[float]] = field(default_factory=dict)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tatqa", type=Path, help="folder with TAT-QA's dev and test_gold.json")
    parser.add_argument("--convfinqa", type=Path, help="folder with ConvFinQA's dev.json")
    parser.add_argument("--filings", type=Path, nargs="*", default=[], help="HTML filings to mine")
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
    one = len(_epoch(prepared, train, random.Random(0)))  # noqa: S311
    total = int(one * epochs / QUESTIONS_PER_STEP)
    budget = None if seconds is None else seconds - (time.perf_counter() - started)
    done = fitting.fit(
        steps(prepared, train, fitting.at, total), total, seconds=budget, within=within
    )
    if not done:
        raise CannotScore(f"stopped at step {fitting.at} of {total}; run it again to go on")
    ranks = scored(prepared, held, fitting.score)
    detail = measures(prepared, held, ranks)
    _say(json.dumps(detail, indent=1))
    digest = _write(output, fitting, encoder, detail, len(train))
    detail["digest"] = digest
    version = keep(output, training_run.label if training_run else "")
    if training_run:
        training_run.produced(version)
    detail["version"] = version.version
    values = [1.0 / rank for rank in ranks]
    return Score(
        headline="reciprocal rank of the evidence among 30 hard candidates, reports left out",
        value=float(np.mean(values)),
        higher_is_better=True,
        n=len(values),
        interval=bootstrap(values),
        seconds=time.perf_counter() - started,
        detail=detail,
    )


def prepare(tatqa: Path | None, convfinqa: Path | None, filings: Sequence[Path]) -> Prepared:
    """All questions with what words and meaning find for each."""
    if not (tatqa or convfinqa or filings):
        raise CannotScore("name at least one of --tatqa, --convfinqa and --filings")
    library, tokenizer = Library(), encoders.tokenizer()
    if tatqa:
        reranker_reports.read_tatqa(library, tatqa, tokenizer)
    if convfinqa:
        reranker_reports.read_convfinqa(library, convfinqa, tokenizer)
    if filings:
        reranker_reports.read_filings(library, filings, tokenizer)
    _say(f"{len(library.pieces)} passages, {len(library.examples)} questions")
    finder = Finder.of(library.pieces)
    prepared = Prepared(library)
    cosines = finder.meaning([example.text for example in library.examples])
    lexical, dense = [], []
    for example, cosine in zip(library.examples, cosines, strict=True):
        asked = as_asked(example.text)
        scores = finder.words(asked.query)
        prepared.words.append(ranked(scores, example))
        prepared.meaning.append(ranked(cosine, example))
        best = max(example.best, key=lambda at: cosine[at])
        pool = pool_of(prepared.words[-1], prepared.meaning[-1])
        lexical.append(1.0 + sum(scores[at] > max(scores[b] for b in example.best) for at in pool))
        dense.append(1.0 + sum(cosine[at] > cosine[best] for at in pool))
    prepared.baselines = {"bm25": lexical, "bi-encoder": dense}
    return prepared


def as_asked(text: str) -> Asked:
    return Asked(text, tuple(item for read in read_metrics(text) for item in read.items))


def pool_of(words: Sequence[int], meaning: Sequence[int]) -> list[int]:
    """The candidates of both in turn, each once."""
    both = [at for two in zip(words, meaning, strict=False) for at in two]
    return list(dict.fromkeys([*both, *words, *meaning]))[:POOL]


def split(examples: Sequence[Example]) -> tuple[list[int], list[int]]:
    """Indices to learn from and to be left out, by report."""
    reports = sorted({example.report for example in examples})
    random.Random(11).shuffle(reports)  # noqa: S311
    left = set(reports[: int(len(reports) * HELD_OUT)])
    held = [at for at, example in enumerate(examples) if example.report in left]
    return [at for at, example in enumerate(examples) if example.report not in left], held


def steps(
    prepared: Prepared, train: Sequence[int], first: int, total: int
) -> Iterator[list[tuple[str, list[str]]]]:
    """Per step some (question, windows with the right one first); the same for the same step."""
    order: list[int] = []
    for step in range(total):
        if len(order) < QUESTIONS_PER_STEP:
            order += _epoch(prepared, train, random.Random(f"epoch {step}"))  # noqa: S311
        taken, order = order[:QUESTIONS_PER_STEP], order[QUESTIONS_PER_STEP:]
        if step >= first:
            yield [_group(prepared, at, random.Random(f"{step} {at}")) for at in taken]  # noqa: S311


def _epoch(prepared: Prepared, train: Sequence[int], chance: random.Random) -> list[int]:
    """The questions of one round, in random order: few of each context, mined ones more often."""
    fresh = list(train)
    chance.shuffle(fresh)
    taken: Counter[int] = Counter()
    order = []
    for at in fresh:
        example = prepared.library.examples[at]
        context = min(example.best | example.beside)
        taken[context] += 1
        if example.source not in CREDITS_BY_SOURCE:
            order += [at] * (1 + (chance.random() < MINED_TIMES - 1))
        elif taken[context] <= MOST_OF_CONTEXT:
            order.append(at)
    chance.shuffle(order)
    return order


def _group(prepared: Prepared, at: int, chance: random.Random) -> tuple[str, list[str]]:
    example = prepared.library.examples[at]
    words, meaning = prepared.words[at], prepared.meaning[at]
    chosen = [chance.choice(sorted(example.best))]
    if example.lesser and chance.random() < 0.5:
        chosen.append(chance.choice(sorted(example.lesser)))
    several = chance.sample(words[:15], min(3, len(words[:15])))
    several += chance.sample(meaning[:15], min(2, len(meaning[:15])))
    several += chance.sample(words + meaning, min(NEGATIVES, len(words + meaning)))
    chosen += list(dict.fromkeys(several))
    text = _named(example, chance)
    asked = as_asked(text)
    with_lead = chance.random() < 0.5
    return asked.query, [_window(prepared, asked, n, with_lead) for n in chosen[: NEGATIVES + 1]]


def _window(prepared: Prepared, asked: Asked, number: int, with_lead: bool) -> str:
    piece = prepared.library.pieces[number]
    header = piece.header if with_lead else piece.header.partition("\n")[2]
    return window(asked, header, piece.text)


def _named(example: Example, chance: random.Random) -> str:
    """The question, for some with company and period, as people put them."""
    if not example.who or chance.random() < 0.5:
        return example.text
    who, when, text = example.who, example.when, example.text
    low = text[:1].lower() + text[1:]
    ways = (f"{who} {when}: {text}", f"For {who} in {when}, {low}", f"{text} ({who}, {when})",
            f"{text.rstrip(' ?')} at {who}?", f"{who}: {low}")  # fmt: skip
    return chance.choice(ways)


def scored(prepared: Prepared, held: Sequence[int], score: Any) -> list[int]:
    """The rank of the best evidence among the candidates of words and meaning, per question."""
    ranks = []
    for at in held:
        example = prepared.library.examples[at]
        asked = as_asked(example.text)
        pool = [*sorted(example.best), *pool_of(prepared.words[at], prepared.meaning[at])]
        found = score(asked.query, [_window(prepared, asked, n, with_lead=False) for n in pool])
        best, others = found[: len(example.best)], found[len(example.best) :]
        ranks.append(1 + sum(other >= max(best) for other in others))
    return ranks


def measures(prepared: Prepared, held: Sequence[int], ranks: Sequence[int]) -> dict[str, Any]:
    """Mean reciprocal rank and how often it is first or in three, beside both retrievers."""
    named = {"reranker": list(map(float, ranks))}
    named |= {k: [v[at] for at in held] for k, v in prepared.baselines.items()}
    sources = sorted({prepared.library.examples[at].source for at in held})
    found: dict[str, Any] = {"questions": len(held)}
    for name, values in named.items():
        found[name] = _summary(values)
        for source in sources:
            chosen = [v for v, at in zip(values, held, strict=True)
                      if prepared.library.examples[at].source == source]  # fmt: skip
            found[name][f"mrr_{source}"] = round(float(np.mean([1 / v for v in chosen])), 4)
    return found


def _summary(values: Sequence[float]) -> dict[str, float]:
    rows = np.array(values)
    return {
        "mrr": round(float((1 / rows).mean()), 4),
        "first": round(float((rows <= 1).mean()), 4),
        "in_3": round(float((rows <= 3).mean()), 4),
    }


def _write(output: Path, fitting: Any, encoder: str, detail: dict[str, Any], n: int) -> str:
    """The artefact: adapter.safetensors, config.json and card.md; its digest."""
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
    rows = "\n".join(
        f"| {name} | {found['mrr']} | {found['first']} | {found['in_3']} |"
        for name, found in config["measures"].items()
        if isinstance(found, dict)
    )
    return CARD.format(
        **config,
        credit_lines=sources,
        rows=rows,
        left_out=config["measures"]["questions"],
        per_step=QUESTIONS_PER_STEP,
        negatives=NEGATIVES,
        pool=POOL,
    )


def _passed(started: float) -> str:
    return f"{time.perf_counter() - started:.0f} s"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
