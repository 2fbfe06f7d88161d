"""Search server time over wide and narrow scopes, the question's embedding included.

Questions come from a file, or are sentences drawn from the corpus at hand.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.contrib.auth.models import User

from docintel.scoring import CannotScore, Score, bootstrap
from ingestion.models import Chunk, Document
from ingestion.querysets import Scope
from qa.retrieval import search

WARM_UP = 5
STEPS = ("phrases", "lexical", "embedding_wait", "dense", "passages", "total")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--questions",
        type=Path,
        help="one question a line, or JSON lines with a field `question`; else from the corpus",
    )
    parser.add_argument("--n", type=int, default=100, help="questions per scope")
    parser.add_argument("--seed", type=int, default=0)


def run(questions: Path | None = None, n: int = 100, seed: int = 0, **_: Any) -> Score:
    """Seconds of `search` over all documents, and over one document or one company at a time."""
    started = time.perf_counter()
    generator = random.Random(seed)
    documents = list(
        Document.objects.searchable().filter(chunk_count__gt=0).values_list("pk", "company")
    )
    if not documents:
        raise CannotScore("no document is searchable yet; ingest some first")
    asked = read_questions(questions) if questions else _drawn(n, generator)
    asked = [asked[number % len(asked)] for number in range(n)]
    picked = [generator.choice(documents) for _ in range(n)]
    scopes = {
        "wide": [Scope()] * n,
        "one_document": [Scope(documents=(pk,)) for pk, _ in picked],
        "one_company": [
            Scope(companies=(company,)) if company else Scope(documents=(pk,))
            for pk, company in picked
        ],
    }
    # Loads the model and fills the caches; a server has done both long before.
    _measure(asked[:WARM_UP], [Scope()] * WARM_UP)
    timings = {name: _measure(asked, confined) for name, confined in scopes.items()}
    totals = [step["total"] * 1000 for name in timings for step in timings[name]]
    wide, narrow = (
        float(np.median([step["total"] for step in timings[name]]))
        for name in ("wide", "one_document")
    )
    return Score(
        headline="search p95, milliseconds",
        value=float(np.percentile(totals, 95)),
        higher_is_better=False,
        n=len(totals),
        interval=bootstrap(totals, statistic=lambda values: np.percentile(values, 95)),
        seconds=time.perf_counter() - started,
        detail={
            "milliseconds": {name: _percentiles(steps) for name, steps in timings.items()},
            "narrow_over_wide_p50": narrow / wide,
            "documents": len(documents),
            "chunks": Chunk.objects.count(),
        },
    )


def read_questions(path: Path) -> list[str]:
    """The questions of a file, one a line; raises CannotScore where there is none."""
    lines = [line.strip() for line in path.read_text().splitlines() if line.strip()]
    found = [json.loads(line)["question"] if line.startswith("{") else line for line in lines]
    if not found:
        raise CannotScore(f"{path} holds no question")
    return found


def _drawn(n: int, generator: random.Random) -> list[str]:
    """Sentences of the corpus of 4 to 25 words: questions whose words do occur."""
    ids = list(Chunk.objects.order_by("pk").values_list("pk", flat=True))
    drawn = []
    for chunk in Chunk.objects.filter(pk__in=generator.sample(ids, min(n, len(ids)))):
        words = generator.choice(re.split(r"(?<=[.!?])\s+", chunk.text)).split()
        drawn.append(" ".join(words[:25] if len(words) >= 4 else chunk.text.split()[:12]))
    return [text.replace('"', " ") for text in drawn if text.strip()]


def _measure(questions: Sequence[str], scopes: Sequence[Scope]) -> list[dict[str, float]]:
    everyone = User(username="benchmark", is_superuser=True)
    return [
        search(question, everyone, scope).seconds
        for question, scope in zip(questions, scopes, strict=False)
    ]


def _percentiles(timings: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    table = {}
    for step in STEPS:
        values = [timing.get(step, 0.0) * 1000 for timing in timings]
        p50, p95 = np.percentile(values, [50, 95])
        table[step] = {"p50": float(p50), "p95": float(p95)}
    return table
