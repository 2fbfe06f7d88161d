"""Scores of overlapping windows merged into one sequence of words, and the spans found in it.

Because one CRF runs over the merged words of a whole text, a span may be longer than a window. A
word that two windows saw takes the mean of both, weighted by how sure each was and how far from
its edge the word stood.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from docintel.inference.ml.packing import pack
from extraction.ml import crf
from extraction.ml.crf import NEVER, Chains, Floats, Marginals, Spans
from extraction.ml.tags import OUTSIDE, TagScheme, read_tags
from extraction.ml.windows import Read, Window

# A word this much surer to be outside than anything else ends a chain: the error is below e^-10.
CERTAIN = 10.0
# Words of one batch of chains, padding included.
BUDGET = 60_000
# How far the score of "outside" is lowered to find spans that the best path leaves out.
LOWERED = (0.0, 1.5, 3.0, 5.0)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Words `first` to `last` (included) may be a span of the label at `label` in the scheme.

    `exact` is the probability that they are exactly one, `share` the mean probability of its words
    to belong to the label. `best` tells whether it is on the best path. `evidence`, where it was
    asked for, is a row of `evidence.NAMES`.
    """

    first: int
    last: int
    label: str
    exact: float
    share: float
    best: bool
    evidence: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """Words `start` to `end` (excluded) of a text's group, with certain outside on both sides."""

    text: int
    group: int
    start: int
    end: int


def merge(
    read: Read, windows: Sequence[Window], scores: Sequence[Floats], scheme: TagScheme
) -> Floats:
    """(words, groups, tags) of a text from the (words, groups * tags) scores of its windows."""
    groups, width = len(scheme.groups), scheme.width
    total = np.zeros((len(read.firsts), groups, width), dtype=np.float32)
    weights = np.zeros((len(read.firsts), groups, 1), dtype=np.float32)
    for window, found in zip(windows, scores, strict=True):
        first, last = read.words_of(window)
        if first == last:
            continue
        given = found.reshape(last - first, groups, width)
        inner = _distance(read, window, first, last)[:, None, None]
        top = given.max(-1, keepdims=True)
        sure = 1 / np.exp(given - top).sum(-1, keepdims=True)
        weight = inner * sure
        total[first:last] += weight * given
        weights[first:last] += weight
    return (total / np.maximum(weights, 1e-12)).astype(np.float32)


def _distance(read: Read, window: Window, first: int, last: int) -> Floats:
    """Tokens to the nearer edge of the window; an edge of the text is none."""
    at = read.firsts[first:last]
    left = at - window.start + 1 if window.start else np.full(len(at), 1 << 20)
    right = window.end - at if window.end < len(read.ids) else np.full(len(at), 1 << 20)
    half = (window.end - window.start) / 2
    return np.asarray(np.minimum(np.minimum(left, right), half), dtype=np.float32)


def candidates(
    texts: Sequence[Floats], steps: Floats, scheme: TagScheme, *, strict: bool = True
) -> list[list[Candidate]]:
    """Spans that each text may hold, in its order; those of one group may overlap.

    `texts` (words, groups, tags) each, `steps` (groups, tags, tags). The best path is always among
    them; lowering the score of "outside" adds what it nearly took. Not `strict`, for a tagger
    without a CRF: a text may open with a continuation, which then begins a span. What is found in
    a text does not depend on the others.
    """
    segments = [each for at, scores in enumerate(texts) for each in split(at, scores)]
    found: list[list[Candidate]] = [[] for _ in texts]
    for batch in pack([each.end - each.start for each in segments], BUDGET):
        chosen = [segments[at] for at in batch]
        for segment, candidate in _in_batch(chosen, texts, steps, scheme, strict):
            found[segment.text].append(candidate)
    return [sorted(each, key=lambda one: (one.first, one.last, one.label)) for each in found]


def split(text: int, scores: Floats) -> Iterator[Segment]:
    """Stretches of words that are not certainly outside, each with one certain word around."""
    words, groups, _ = scores.shape
    margin = scores[:, :, OUTSIDE] - scores[:, :, 1:].max(-1)
    doubtful = margin < CERTAIN
    near = doubtful.copy()
    near[1:] |= doubtful[:-1]
    near[:-1] |= doubtful[1:]
    closed = np.zeros((groups, words + 2), dtype=np.int8)
    closed[:, 1:-1] = near.T
    change = np.diff(closed, axis=1)
    begin, end = np.argwhere(change == 1), np.argwhere(change == -1)
    for (group, start), (_, stop) in zip(begin.tolist(), end.tolist(), strict=True):
        yield Segment(text, group, start, stop)


def _in_batch(
    segments: Sequence[Segment],
    texts: Sequence[Floats],
    steps: Floats,
    scheme: TagScheme,
    strict: bool,
) -> list[tuple[Segment, Candidate]]:
    chains = _chains(segments, texts, steps, scheme.may_start() if strict else scheme.known())
    marginals = crf.forward_backward(chains)
    best: dict[tuple[int, int, int, int], bool] = {}
    # All ways at once: the words are gone through one by one, so a second pass costs as much again.
    tags = crf.viterbi(_lowered(chains))
    count = len(segments)
    for row in np.flatnonzero(tags.any(1)).tolist():
        way, at = divmod(row, count)
        for first, last, begins in read_tags(tags[row, : chains.lengths[at]].tolist()):
            best.setdefault((at, first, last - 1, begins), way == 0)
    if not best:
        return []
    spans = Spans(*np.array(list(best), dtype=np.int64).T)
    exact = np.exp(crf.log_probability(chains, marginals, spans))
    share = _shares(marginals, spans)
    found = []
    for n, ((at, first, last, begins), on_path) in enumerate(best.items()):
        where = segments[at]
        label = scheme.label(where.group, begins)
        places = where.start + first, where.start + last
        found.append((where, Candidate(*places, label, float(exact[n]), float(share[n]), on_path)))
    return found


def _chains(
    segments: Sequence[Segment],
    texts: Sequence[Floats],
    steps: Floats,
    may_start: NDArray[np.bool_],
) -> Chains:
    groups = np.array([each.group for each in segments])
    lengths = np.array([each.end - each.start for each in segments])
    emissions = np.zeros((len(segments), int(lengths.max()), steps.shape[-1]), dtype=np.float32)
    for row, each in enumerate(segments):
        emissions[row, : lengths[row]] = texts[each.text][each.start : each.end, each.group]
    # The word before a segment and the word behind it are outside; a text's edge is no word.
    first = np.array([each.start == 0 for each in segments])[:, None]
    last = np.array([each.end == len(texts[each.text]) for each in segments])[:, None]
    opening = np.where(may_start, 0.0, NEVER)[groups]
    start = np.where(first, opening, steps[groups, OUTSIDE, :])
    end = np.where(last, 0.0, steps[groups, :, OUTSIDE])
    return Chains(
        emissions,
        steps[groups].astype(np.float32),
        start.astype(np.float32),
        end.astype(np.float32),
        lengths,
    )


def _lowered(chains: Chains) -> Chains:
    """The chains once for each of `LOWERED`, in turn, with "outside" scoring that much less."""
    emissions = np.concatenate([chains.emissions] * len(LOWERED))
    steps = np.repeat(np.array(LOWERED, dtype=np.float32), len(chains.emissions))
    emissions[:, :, OUTSIDE] -= steps[:, None]
    others = (chains.steps, chains.start, chains.end, chains.lengths)
    return Chains(emissions, *(np.concatenate([each] * len(LOWERED)) for each in others))


def _shares(marginals: Marginals, spans: Spans) -> NDArray[np.float64]:
    """Mean probability of a span's words to carry its label, beginning or continuing."""
    tags = marginals.tags()
    belongs = tags[:, :, 1::2] + tags[:, :, 2::2]
    sums = np.concatenate([np.zeros_like(belongs[:, :1]), np.cumsum(belongs, 1)], 1)
    label = (spans.begins - 1) // 2
    total = sums[spans.chain, spans.last + 1, label] - sums[spans.chain, spans.first, label]
    return np.asarray(np.clip(total / (spans.last - spans.first + 1), 0, 1))
