"""Candidates reranked for a question, by what is there: a learned ranker, or a fixed formula.

A name says which it was; with `named`, also whether a cross-encoder has read the candidates or the
bi-encoder's cosine stands in for it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from docintel import lightgbm_text, promoted_weights, registry
from docintel.lightgbm_text import BadTrees, Trees
from docintel.models import ModelVersion
from qa.ml import ranker

NAME = "ranker"
FORMULA = "fixed formula"
STAND_IN = "bi-encoder cosine (stand-in for a cross-encoder)"
log = logging.getLogger(__name__)


class Reranker(Protocol):
    """Features of candidates to a score each; higher is better, comparable within a question.

    `cross_weight` is what a cross-encoder's scores count beside these.
    """

    @property
    def name(self) -> str: ...

    @property
    def cross_weight(self) -> float: ...

    def score(self, rows: Sequence[Mapping[str, float]]) -> list[float]: ...


@dataclass(frozen=True, slots=True)
class Formula:
    """The fused score raised by period, kind and line items, with the cosine beside it.

    For lookups, and where no learned ranker can be read. Its weights are not learned.
    """

    name: str = FORMULA
    cross_weight: float = 0.05

    def score(self, rows: Sequence[Mapping[str, float]]) -> list[float]:
        return [_formula(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Learned:
    """A LightGBM ranker over the features, among them the bi-encoder's cosine."""

    model: Trees
    cross_weight: float
    version: str

    @property
    def name(self) -> str:
        return f"LightGBM {self.version}"

    def score(self, rows: Sequence[Mapping[str, float]]) -> list[float]:
        return self.model.score(rows)


def named(reranker: Reranker, *, read: bool) -> str:
    """What ranked, as a receipt says it; `read` is whether a cross-encoder's scores were there."""
    if not read:
        return f"{reranker.name}; {STAND_IN}"
    return f"{reranker.name}; cross-encoder {promoted_weights.live_reranker().name}"


def live_reranker() -> Reranker:
    """The live ranker; the bundled one where none is live, and the formula where none is read."""
    version = registry.live(NAME)
    try:
        if version is not None:
            return ranker_of(version)
    except BadTrees as error:
        log.warning("ranker %s is not usable: %s", version and version.version, error)
    try:
        return ranker_of(None)
    except BadTrees as error:
        log.warning("the formula ranks: %s", error)
        return Formula()


def ranker_of(version: ModelVersion | None) -> Learned:
    """Of this version, live or not; of None the one that comes with the code. Raises BadTrees."""
    if version is None:
        return Learned(ranker.bundled(), ranker.bundled_weight(), "as bundled")
    return Learned(*_read(version.pk, version.digest), version.version)


def keep(
    text: str,
    version: str,
    digest: str,
    metrics: Mapping[str, object] | None = None,
    created_by: str = "",
    *,
    cross_weight: float | None = None,
) -> ModelVersion:
    """This model text as a candidate. Raises BadTrees, and then nothing has changed.

    Without a weight of the cross-encoder, that of the bundled ranker holds.
    """
    lightgbm_text.read(text)
    metadata: dict[str, object] = {"model": text}
    if cross_weight is not None:
        metadata["cross_weight"] = ranker.checked_weight(cross_weight)
    told = {"metrics": dict(metrics or {}), "created_by": created_by}
    return registry.add(NAME, version, digest, metadata=metadata, **told)


@lru_cache(maxsize=2)
def _read(pk: int, digest: str) -> tuple[Trees, float]:  # noqa: ARG001  another digest is another
    kept = ModelVersion.objects.get(pk=pk).metadata
    # Versions of before the weight was learned have none.
    weight = kept.get("cross_weight", ranker.bundled_weight())
    return lightgbm_text.read(str(kept.get("model", ""))), ranker.checked_weight(weight)


def _formula(row: Mapping[str, float]) -> float:
    def of(name: str) -> float:
        value = row.get(name, math.nan)
        return 0.0 if math.isnan(value) else value

    return (
        of("fused_share")
        + 0.5 * of("dense")
        + 0.3 * of("item_rows")
        + 0.2 * of("statement_match")
        + 0.2 * of("word_coverage")
        + 0.2 * of("company_match")
    )
