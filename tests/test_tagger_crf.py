"""The CRF against brute force, and that nothing forbidden is ever decoded or learned."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torchcrf import CRF

from extraction.ml import crf
from extraction.ml.crf import NEVER, Chains, Spans
from extraction.ml.merging import candidates
from extraction.ml.network import GroupedCrf
from extraction.ml.tags import TagScheme, read_tags

SCHEME = TagScheme((("a", "b"), ("c",)))


def random_chains(seed: int) -> Chains:
    chance = np.random.default_rng(seed)
    groups, width, longest = 2, SCHEME.width, 4
    known = np.where(SCHEME.known(), 0, NEVER)
    emissions = chance.normal(size=(groups, longest, width)) + known[:, None]
    steps = np.where(SCHEME.allowed(), chance.normal(size=(groups, width, width)), NEVER)
    return Chains(
        emissions.astype("f4"),
        steps.astype("f4"),
        np.where(SCHEME.may_start(), 0, NEVER).astype("f4"),
        known.astype("f4"),
        np.array([4, int(chance.integers(1, 5))]),
    )


def brute_force(chains: Chains, at: int) -> tuple[list[tuple[int, ...]], np.ndarray]:
    """All paths of one chain and their probabilities."""
    length = int(chains.lengths[at])
    paths = list(itertools.product(range(chains.emissions.shape[2]), repeat=length))
    scores = np.array(
        [
            chains.start[at, path[0]]
            + chains.end[at, path[-1]]
            + sum(chains.emissions[at, n, tag] for n, tag in enumerate(path))
            + sum(chains.steps[at, one, two] for one, two in itertools.pairwise(path))
            for path in paths
        ]
    )
    weights = np.exp(scores - scores.max())
    return paths, weights / weights.sum()


@pytest.mark.parametrize("seed", range(10))
def test_best_path_and_marginals_are_those_of_brute_force(seed: int) -> None:
    chains = random_chains(seed)
    tags, marginals = crf.viterbi(chains), crf.forward_backward(chains)
    for at in range(2):
        paths, probabilities = brute_force(chains, at)
        length = int(chains.lengths[at])
        assert tuple(tags[at, :length]) == paths[probabilities.argmax()]
        for word, tag in itertools.product(range(length), range(SCHEME.width)):
            expected = sum(
                p for path, p in zip(paths, probabilities, strict=True) if path[word] == tag
            )
            assert marginals.tags()[at, word, tag] == pytest.approx(expected, abs=1e-4)


def test_marginals_of_a_long_chain_are_probabilities() -> None:
    chance = np.random.default_rng(7)
    words, width = 3_000, SCHEME.width
    # Scores as large as those that a trained network gives.
    emissions = chance.normal(scale=12, size=(1, words, width)).astype("f4")
    known = np.where(SCHEME.known(), 0, NEVER)[:1].astype("f4")
    steps = np.where(SCHEME.allowed(), 0, NEVER)[:1].astype("f4")
    chains = Chains(emissions, steps, known, known, np.array([words]))

    marginals = crf.forward_backward(chains)

    assert np.abs(marginals.tags().sum(-1) - 1).max() < 1e-9
    firsts = np.arange(words)
    alone = Spans(firsts * 0, firsts, firsts, firsts * 0 + 1)
    begun = np.exp(crf.log_probability(chains, marginals, alone))
    # A span of one word is one way for that word to begin one, so never likelier.
    assert (begun <= marginals.tags()[0, :, 1] + 1e-9).all()


@pytest.mark.parametrize("seed", range(10))
def test_the_probability_of_a_span_is_that_of_brute_force(seed: int) -> None:
    chains = random_chains(seed)
    marginals = crf.forward_backward(chains)
    for at, tags in ((0, (1, 3)), (1, (1,))):
        paths, probabilities = brute_force(chains, at)
        length = int(chains.lengths[at])
        for first, last, tag in itertools.product(range(length), range(length), tags):
            if first > last:
                continue
            span = (first, last + 1, tag)
            expected = sum(
                p for path, p in zip(paths, probabilities, strict=True) if span in read_tags(path)
            )
            asked = Spans(*(np.array([n]) for n in (at, first, last, tag)))
            found = np.exp(crf.log_probability(chains, marginals, asked))[0]
            assert found == pytest.approx(expected, abs=1e-4)


def test_no_forbidden_step_is_decoded_from_random_scores() -> None:
    chance = np.random.default_rng(0)
    allowed, may_start = SCHEME.allowed(), SCHEME.may_start()
    for _ in range(50):
        scores = (chance.normal(size=(30, 2, SCHEME.width)) * 8).astype("f4")
        scores[:, ~SCHEME.known()] = NEVER
        emissions = scores.transpose(1, 0, 2)
        steps = np.where(allowed, chance.normal(size=allowed.shape), NEVER).astype("f4")
        start = np.where(may_start, 0, NEVER).astype("f4")
        chains = Chains(emissions, steps, start, np.zeros_like(start), np.array([30, 30]))
        for group, row in enumerate(crf.viterbi(chains)):
            assert may_start[group, row[0]]
            assert all(allowed[group, a, b] for a, b in itertools.pairwise(row))


def test_the_learned_crf_scores_as_brute_force_and_never_a_forbidden_step() -> None:
    torch.manual_seed(0)
    layer = GroupedCrf(SCHEME)
    torch.nn.init.normal_(layer.steps)
    # Whatever is learned for a forbidden step, it stays forbidden.
    with torch.no_grad():
        layer.steps[~layer.allowed] = 50.0
    missing = torch.from_numpy(np.where(SCHEME.known(), 0, NEVER)).float()
    emissions = torch.randn(3, 4, SCHEME.width) + missing.repeat(2, 1)
    layer.prepare(2, torch.device("cpu"))
    steps = layer.scores().detach().numpy()
    tags = torch.zeros((3, 4), dtype=torch.int64)
    tags[:, 0] = torch.tensor([3, 4, 0])
    tags[:, 1] = torch.tensor([0, 1, 2])
    inside = torch.ones_like(tags, dtype=torch.bool)
    given = layer(emissions, tags, inside, reduction="none").detach()
    for at in range(4):
        chains = Chains(
            emissions[None, :, at].numpy(),
            steps[[at % 2]],
            np.zeros((1, SCHEME.width), "f4"),
            np.zeros((1, SCHEME.width), "f4"),
            np.array([3]),
        )
        paths, probabilities = brute_force(chains, 0)
        expected = np.log(probabilities[paths.index(tuple(tags[:, at].tolist()))])
        assert float(given[at]) == pytest.approx(float(expected), abs=1e-3)
        assert layer.decode(emissions, inside)[at] == list(paths[probabilities.argmax()])


def test_it_learns_as_the_library_does_from_chains_of_any_length() -> None:
    torch.manual_seed(0)
    layer = GroupedCrf(SCHEME)
    torch.nn.init.normal_(layer.steps, std=3)
    missing = torch.from_numpy(np.where(SCHEME.known(), 0, NEVER)).float()
    scores = 30 * torch.randn(60, 6, SCHEME.width) + missing.repeat(3, 1)
    lengths = torch.tensor([60, 60, 7, 7, 1, 1])
    inside = torch.arange(60)[:, None] < lengths
    found = []
    for normaliser in (CRF._compute_normalizer, GroupedCrf._compute_normalizer):
        emissions = scores.clone().requires_grad_()
        layer.prepare(3, torch.device("cpu"))
        logs = normaliser(layer, emissions, inside)
        found.append((logs.detach(), *torch.autograd.grad(logs.sum(), (emissions, layer.steps))))
    for theirs, ours in zip(*found, strict=True):
        assert torch.isfinite(ours).all()
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-3)


def test_what_is_certainly_outside_changes_nothing_where_chains_are_split() -> None:
    chance = np.random.default_rng(1)
    allowed = SCHEME.allowed()
    steps = np.where(allowed, chance.normal(size=allowed.shape), NEVER).astype("f4")
    left, right = (chance.normal(size=(6, 2, SCHEME.width)).astype("f4") for _ in range(2))
    quiet = np.zeros((4, 2, SCHEME.width), "f4")
    quiet[:, :, 0] = 30
    scores = np.concatenate([left, quiet, right])
    scores[:, ~SCHEME.known()] = NEVER
    both, alone = candidates([scores, scores[:8]], steps, SCHEME)
    first = [each for each in both if each.last < 8]
    assert [(c.first, c.last, c.label) for c in first] == [
        (c.first, c.last, c.label) for c in alone
    ]
    assert [c.exact for c in first] == pytest.approx([c.exact for c in alone], abs=1e-4)
