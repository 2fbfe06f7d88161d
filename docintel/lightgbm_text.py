"""A LightGBM model evaluated by numpy from LightGBM's own text format; imports no LightGBM.

Only numerical splits are read; a model with categorical ones or linear leaves is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# LightGBM takes what is this near to zero for zero.
ZERO = 1e-35
CATEGORICAL, DEFAULT_LEFT = 1, 2
MISSING_ZERO, MISSING_NAN = 1, 2
Floats = NDArray[np.float64]


class BadTrees(ValueError):
    """The text is no model's; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Trees:
    """All trees side by side, (trees, nodes) each; a child below 0 is leaf -child - 1."""

    names: tuple[str, ...]
    feature: NDArray[np.int64]
    threshold: Floats
    flags: NDArray[np.int64]
    children: NDArray[np.int64]  # (trees, nodes, 2): left, right
    leaves: Floats
    means: Floats  # of the training rows in each node, without the leaves; empty: not told
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
        at = np.zeros((len(values), len(self.feature)), dtype=np.int64)
        for _ in range(self.depth):
            at, _split = self._step(at, values)
        return np.asarray(self.leaves[trees, -at - 1].sum(axis=1), dtype=np.float64)

    def contributions(self, values: Floats) -> Floats:
        """(rows, features) to (rows, features + 1): what each feature adds, the last the rest.

        Along the paths that the rows take: each step's change of the mean goes to the feature that
        it splits on (Saabas 2014). A row sums to its score. Trap: this is not TreeSHAP; features
        deep in a tree get more of what they share with those above. Raises BadTrees for a model
        without the means of its nodes.
        """
        if not self.means.size:
            raise BadTrees("the model does not say the means of its nodes")
        trees = np.arange(len(self.feature))[None, :]
        lines = np.broadcast_to(np.arange(len(values))[:, None], (len(values), len(self.feature)))
        made = np.zeros((len(values), len(self.names) + 1))
        at = np.zeros((len(values), len(self.feature)), dtype=np.int64)
        mean = np.broadcast_to(self.means[trees, 0], at.shape)
        made[:, -1] = mean.sum(axis=1)
        for _ in range(self.depth):
            following, split = self._step(at, values)
            inner, leaf = np.maximum(following, 0), np.maximum(-following - 1, 0)
            after = np.where(following < 0, self.leaves[trees, leaf], self.means[trees, inner])
            np.add.at(made, (lines, split), np.where(at < 0, 0.0, after - mean))
            at, mean = following, after
        return made

    def _step(self, at: NDArray[np.int64], values: Floats) -> tuple[NDArray[np.int64], Any]:
        """(the nodes after `at`, the features that were split on); a leaf stays where it is."""
        trees = np.arange(len(self.feature))[None, :]
        lines = np.arange(len(values))[:, None]
        node = np.maximum(at, 0)
        split = self.feature[trees, node]
        value = values[lines, split]
        flags = self.flags[trees, node]
        missing_type = flags >> 2
        unknown = np.isnan(value)
        value = np.where(unknown & (missing_type != MISSING_NAN), 0.0, value)
        missing = (missing_type == MISSING_NAN) & unknown
        missing |= (missing_type == MISSING_ZERO) & (np.abs(value) <= ZERO)
        left = np.where(missing, (flags & DEFAULT_LEFT) > 0, value <= self.threshold[trees, node])
        following = self.children[trees, node, np.where(left, 0, 1)]
        return np.where(at < 0, at, following), split


def read(text: str) -> Trees:
    """The trees of a model file. Raises BadTrees."""
    head, *parts = text.split("\nTree=")
    fields = _fields(head)
    try:
        names = tuple(fields["feature_names"].split())
        trees = [_fields(part.split("\nend of trees")[0]) for part in parts]
        if not names or not trees:
            raise BadTrees("the model has no features or no trees")
        return _packed(names, trees)
    except (KeyError, ValueError, IndexError) as error:
        if isinstance(error, BadTrees):
            raise
        raise BadTrees(f"the model cannot be read: {error!r}") from error


def _fields(part: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in part.splitlines() if "=" in line)


def _packed(names: tuple[str, ...], trees: Sequence[Mapping[str, str]]) -> Trees:
    most = max(int(tree["num_leaves"]) for tree in trees)
    shape = (len(trees), max(1, most - 1))
    feature = np.zeros(shape, dtype=np.int64)
    threshold = np.zeros(shape)
    flags = np.zeros(shape, dtype=np.int64)
    # Where there is no split, both ways lead to the first leaf.
    children = np.full((*shape, 2), -1, dtype=np.int64)
    leaves = np.zeros((len(trees), most))
    told = all("internal_value" in tree or int(tree["num_leaves"]) < 2 for tree in trees)
    means = np.zeros(shape) if told else np.zeros((0, 0))
    depth = 1
    for number, tree in enumerate(trees):
        count = int(tree["num_leaves"])
        leaves[number, :count] = _numbers(tree["leaf_value"])
        if int(tree.get("is_linear", "0")):
            raise BadTrees("the model has linear leaves")
        if count < 2:
            if told:
                means[number, 0] = leaves[number, 0]
            continue
        if told:
            means[number, : count - 1] = _numbers(tree["internal_value"])
        feature[number, : count - 1] = _numbers(tree["split_feature"])
        threshold[number, : count - 1] = _numbers(tree["threshold"])
        flags[number, : count - 1] = _numbers(tree["decision_type"])
        children[number, : count - 1, 0] = _numbers(tree["left_child"])
        children[number, : count - 1, 1] = _numbers(tree["right_child"])
        depth = max(depth, _depth(children[number, : count - 1]))
    if (flags & CATEGORICAL).any():
        raise BadTrees("the model has categorical splits")
    if feature.min() < 0 or feature.max() >= len(names) or not np.isfinite(leaves).all():
        raise BadTrees("the model has splits on features that it does not name")
    return Trees(names, feature, threshold, flags, children, leaves, means, depth)


def _numbers(text: str) -> Floats:
    return np.array([float(value) for value in text.split()])


def _depth(children: NDArray[np.int64]) -> int:
    """The longest way from the root to a leaf; raises BadTrees where it would never end."""
    deepest, level = 0, [0]
    while level:
        deepest += 1
        if deepest > len(children):
            raise BadTrees("a tree of the model has a circle")
        level = [int(child) for node in level for child in children[node] if child >= 0]
    return deepest
