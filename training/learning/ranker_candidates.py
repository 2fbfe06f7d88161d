"""Mined questions with their candidates as serving finds them, graded, and read by the
cross-encoder.

Trap: features come from retrieval as it is, and from those units that have vectors by now.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass

import numpy as np
from django.contrib.auth.models import User
from numpy.typing import NDArray

from docintel import cross_encoding
from ingestion.models import Document
from qa.evidence import Evidence
from qa.gathering import DEPTH
from qa.ranking.candidates import load_chunks
from qa.ranking.cross_scores import READ, as_asked, window_of
from qa.ranking.ranking_looks import rank_all
from qa.understanding import Understanding, understand
from training.answerable_questions import is_held_out, shortened
from training.learning.ranker_questions import KINDS, Mined, grade, mine
from training.learning.rewording import Rewording

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Group:
    """One question's candidates in their order before: features, grades 0 to 3, formula's score."""

    mined: Mined
    rows: list[dict[str, float]]
    grades: NDArray[np.int64]
    fused: Floats
    formula: Floats
    chunks: list[int]
    asked: Understanding


def collect(most: int, *, held_out: bool = False) -> list[Group]:
    """At most so many mined questions with their candidates; unanswered ones are left out.

    About companies to learn from, or about those that are held out for good.
    """
    # Never saved: a superuser sees all sources, and this one can sign in nowhere.
    everyone = User(username="training", is_superuser=True)
    documents = Document.objects.searchable().filter(kind__in=KINDS, company__isnull=False)
    rows = documents.select_related("company").order_by("pk")
    filings = [row for row in rows if _is_held_out(row) is held_out]
    rewording = Rewording(filing.text for filing in filings)
    questions = sorted(mine(filings, rewording), key=lambda each: each.text)
    random.Random(7).shuffle(questions)  # noqa: S311
    groups = []
    for number, mined in enumerate(questions[:most], start=1):
        group = _candidates(mined, everyone)
        if group is not None and group.grades.any():
            groups.append(group)
        if number % 50 == 0:
            print(f"{number} asked, {len(groups)} with evidence", file=sys.stderr, flush=True)
    return groups


def read(group: Group, scores: Floats) -> Floats:
    """What the cross-encoder says of the candidates that `scores` put first; NaN: not read.

    Raises RerankerUnavailable, also where it is off.
    """
    first = np.argsort(-scores, kind="stable")[:READ]
    chunks = load_chunks([group.chunks[at] for at in first])
    asked = as_asked(group.asked)
    windows = [window_of(asked, chunks[group.chunks[at]]) for at in first]
    said = np.full(len(group.chunks), np.nan)
    said[first] = cross_encoding.rerank(asked.query, windows)
    return said


def _is_held_out(filing: Document) -> bool:
    return filing.company is not None and is_held_out(shortened(filing.company.name))


def _candidates(mined: Mined, everyone: User) -> Group | None:
    understanding = understand(mined.text, everyone)
    if understanding.comparison:
        return None
    found = rank_all(Evidence(), understanding, everyone, "lookup", DEPTH, lambda: False)
    ranked = found[0].ranked if found else []
    ids = {entry.passage.document_id for entry, _ in ranked}
    documents = Document.objects.defer("text", "tables", "sections").in_bulk(ids)
    grades = [grade(mined, e.passage, documents[e.passage.document_id]) for e, _ in ranked]
    return Group(
        mined,
        [entry.features for entry, _ in ranked],
        np.array(grades, dtype=np.int64),
        np.array([entry.fused for entry, _ in ranked]),
        np.array([score for _, score in ranked]),
        [entry.passage.chunk_id for entry, _ in ranked],
        understanding,
    )
