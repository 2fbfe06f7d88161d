"""A LightGBM ranker evaluated by numpy from LightGBM's own text format; imports no LightGBM.

Only numerical splits are read; a model with categorical ones or linear leaves is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BUNDLED = Path(__file__).with_name("ranker.txt")
# LightGBM takes what is this near to zero for zero.
ZERO = 1e-35
CATEGORICAL, DEFAULT_LEFT = 1, 2
MISSING_ZERO, MISSING_NAN = 1, 2
Floats = NDArray[np.float64]


class BadRanker(ValueError):
    """The text is no ranker's; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Ranker:
    """All trees side by side, (trees, nodes) each; a child below 0 is leaf -child - 1."""

    names: tuple[str, ...]
    feature: NDArray[np.int64]
    threshold: Floats
    flags: NDArray[np.int64]
    children: NDArray[np.int64]  # (trees, nodes, 2): left, right
    leaves: Floats
    depth: int

    def score(self, rows: Sequence[Mapping[str, float]]) -> list[float]:
        """A score per row; a feature that a row lacks counts as unknown."""
        if not rows:
            return []
        values = np.array([[row.get(name, np.nan) for name in self.names] for row in rows])
        return [float(score) for score in self.predict(values)]

    def predict(self, values: Floats) -> Floats:
        """(rows, features in the order of `names`) to (rows,) raw scores."""
        trees = np.arange(len(self.feature))[None, :]
        lines = np.arange(len(values))[:, None]
        at = np.zeros((len(values), len(self.feature)), dtype=np.int64)
        for _ in range(self.depth):
            node = np.maximum(at, 0)
            value = values[lines, self.feature[trees, node]]
            flags = self.flags[trees, node]
            missing_type = flags >> 2
            unknown = np.isnan(value)
            value = np.where(unknown & (missing_type != MISSING_NAN), 0.0, value)
            missing = (missing_type == MISSING_NAN) & unknown
            missing |= (missing_type == MISSING_ZERO) & (np.abs(value) <= ZERO)
            left = np.where(
                missing, (flags & DEFAULT_LEFT) > 0, value <= self.threshold[trees, node]
            )
            following = self.children[trees, node, np.where(left, 0, 1)]
            at = np.where(at < 0, at, following)
        return np.asarray(self.leaves[trees, -at - 1].sum(axis=1), dtype=np.float64)


@cache
def bundled() -> Ranker:
    """The ranker that comes with the code. Raises BadRanker, also where there is none."""
    try:
        return read(BUNDLED.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadRanker(f"there is no bundled ranker: {error}") from error


def read(text: str) -> Ranker:
    """The ranker of a model file. Raises BadRanker."""
    head, *parts = text.split("\nTree=")
    fields = _fields(head)
    try:
        names = tuple(fields["feature_names"].split())
        trees = [_fields(part.split("\nend of trees")[0]) for part in parts]
        if not names or not trees:
            raise BadRanker("the ranker has no features or no trees")
        return _packed(names, trees)
    except (KeyError, ValueError, IndexError) as error:
        if isinstance(error, BadRanker):
            raise
        raise BadRanker(f"the ranker cannot be read: {error!r}") from error


def _fields(part: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in part.splitlines() if "=" in line)


def _packed(names: tuple[str, ...], trees: Sequence[Mapping[str, str]]) -> Ranker:
    most = max(int(tree["num_leaves"]) for tree in trees)
    shape = (len(trees), max(1, most - 1))
    feature = np.zeros(shape, dtype=np.int64)
    threshold = np.zeros(shape)
    flags = np.zeros(shape, dtype=np.int64)
    # Where there is no split, both ways lead to the first leaf.
    children = np.full((*shape, 2), -1, dtype=np.int64)
    leaves = np.zeros((len(trees), most))
    depth = 1
    for number, tree in enumerate(trees):
        count = int(tree["num_leaves"])
        leaves[number, :count] = _numbers(tree["leaf_value"])
        if int(tree.get("is_linear", "0")):
            raise BadRanker("the ranker has linear leaves")
        if count < 2:
            continue
        feature[number, : count - 1] = _numbers(tree["split_feature"])
        threshold[number, : count - 1] = _numbers(tree["threshold"])
        flags[number, : count - 1] = _numbers(tree["decision_type"])
        children[number, : count - 1, 0] = _numbers(tree["left_child"])
        children[number, : count - 1, 1] = _numbers(tree["right_child"])
        depth = max(depth, _depth(children[number, : count - 1]))
    if (flags & CATEGORICAL).any():
        raise BadRanker("the ranker has categorical splits")
    if feature.min() < 0 or feature.max() >= len(names) or not np.isfinite(leaves).all():
        raise BadRanker("the ranker has splits on features that it does not name")
    return Ranker(names, feature, threshold, flags, children, leaves, depth)


def _numbers(text: str) -> Floats:
    return np.array([float(value) for value in text.split()])


def _depth(children: NDArray[np.int64]) -> int:
    """The longest way from the root to a leaf; raises BadRanker where it would never end."""
    deepest, level = 0, [0]
    while level:
        deepest += 1
        if deepest > len(children):
            raise BadRanker("a tree of the ranker has a circle")
        level = [int(child) for node in level for child in children[node] if child >= 0]
    return deepest
