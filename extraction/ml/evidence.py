"""What speaks for or against a candidate beside its own probability: one row of figures each.

How sure the windows are that saw it, where it begins and ends, and what else the text holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from docintel.logistic import logistic
from extraction.ml.calibration import logit
from extraction.ml.merging import Candidate
from extraction.ml.tags import TagScheme

NAMES = (
    "label",  # its place among the labels
    "share",  # log odds that its words belong to the label
    "exact",  # log odds that they are exactly one span
    "window",  # log odds of the windows that hold it to hold its label, the mean
    "text",  # log odds of the surest window of the text to hold its label
    "surest",  # probability of its words in the window that is surest of them
    "least_sure",  # and in the one that is least sure
    "begins",  # probability of its first word to belong to the label
    "ends",  # and of its last
    "rival",  # the greatest probability among the label's candidates elsewhere in the text
    "rank",  # how many of those are likelier than it
    "words",  # how many it has
    "first",  # words of the text before it
    "total",  # words of the text
)
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the network gave for a text: all windows, and what was merged of them.

    `words` (windows, 2): first word and the one behind the last; `scores` (words, groups * tags) of
    each window, `types` (windows, labels) its logits of labels, `merged` (words, groups, tags).
    """

    words: NDArray[np.int64]
    scores: Sequence[NDArray[np.float32]]
    types: NDArray[np.float32]
    merged: NDArray[np.float32]


def evidence(seen: Seen, candidates: Sequence[Candidate], scheme: TagScheme) -> Floats:
    """(candidates, NAMES) of a text."""
    if not candidates:
        return np.empty((0, len(NAMES)))
    shape = (-1, len(scheme.groups), scheme.width)
    whole = _belonging(seen.merged)
    windows = [np.cumsum(_belonging(each.reshape(shape)), 0) for each in seen.scores]
    types = logistic(seen.types.astype(np.float64))
    order = {label: at for at, label in enumerate(scheme.labels)}
    rivals = _rivals(candidates)
    rows = []
    for each, (rival, rank) in zip(candidates, rivals, strict=True):
        at = order[each.label]
        group, begins = scheme.place[each.label]
        within = group, (begins - 1) // 2
        over = (seen.words[:, 0] <= each.last) & (seen.words[:, 1] > each.first)
        means = [
            _mean(windows[n][:, *within], each, *seen.words[n].tolist())
            for n in np.flatnonzero(over).tolist()
        ]
        rows.append(
            (
                at, each.share, each.exact, types[over, at].mean(), types[:, at].max(), max(means),
                min(means), whole[each.first, *within], whole[each.last, *within], rival, rank,
                each.last - each.first + 1, each.first, len(whole),
            )
        )  # fmt: skip
    found = np.array(rows, dtype=np.float64)
    found[:, 1:5] = logit(found[:, 1:5])
    return found


def _belonging(scores: NDArray[np.float32]) -> Floats:
    """(words, groups, labels) probabilities of each word by itself, beginning or continuing."""
    weights = np.exp((scores - scores.max(-1, keepdims=True)).astype(np.float64))
    weights /= weights.sum(-1, keepdims=True)
    return np.asarray(weights[..., 1::2] + weights[..., 2::2])


def _mean(sums: Floats, each: Candidate, first: int, behind: int) -> float:
    """Of a candidate's words within a window, from the running sums of its words."""
    start, end = max(each.first, first) - first, min(each.last + 1, behind) - first
    before = sums[start - 1] if start else 0.0
    return float((sums[end - 1] - before) / (end - start))


def _rivals(candidates: Sequence[Candidate]) -> list[tuple[float, int]]:
    """For each the greatest share of its label elsewhere, and how many there are greater."""
    of_label: dict[str, list[Candidate]] = {}
    for each in candidates:
        of_label.setdefault(each.label, []).append(each)
    found = []
    for each in candidates:
        shares = [
            other.share
            for other in of_label[each.label]
            if other.last < each.first or each.last < other.first
        ]
        found.append((max(shares, default=0.0), sum(share > each.share for share in shares)))
    return found
