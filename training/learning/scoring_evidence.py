"""Where the evidence of questions on reports left out stands among what words and meaning find."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from docintel.scoring import Score, bootstrap
from training.learning.grouping_evidence import Grouped, Prepared, as_asked, pool_of


def ranks_of(
    prepared: Prepared, held: Sequence[int], score: Callable[[Grouped], Sequence[float]]
) -> list[float]:
    """The rank, from 1, of the best evidence of each question among its candidates.

    `score` gives a number for each piece of a group; a tie is lost.
    """
    ranks = []
    for at in held:
        example = prepared.library.examples[at]
        numbers = [*sorted(example.best), *pool_of(prepared.words[at], prepared.meaning[at])]
        pieces = [prepared.library.pieces[number] for number in numbers]
        found = score(Grouped(as_asked(example.text), pieces, with_lead=False))
        best, others = found[: len(example.best)], found[len(example.best) :]
        ranks.append(1.0 + sum(other >= max(best) for other in others))
    return ranks


def measures(
    prepared: Prepared, held: Sequence[int], ranks: Mapping[str, Sequence[float]]
) -> dict[str, Any]:
    """Mean reciprocal rank and how often it is first or in three, of each of these orders and of
    both retrievers."""
    named = dict(ranks) | {k: [v[at] for at in held] for k, v in prepared.baselines.items()}
    sources = sorted({prepared.library.examples[at].source for at in held})
    found: dict[str, Any] = {"questions": len(held)}
    for name, values in named.items():
        found[name] = _summary(values)
        for source in sources:
            chosen = [v for v, at in zip(values, held, strict=True)
                      if prepared.library.examples[at].source == source]  # fmt: skip
            found[name][f"mrr_{source}"] = round(float(np.mean([1 / v for v in chosen])), 4)
    return found


def as_score(ranks: Sequence[float], seconds: float, detail: dict[str, Any]) -> Score:
    """The mean reciprocal rank of `ranks_of`, with its interval."""
    values = [1.0 / rank for rank in ranks]
    return Score(
        headline="reciprocal rank of the evidence among 30 hard candidates, reports left out",
        value=float(np.mean(values)),
        higher_is_better=True,
        n=len(values),
        interval=bootstrap(values),
        seconds=seconds,
        detail=detail,
    )


def as_table(found: Mapping[str, Any]) -> str:
    """The rows of a card's table of `measures`."""
    return "\n".join(
        f"| {name} | {row['mrr']} | {row['first']} | {row['in_3']} |"
        for name, row in found.items()
        if isinstance(row, dict)
    )


def _summary(values: Sequence[float]) -> dict[str, float]:
    rows = np.array(values)
    return {
        "mrr": round(float((1 / rows).mean()), 4),
        "first": round(float((rows <= 1).mean()), 4),
        "in_3": round(float((rows <= 3).mean()), 4),
    }
