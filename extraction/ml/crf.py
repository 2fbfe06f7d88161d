"""A linear-chain CRF over many chains at once, in numpy: best tags, and exact marginals.

Lafferty, McCallum, Pereira 2001. Scores are logarithms; a forbidden step scores `NEVER`. All
arrays have the chains first: emissions (n, words, tags), steps (n, tags, tags), start and end
(n, tags), lengths (n). What stands beyond a chain's length is not read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
# Scores of a long chain run into the thousands: in float32 what is left of a logarithm near 0
# would be rounding, and most of what is found would look certain.
Sums = NDArray[np.float64]
Ints = NDArray[np.int64]
# Low enough to underflow to probability 0, high enough that sums stay finite in float32.
NEVER = -1e4


@dataclass(frozen=True, slots=True)
class Chains:
    """Chains of words to be tagged; see the module for the shapes."""

    emissions: Floats
    steps: Floats
    start: Floats
    end: Floats
    lengths: Ints


def viterbi(chains: Chains) -> Ints:
    """(n, words) best tags; 0 beyond a chain's length. Of equal paths the lowest tags win."""
    emissions, lengths = chains.emissions, chains.lengths
    count, longest, width = emissions.shape
    score = chains.start + emissions[:, 0]
    back = np.zeros((count, longest, width), dtype=np.int16)
    for at in range(1, longest):
        ways = score[:, :, None] + chains.steps
        back[:, at] = ways.argmax(1)
        reached = ways.max(1) + emissions[:, at]
        score = np.where((at < lengths)[:, None], reached, score)
    tags = np.zeros((count, longest), dtype=np.int64)
    current = (score + chains.end).argmax(1)
    rows = np.arange(count)
    for at in range(longest - 1, -1, -1):
        inside = at < lengths
        tags[:, at] = np.where(inside, current, 0)
        if at:
            current = np.where(inside, back[rows, at, current], current)
    return tags


@dataclass(frozen=True, slots=True)
class Marginals:
    """What forward-backward gives: logarithms, `before` with the word's emission, `after` without.

    before[n, t, y] = log sum over all beginnings that end in tag y at word t;
    after[n, t, y] = log sum over all continuations behind word t; `total` (n) the log partition.
    """

    before: Sums
    after: Sums
    total: Sums

    def tags(self) -> Sums:
        """(n, words, tags) probabilities of each word's tag."""
        found: Sums = np.exp(self.before + self.after - self.total[:, None, None])
        return found


def forward_backward(chains: Chains) -> Marginals:
    """Exact marginals of every chain; beyond a chain's length they mean nothing."""
    emissions, steps, lengths = chains.emissions, chains.steps, chains.lengths
    count, longest, width = emissions.shape
    before = np.zeros((count, longest, width), dtype=np.float64)
    before[:, 0] = chains.start + emissions[:, 0]
    for at in range(1, longest):
        reached = _log_sum(before[:, at - 1, :, None] + steps, 1) + emissions[:, at]
        before[:, at] = np.where((at < lengths)[:, None], reached, before[:, at - 1])
    total = _log_sum(before[:, -1] + chains.end, 1)
    after = np.zeros((count, longest, width), dtype=np.float64)
    after[:, -1] = chains.end
    for at in range(longest - 2, -1, -1):
        ahead = after[:, at + 1] + emissions[:, at + 1]
        reached = _log_sum(steps + ahead[:, None, :], 2)
        after[:, at] = np.where((at + 1 < lengths)[:, None], reached, chains.end)
    return Marginals(before, after, total)


@dataclass(frozen=True, slots=True)
class Spans:
    """Spans in chains, four arrays (m): which chain, first and last word, the tag that begins."""

    chain: Ints
    first: Ints
    last: Ints
    begins: Ints


def log_probability(chains: Chains, marginals: Marginals, spans: Spans) -> Sums:
    """(m) log probability that the words `first` to `last` (included) are exactly one span.

    The span must be followed by anything but its own continuation, or by the chain's end.
    """
    chain, first, last, begins = spans.chain, spans.first, spans.last, spans.begins
    longest = chains.emissions.shape[1]
    inside = begins + 1
    # Score of going on from `first` to `last`, by running sums along each chain's label.
    rows = chains.emissions[chain, :, inside]
    sums = np.concatenate([np.zeros((len(chain), 1), np.float64), np.cumsum(rows, 1, float)], 1)
    every = np.arange(len(chain))
    path = sums[every, last + 1] - sums[every, first + 1]
    more = last - first
    path = path + np.where(more > 0, chains.steps[chain, begins, inside], 0.0)
    path = path + np.maximum(more - 1, 0) * chains.steps[chain, inside, inside]
    final = np.where(more > 0, inside, begins)
    behind = np.minimum(last + 1, longest - 1)
    onward = chains.steps[chain, final] + chains.emissions[chain, behind]
    onward = onward + marginals.after[chain, behind]
    onward[every, inside] = NEVER
    goes_on = last + 1 < chains.lengths[chain]
    leaving = np.where(goes_on, _log_sum(onward, 1), chains.end[chain, final])
    found = marginals.before[chain, first, begins] + path + leaving - marginals.total[chain]
    return np.asarray(np.minimum(found, 0.0))


def _log_sum(scores: Sums, axis: int) -> Sums:
    top = scores.max(axis, keepdims=True)
    found: Sums = np.log(np.exp(scores - top).sum(axis)) + np.squeeze(top, axis)
    return found
