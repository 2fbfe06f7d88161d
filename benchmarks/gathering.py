"""Question to ranked passages, as an answer needs them: understanding, looks and reranking.

Questions come from a file, or are mined from the indexed filings. Trap: the steps share the
machine with whatever else runs; the load is in the detail.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.contrib.auth.models import User

from benchmarks.search import read_questions
from docintel.scoring import CannotScore, Score, bootstrap
from ingestion.models import Chunk, Document
from qa.evidence import Evidence
from qa.gathering import gather
from qa.understanding import understand
from training.learning.ranker_questions import KINDS, mine
from training.learning.rewording import Rewording

WARM_UP = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--questions", type=Path, help="one a line, or JSON lines with a field `question`"
    )
    parser.add_argument("--n", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)


def run(questions: Path | None = None, n: int = 60, seed: int = 0, **_: Any) -> Score:
    """Seconds from a question to its ten passages; CannotScore where none can be asked."""
    started = time.perf_counter()
    asked = read_questions(questions) if questions else _mined(seed)
    if not asked:
        raise CannotScore("no annual report is indexed to mine questions from; give --questions")
    asked = [asked[number % len(asked)] for number in range(n)]
    everyone = User(username="benchmark", is_superuser=True)
    for text in asked[:WARM_UP]:
        _gathered(text, everyone)
    found = [_gathered(text, everyone) for text in asked]
    totals = [seconds * 1000 for seconds, _ in found]
    return Score(
        headline="question to ranked passages p95, milliseconds",
        value=float(np.percentile(totals, 95)),
        higher_is_better=False,
        n=len(totals),
        interval=bootstrap(totals, statistic=lambda values: np.percentile(values, 95)),
        seconds=time.perf_counter() - started,
        detail={
            "milliseconds": _steps(found),
            "rerankers": dict(Counter(evidence.reranker for _, evidence in found)),
            "notes": dict(Counter(note for _, evidence in found for note in evidence.notes)),
            "chunks": Chunk.objects.count(),
            "load": [round(value, 1) for value in os.getloadavg()],
            "cpus": os.cpu_count(),
        },
    )


def _mined(seed: int) -> list[str]:
    documents = Document.objects.searchable().filter(kind__in=KINDS, company__isnull=False)
    rows = list(documents.select_related("company").order_by("pk")[:60])
    texts = sorted(mined.text for mined in mine(rows, Rewording(()), seed))
    random.Random(seed).shuffle(texts)
    return texts


def _gathered(text: str, everyone: User) -> tuple[float, Evidence]:
    start = time.perf_counter()
    evidence = gather(understand(text, everyone), everyone, tier="synthesis")
    return time.perf_counter() - start, evidence


def _steps(found: Sequence[tuple[float, Evidence]]) -> dict[str, dict[str, float]]:
    names = sorted({name for _, evidence in found for name in evidence.seconds})
    columns = {
        name: [evidence.seconds.get(name, 0.0) * 1000 for _, evidence in found] for name in names
    }
    columns["with_understanding"] = [seconds * 1000 for seconds, _ in found]
    return {
        name: dict(zip(("p50", "p95"), np.percentile(values, [50, 95]).tolist(), strict=True))
        for name, values in columns.items()
    }
