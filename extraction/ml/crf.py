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
# A tag that scores this much less than another at its word has no probability left to speak of;
# less would leave none at all to a chain that has no other way.
FAINTEST = -600.0


@dataclass(frozen=True, slots=True)
class Chains:
    """Chains of words to be tagged; see the module for the shapes."""

    emissions: Floats | Sums
    steps: Floats
    start: Floats
    end: Floats
    lengths: Ints


def viterbi(chains: Chains) -> Ints:
    """(n, words) best tags; 0 beyond a chain's length. Of equal paths the lowest tags win."""
    order, going = _longest_first(chains.lengths)
    emissions, steps = chains.emissions[order].swapaxes(0, 1).copy(), chains.steps[order]
    best = np.empty_like(emissions)
    best[0] = chains.start[order] + emissions[0]
    # The tag that is left comes first, so that a maximum over it runs along whole rows.
    out_of = steps.swapaxes(0, 1).copy()
    ways = np.empty_like(out_of)
    for at in range(1, len(best)):
        many = going[at]
        reached = best[at, :many]
        np.add(best[at - 1, :many].T[:, :, None], out_of[:, :many], out=ways[:, :many])
        np.maximum.reduce(ways[:, :many], axis=0, out=reached)
        reached += emissions[at, :many]
    rows = np.arange(len(order))
    current = (best[chains.lengths[order] - 1, rows] + chains.end[order]).argmax(1)
    tags = np.zeros((len(order), len(best)), dtype=np.int64)
    into = steps.swapaxes(1, 2).copy()
    for at in range(len(best) - 1, -1, -1):
        many = going[at]
        tags[:many, at] = current[:many]
        if at:
            # Which way was best is asked on the best path alone, where it is cheap.
            came = best[at - 1, :many] + into[rows[:many], current[:many]]
            current[:many] = came.argmax(1)
    found = np.empty_like(tags)
    found[order] = tags
    return found


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
    count, longest, _ = chains.emissions.shape
    # Read from its end, a chain's continuations are beginnings: one pass finds both.
    emissions = chains.emissions.astype(np.float64)
    emissions = np.maximum(emissions, emissions.max(-1, keepdims=True) + FAINTEST)
    rows, last = np.arange(count), chains.lengths - 1
    mirrored = np.maximum(last[:, None] - np.arange(longest), 0)
    pairs = (
        (emissions, emissions[rows[:, None], mirrored]),
        (chains.steps, chains.steps.swapaxes(1, 2)),
        (chains.start, chains.end),
        (chains.end, chains.start),
        (chains.lengths, chains.lengths),
    )
    begun = _beginnings(Chains(*(np.concatenate(pair) for pair in pairs)))
    before = begun[:count]
    after = begun[count:][rows[:, None], mirrored] - emissions
    return Marginals(before, after, _log_sum(before[rows, last] + chains.end, 1))


def _beginnings(chains: Chains) -> Sums:
    """(n, words, tags) log sums over all beginnings that end in a tag at a word.

    Products of probabilities, scaled at each word so that its likeliest tag counts 1 (Rabiner
    1989, section V A), so that no word needs logarithms of its own. -inf beyond a chain's length.
    """
    order, going = _longest_first(chains.lengths)
    emissions = chains.emissions[order].swapaxes(0, 1)
    top = emissions.max(-1, keepdims=True)
    weights = np.exp(emissions - top)
    steps = np.exp(chains.steps[order].astype(np.float64))
    values, sizes = np.zeros_like(weights), np.ones_like(top)
    values[0] = np.exp(chains.start[order].astype(np.float64)) * weights[0]
    for at in range(1, len(values)):
        many = going[at]
        # One product for each chain, so that none depends on which others are beside it.
        reached = np.matmul(values[at - 1, :many, None], steps[:many])[:, 0]
        reached *= weights[at, :many]
        size = sizes[at, :many]
        np.maximum.reduce(reached, axis=1, keepdims=True, out=size)
        np.divide(reached, size, out=values[at, :many])
    with np.errstate(divide="ignore"):
        logs = np.log(values) + np.cumsum(np.log(sizes) + top, 0)
    found = np.empty((len(order), *logs.shape[::2]))
    found[order] = logs.swapaxes(0, 1)
    return found


def _longest_first(lengths: Ints) -> tuple[Ints, list[int]]:
    """The order of chains by length, and at each word how many of them go on until there."""
    order = np.argsort(-lengths, kind="stable")
    at = np.arange(int(lengths.max()))
    return order, np.searchsorted(-lengths[order], -at, side="left").tolist()


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
    # Score of going on from `first` to `last`, by running sums along each chain.
    nothing = np.zeros_like(chains.emissions[:, :1], dtype=np.float64)
    sums = np.concatenate([nothing, np.cumsum(chains.emissions, 1, np.float64)], 1)
    every = np.arange(len(chain))
    path = sums[chain, last + 1, inside] - sums[chain, first + 1, inside]
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
