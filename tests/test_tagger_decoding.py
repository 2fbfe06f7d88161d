"""Many texts decoded at once against each word by word in plain logarithms, to the last place."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

from extraction import tagging
from extraction.ml import crf
from extraction.ml.crf import NEVER, Chains, Spans
from extraction.ml.folders import HEADS, read_sheet
from extraction.ml.merging import Candidate, candidates
from extraction.ml.tags import TagScheme

SCHEME = TagScheme((("a", "b", "c"), ("d",)))
Floats = NDArray[np.float64]


def learned(name: str) -> tuple[TagScheme, NDArray[np.float32]]:
    """The scheme and the scores of steps of a tagger that comes with the project."""
    folder = Path(tagging.BUNDLED) / name
    scheme = read_sheet(folder).design.scheme
    steps = load_file(folder / HEADS)["crf.steps"].astype(np.float32)
    return scheme, np.where(scheme.allowed(), steps, NEVER).astype(np.float32)


def random_text(
    chance: np.random.Generator, scheme: TagScheme, words: int, scale: float
) -> NDArray[np.float32]:
    scores = chance.normal(scale=scale, size=(words, len(scheme.groups), scheme.width))
    scores[:, ~scheme.known()] = NEVER
    return scores.astype(np.float32)


def random_chains(seed: int, scale: float) -> Chains:
    chance = np.random.default_rng(seed)
    lengths = np.array([1, 40, 7, 40, 2, 23])
    groups = np.arange(len(lengths)) % 2
    steps = np.where(SCHEME.allowed(), chance.normal(size=SCHEME.allowed().shape), NEVER)
    rows = [random_text(chance, SCHEME, 40, scale)[:, group] for group in groups]
    start = np.where(SCHEME.may_start(), 0, NEVER)[groups]
    return Chains(
        np.array(rows, dtype="f4"), steps[groups].astype("f4"), start.astype("f4"),
        chance.normal(size=start.shape).astype("f4"), lengths,
    )  # fmt: skip


def log_sum(scores: Floats, axis: int) -> Floats:
    top = scores.max(axis, keepdims=True)
    found: Floats = np.log(np.exp(scores - top).sum(axis)) + np.squeeze(top, axis)
    return found


def word_by_word(chains: Chains, at: int) -> tuple[list[int], Floats, Floats, float]:
    """One chain's best tags, the logs before and after each word, and the log partition."""
    emissions = chains.emissions[at, : chains.lengths[at]]
    steps = chains.steps[at]
    best, back = [chains.start[at] + emissions[0]], []
    before: list[Floats] = [np.float64(chains.start[at]) + emissions[0]]
    for row in emissions[1:]:
        ways = best[-1][:, None] + steps
        back.append(ways.argmax(0))
        best.append(ways.max(0) + row)
        before.append(log_sum(before[-1][:, None] + steps, 0) + row)
    after: list[Floats] = [chains.end[at].astype(float)]
    for row in emissions[:0:-1]:
        after.append(log_sum(steps + (after[-1] + row)[None, :], 1))
    tags = [int((best[-1] + chains.end[at]).argmax())]
    for came in back[::-1]:
        tags.append(int(came[tags[-1]]))
    total = float(log_sum(before[-1] + chains.end[at], 0))
    return tags[::-1], np.array(before), np.array(after[::-1]), total


@pytest.mark.parametrize("scale", [0.5, 8.0, 90.0])
@pytest.mark.parametrize("seed", range(4))
def test_chains_of_all_lengths_at_once_are_as_each_word_by_word(seed: int, scale: float) -> None:
    chains = random_chains(seed, scale)
    tags, marginals = crf.viterbi(chains), crf.forward_backward(chains)
    for at, length in enumerate(chains.lengths.tolist()):
        best, before, after, total = word_by_word(chains, at)
        assert tags[at].tolist() == best + [0] * (tags.shape[1] - length)
        assert marginals.total[at] == pytest.approx(total, rel=1e-12)
        expected = np.exp(before + after - total)
        assert np.abs(marginals.tags()[at, :length] - expected).max() < 1e-9
        assert not marginals.tags()[at, length:].any()


def test_a_word_that_only_a_forbidden_tag_fits_leaves_every_probability_finite() -> None:
    chains = random_chains(0, 1.0)
    chains.emissions[:, :, 2] = 5_000
    marginals = crf.forward_backward(chains)
    inside = np.arange(40) < chains.lengths[:, None]
    assert np.abs(marginals.tags().sum(-1)[inside] - 1).max() < 1e-9
    every = np.arange(len(chains.lengths))
    spans = Spans(every, every * 0, chains.lengths - 1, every * 0 + 1)
    assert np.isfinite(np.exp(crf.log_probability(chains, marginals, spans))).all()


@pytest.mark.parametrize("name", ["kpis", "contracts"])
def test_what_is_found_in_a_text_is_the_same_to_the_bit_beside_any_others(name: str) -> None:
    scheme, steps = learned(name)
    chance = np.random.default_rng(5)
    texts = [random_text(chance, scheme, words, 3.0) for words in (1, 300, 30, 0, 31, 300, 2)]
    together = candidates(texts, steps, scheme)
    assert [candidates([text], steps, scheme)[0] for text in texts] == together
    assert candidates(texts[::-1], steps, scheme)[::-1] == together
    assert sum(map(len, together)) > 500


@pytest.mark.parametrize("name", ["kpis", "contracts"])
def test_candidates_carry_the_probabilities_of_plain_logarithms(name: str) -> None:
    scheme, steps = learned(name)
    text = random_text(np.random.default_rng(9), scheme, 120, 3.0)
    (found,) = candidates([text], steps, scheme)
    for group, labels in enumerate(scheme.groups):
        chains = Chains(
            text[None, :, group], steps[[group]],
            np.where(scheme.may_start(), 0, NEVER)[[group]].astype("f4"),
            np.zeros((1, scheme.width), "f4"), np.array([len(text)]),
        )  # fmt: skip
        best, before, after, total = word_by_word(chains, 0)
        own = [each for each in found if each.label in labels]
        begun = {(c.first, scheme.place[c.label][1]) for c in own if c.best}
        assert begun == {(at, tag) for at, tag in enumerate(best) if tag % 2}
        tags = np.exp(before + after - total)
        for each in own:
            share = expected_share(tags, each, scheme)
            assert round(each.share, 4) == pytest.approx(round(share, 4), abs=1.01e-4)
            exact = expected_exact(chains, before, after, total, each, scheme)
            assert each.exact == pytest.approx(exact, rel=1e-6)


def expected_share(tags: Floats, each: Candidate, scheme: TagScheme) -> float:
    begins = scheme.place[each.label][1]
    rows = tags[each.first : each.last + 1, begins : begins + 2]
    return float(rows.sum(1).mean())


def expected_exact(
    chains: Chains, before: Floats, after: Floats, total: float, each: Candidate, scheme: TagScheme
) -> float:
    """The sum over all paths that hold exactly this span, from the forward and backward sums."""
    begins = scheme.place[each.label][1]
    emissions, steps = chains.emissions[0].astype(float), chains.steps[0].astype(float)
    tags = [begins] + [begins + 1] * (each.last - each.first)
    path = before[each.first, begins]
    for at, (one, two) in enumerate(itertools.pairwise(tags), start=each.first + 1):
        path += steps[one, two] + emissions[at, two]
    if each.last + 1 == len(emissions):
        return float(np.exp(path - total))
    onward = steps[tags[-1]] + emissions[each.last + 1] + after[each.last + 1]
    others = np.delete(onward, begins + 1)
    return float(np.exp(path + log_sum(others, 0) - total))
