"""How well each sentence or row of the offered passages answers the question, best first.

The weights are numbers in `unit_weights.json`; docs/results.md says where they come from.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from docintel import encoders
from docintel.encoders import EncoderUnavailable, TextTooLong
from ingestion.unit_vectors import Nearness, nearness
from qa.asked import Asked
from qa.checking.wording import content
from qa.extractive.cutting_units import Unit, units
from qa.extractive.unit_features import (
    Candidate,
    Question,
    Read,
    Words,
    features,
    read_question,
    read_text,
)
from qa.offering import Offered

__all__ = ["Ranked", "log_odds", "rank"]

# Embedding one takes a few ms on two quiet cores.
MOST_EMBEDDED = 48
LONGEST_EMBEDDED = 240
# Characters behind a question that are taken for the reply, and what of its nearness they inherit.
REPLY_REACH = 450
REPLY_SHARE = 0.85
# What is not embedded is taken to be this much as near as the sentences around it.
UNREAD_SHARE = 0.7
_WEIGHTS = Path(__file__).with_name("unit_weights.json")


@dataclass(frozen=True, slots=True)
class Ranked:
    """One candidate; `score` from about 0 to 1, its parts for the receipt.

    `place` is that of the unit among all units of the offered passages; `leans_on` is the place of
    the sentence before that tells what this one is about, where this one does not say it itself.
    """

    offered: Offered
    unit: Unit
    score: float
    dense: float | None
    lexical: float
    stems: frozenset[str]
    place: int = 0
    leans_on: int | None = None
    metric: float = 0.0


def rank(question: str, understanding: Asked | None, offered: Sequence[Offered]) -> list[Ranked]:
    """Candidates of all passages; without an encoder by words alone."""
    asked = read_question(question, understanding)
    candidates = candidates_of(offered)
    if not candidates:
        return []
    reads = [_read(each) for each in candidates]
    rows = measure(asked, candidates, reads)
    meaning = _meaning(candidates, rows, _vector(asked.bare or question))
    ranked = []
    for i, (each, row, near) in enumerate(zip(candidates, rows, meaning, strict=True)):
        row["dense"] = row["lexical"] if near is None else near
        leans = each.before if row["inherited"] > 0.15 or row["anaphor"] else None
        ranked.append(
            Ranked(
                each.offered, each.unit, _as_share(_weighted(row)), near, row["lexical"],
                reads[i].stems, i, leans, row["metric"],
            )
        )  # fmt: skip
    return sorted(ranked, key=lambda each: -each.score)


def log_odds(score: float) -> float:
    """Of a score from 0 to 1; what weights add up to."""
    return math.log(max(score, 1e-9) / max(1 - score, 1e-9))


def candidates_of(offered: Sequence[Offered]) -> list[Candidate]:
    """Each unit once, with the places of its neighbours within two lines of it."""
    found: list[Candidate] = []
    seen: set[tuple[int, int]] = set()
    for each in offered:
        last: int | None = None
        for unit in units(each.source.text, each.source.start, each.source.end):
            key = (each.source.document_id, unit.start)
            if key in seen:
                last = None
                continue
            seen.add(key)
            near = last is not None and unit.start - found[last].unit.end <= 4
            before = last if near and unit.row is None else None
            if before is not None and found[before].unit.row is not None:
                before = None
            if before is not None:
                behind = found[before]
                found[before] = replace(behind, after=len(found))
            found.append(Candidate(each, unit, before))
            last = len(found) - 1
    return _with_questions(found)


def _with_questions(candidates: list[Candidate]) -> list[Candidate]:
    """Those that follow a question of a call with the place of it: a reply seldom repeats it."""
    question: int | None = None
    for place, each in enumerate(candidates):
        if each.unit.row is not None:
            question = None
        elif each.unit.shown.rstrip("\"'”’").endswith("?"):
            question = place
        elif question is not None:
            asked = candidates[question]
            near = each.unit.start - asked.unit.end < REPLY_REACH
            if asked.offered is not each.offered or not near:
                question = None
            else:
                candidates[place] = replace(each, answers=question)
    return candidates


def _read(candidate: Candidate) -> Read:
    unit, offered = candidate.unit, candidate.offered
    label = unit.shown.split(" | ", 1)[0] if unit.row is not None else ""
    return read_text(unit.shown, label, offered.source.header.company, offered.passage.section)


def measure(
    asked: Question, candidates: Sequence[Candidate], reads: Sequence[Read]
) -> list[dict[str, float]]:
    """The features of every candidate but its meaning."""
    newest = max((c.offered.source.header.fiscal_year or 0 for c in candidates), default=0)
    words = Words.of(asked, [read.stems for read in reads])
    own = [words.share(read.stems) for read in reads]
    names = _names(candidates) if asked.wants.company and not asked.companies else set()
    rows = []
    for i, (candidate, read) in enumerate(zip(candidates, reads, strict=True)):
        row = features(asked, candidate, read, newest)
        row["lexical"] = own[i]
        around = read.stems | read.heading | _stems(candidate.unit.heading)
        for neighbour in (candidate.before, candidate.answers):
            if neighbour is not None:
                around |= reads[neighbour].stems
        row["inherited"] = words.share(around) - own[i]
        row["named"] = float(any(name in read.folded for name in names))
        rows.append(row)
    return rows


def _names(candidates: Sequence[Candidate]) -> set[str]:
    """The first words of the companies whose documents these are."""
    return {each.offered.source.header.company.split(" ")[0] for each in candidates} - {""}


@lru_cache(maxsize=4096)
def _stems(text: str) -> frozenset[str]:
    return frozenset(content(text))


@cache
def weights() -> dict[str, float]:
    """Feature -> weight, with "bias"."""
    read: dict[str, float] = json.loads(_WEIGHTS.read_text(encoding="utf-8"))
    return read


def _weighted(row: dict[str, float]) -> float:
    table = weights()
    return table["bias"] + sum(table.get(name, 0.0) * value for name, value in row.items())


def _as_share(score: float) -> float:
    return float(1 / (1 + np.exp(-score)))


def _vector(question: str) -> NDArray[np.float32] | None:
    """Of a question without its names, which would make near whatever repeats them."""
    try:
        return np.asarray(encoders.embed([question[:2000]], kind="query")[0])
    except EncoderUnavailable:
        return None


def _meaning(
    candidates: Sequence[Candidate],
    rows: Sequence[dict[str, float]],
    vector: NDArray[np.float32] | None,
) -> Sequence[float | None]:
    """How near each comes to the question; None for all without an encoder. Rows gain `window`.

    Only the best by words and by the sentences around them are embedded.
    """
    none = [None] * len(candidates)
    if vector is None:
        return none
    around = _around(candidates, vector)
    for row, near in zip(rows, around, strict=True):
        row["window"] = near
    rough = [_weighted(row) for row in rows]
    order = sorted(range(len(candidates)), key=lambda i: -rough[i])[:MOST_EMBEDDED]
    dense = _similarities(vector, [candidates[i] for i in order])
    if dense is None:
        return none
    embedded = dict(zip(order, map(float, dense), strict=True))
    found = []
    for i, each in enumerate(candidates):
        near = embedded.get(i, UNREAD_SHARE * around[i])
        if each.answers in embedded:
            near = max(near, REPLY_SHARE * embedded[each.answers])
        found.append(near)
    return found


def _around(candidates: Sequence[Candidate], vector: NDArray[np.float32]) -> list[float]:
    """Cosine of the nearest three sentences that have some of the unit; 0 where none are made."""
    chunks = {each.offered.passage.chunk_id for each in candidates}
    try:
        found = nearness(chunks, vector, encoders.live_embedder())
    except EncoderUnavailable:
        return [0.0] * len(candidates)
    return [_nearest(each, found.get(each.offered.passage.chunk_id)) for each in candidates]


def _nearest(candidate: Candidate, near: Nearness | None) -> float:
    if near is None:
        return 0.0
    unit = candidate.unit
    return max(
        (
            float(cosine)
            for cosine, (low, high) in zip(near.cosines, near.spans, strict=True)
            if low < unit.end and unit.start < high
        ),
        default=0.0,
    )


def _similarities(
    vector: NDArray[np.float32], candidates: Sequence[Candidate]
) -> NDArray[np.float32] | None:
    """Cosine of each with the question; None without an encoder."""
    try:
        embedded = encoders.embed([each.unit.shown[:LONGEST_EMBEDDED] for each in candidates])
    except (EncoderUnavailable, TextTooLong):
        return None
    return np.asarray(embedded @ vector)
