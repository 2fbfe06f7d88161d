"""How often the passage that answers is among the first ten, for questions with gold passages.

The file holds one question a line: question, type, evidence (file, passage), any of which will do.
Each question goes alone through `qa.retrieval.search` and, as "answer", through
`qa.gathering.gather`: the code that serves pages and API, with every document visible.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.contrib.auth.models import User

from docintel.scoring import CannotScore, Score, bootstrap
from ingestion.models import Chunk, Document
from qa.checking.quoting import locate
from qa.gathering import gather
from qa.retrieval import search
from qa.routing import route
from qa.understanding import understand
from training.evaluation.retrieval import read_rows

RETRIEVERS = ("bm25", "dense", "fused", "answer")
CUTOFFS = (1, 3, 10)
HOW = (
    "Found@k: whether one of the first k chunks holds a gold passage word for word (white space, "
    "hyphens and quotation marks as the verifier reads them) in a file that the gold names."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("questions", type=Path, help="JSON lines: question, type, evidence")
    parser.add_argument("--limit", type=int, help="only the first questions")
    parser.add_argument("--misses", action="store_true", help="print what answer missed")


def run(questions: Path, limit: int | None = None, *, misses: bool = False, **_: Any) -> Score:
    """Raises CannotScore where the files of no question have been ingested."""
    started = time.perf_counter()
    rows = list(read_rows(questions, ("question", "evidence")))[:limit]
    files = {row.pk: Path(row.file_name).name for row in _documents()}
    named = {Path(at["file"]).name for row in rows for at in row["evidence"]}
    if not named & set(files.values()):
        raise CannotScore(f"none of the {len(named)} files that {questions} names is searchable")
    found: dict[tuple[str, int], list[float]] = defaultdict(list)
    seconds = []
    for number, row in enumerate(rows, start=1):
        began = time.perf_counter()
        ranked = ranked_chunks(row["question"])
        seconds.append(time.perf_counter() - began)
        first = {name: _first(ids, row["evidence"], files) for name, ids in ranked.items()}
        for name, rank in first.items():
            for cutoff in CUTOFFS:
                found[name, cutoff].append(float(rank is not None and rank <= cutoff))
        if misses and not found["answer", CUTOFFS[-1]][-1]:
            print(f"missed: {row['question']} | {row['evidence'][0]['passage']}")
        if number % 20 == 0:
            print(f"{number} of {len(rows)} questions asked", file=sys.stderr)
    headline = found["answer", CUTOFFS[-1]]
    return Score(
        headline=f"gold passage among the first {CUTOFFS[-1]}",
        value=float(np.mean(headline)),
        higher_is_better=True,
        n=len(rows),
        interval=bootstrap(headline),
        seconds=time.perf_counter() - started,
        detail={
            **{
                name: {f"found@{cutoff}": float(np.mean(found[name, cutoff])) for cutoff in CUTOFFS}
                for name in RETRIEVERS
            },
            "by_type": _by_type(rows, headline),
            "both_ms": {f"p{p}": 1000 * float(np.percentile(seconds, p)) for p in (50, 95)},
            "how": HOW,
        },
    )


def ranked_chunks(question: str) -> dict[str, list[int]]:
    """Chunk ids, best first, per retriever."""
    # Never saved: a superuser sees all sources, and this one can sign in nowhere.
    everyone = User(username="evaluation", is_superuser=True)
    results = search(question, everyone, limit=CUTOFFS[-1])
    evidence = gather(understand(question, everyone), everyone, tier=route(question).tier)
    return {
        "bm25": [hit.chunk_id for hit in results.bm25],
        "dense": [hit.chunk_id for hit in results.dense],
        "fused": [passage.chunk_id for passage in results.passages],
        "answer": [each.passage.chunk_id for each in evidence.passages],
    }


def _documents() -> Iterable[Document]:
    return Document.objects.searchable().only("file_name")


def _first(
    ids: Sequence[int], evidence: Sequence[dict[str, str]], files: dict[int, str]
) -> int | None:
    """The rank, from 1, of the first chunk that holds a gold passage."""
    wanted = {Path(at["file"]).name: at["passage"] for at in evidence}
    chunks = Chunk.objects.select_related("document").in_bulk(ids[: CUTOFFS[-1]])
    for rank, pk in enumerate(ids[: CUTOFFS[-1]], start=1):
        chunk = chunks[pk]
        passage = wanted.get(files.get(chunk.document_id, ""))
        if passage and locate(passage, chunk.document.text, chunk.start, chunk.end):
            return rank
    return None


def _by_type(rows: Sequence[dict[str, Any]], hits: Sequence[float]) -> dict[str, dict[str, float]]:
    groups: dict[str, list[float]] = defaultdict(list)
    for row, hit in zip(rows, hits, strict=True):
        groups[str(row.get("type", ""))].append(hit)
    return {
        name: {"n": len(values), "found": float(np.mean(values))}
        for name, values in sorted(groups.items())
    }
