"""What ranks now: the live model, or the formula where there is none that can be used."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from docintel import artefacts, lightgbm_text, registry
from docintel.artefacts import ArtefactDamaged
from docintel.lightgbm_text import BadTrees, Trees
from docintel.models import ModelVersion
from feed.ml import formula
from feed.ml.facts import Floats
from feed.ml.features import NAMES
from feed.ml.freshness import HALF_LIFE

NAME = "feed"
FILE = "feed.txt"
log = logging.getLogger(__name__)


class Ranker(Protocol):
    """Scores (n, names) rows of features; `half_life` in days is what a day of age costs."""

    @property
    def version(self) -> ModelVersion | None: ...
    @property
    def half_life(self) -> float: ...
    def score(self, rows: Floats) -> Floats: ...
    def contributions(self, rows: Floats) -> Floats: ...


class CannotUse(Exception):
    """This version cannot rank; the message says why."""


@dataclass(frozen=True, slots=True)
class Formula:
    version: ModelVersion | None = None
    half_life: float = HALF_LIFE

    def score(self, rows: Floats) -> Floats:
        return formula.score(rows)

    def contributions(self, rows: Floats) -> Floats:
        return formula.contributions(rows)


@dataclass(frozen=True, slots=True)
class Learned:
    """Trees that correct a formula of the weights `prior`: those that they were trained upon."""

    trees: Trees
    version: ModelVersion | None
    half_life: float
    prior: Mapping[str, float]

    def score(self, rows: Floats) -> Floats:
        return formula.score(rows, self.prior) + self.trees.predict(rows)

    def contributions(self, rows: Floats) -> Floats:
        added = self.trees.contributions(rows)[:, : len(NAMES)]
        return formula.contributions(rows, self.prior) + added


def live() -> Ranker:
    """The live version's ranker, or the formula with a line in the log."""
    version = registry.live(NAME)
    try:
        return use(version) if version else Formula()
    except CannotUse as error:
        log.warning("the formula ranks the feed: %s", error)
        return Formula()


def use(version: ModelVersion) -> Ranker:
    """Raises CannotUse."""
    try:
        folder = artefacts.open_folder(version)
        trees = _trees(str(folder / FILE), version.digest)
    except (ArtefactDamaged, BadTrees, OSError) as error:
        raise CannotUse(f"{version} cannot be used: {error}") from error
    if trees.names != NAMES:
        raise CannotUse(f"{version} was trained on other features than are made now")
    half_life = float(version.metadata.get("half_life_days", HALF_LIFE))
    return Learned(trees, version, half_life, version.metadata.get("prior", {}))


@lru_cache(maxsize=4)
def _trees(path: str, digest: str) -> Trees:  # noqa: ARG001  another digest, other trees
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        return lightgbm_text.read(file.read())
