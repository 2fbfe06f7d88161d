"""An encoder that reads each window once, and the last layers that may learn above it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from extraction.ml.encoder import load_encoder
from extraction.ml.errors import BadArtefact
from extraction.ml.frozen_encoder import FrozenEncoder, UpperLayers
from extraction.ml.settings import Design
from tests.tiny_taggers import GROUPS, examples, tiny_encoder
from training.learning.learning_heads import Classroom

IDS = torch.tensor([[2, 9, 12, 3, 0, 0], [2, 10, 11, 12, 13, 3]])
MASK = (IDS != 0).long()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoder"))


def at_words(layers: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Every layer's output where there is a token: (layers, tokens, size)."""
    return torch.stack([layer[MASK.bool()] for layer in layers])


def test_it_says_what_the_encoder_says_and_reads_a_window_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = FrozenEncoder(folder)
    read: list[int] = []
    inner = frozen._read
    monkeypatch.setattr(frozen, "_read", lambda *given: (read.append(len(given[2])), inner(*given)))
    with torch.no_grad():
        told = load_encoder(folder, 0).eval()(
            input_ids=IDS, attention_mask=MASK, output_hidden_states=True
        )
    for _ in range(3):
        found = frozen(IDS, MASK)
    # Another padding is the same window.
    frozen(IDS[:1, :4], MASK[:1, :4])
    assert read == [2]
    assert torch.allclose(at_words(found.hidden_states), at_words(told.hidden_states), atol=5e-3)
    assert list(frozen.parameters()) == []


def test_upper_layers_begin_as_they_are_and_each_network_learns_its_own(folder: Path) -> None:
    frozen = FrozenEncoder(folder)
    before = at_words(frozen(IDS, MASK).hidden_states)
    one, other = UpperLayers(frozen, 1), UpperLayers(frozen, 1)
    assert torch.allclose(at_words(one.eval()(IDS, MASK).hidden_states), before, atol=5e-3)
    loss = one(IDS, MASK).hidden_states[-1][MASK.bool()].pow(2).sum()
    loss.backward()
    assert all(part.grad is not None for part in one.parameters())
    with torch.no_grad():
        for part in one.parameters():
            part.sub_(0.1 * part.grad)
    after = at_words(one(IDS, MASK).hidden_states)
    assert torch.equal(after[:-1], before[:-1])
    assert not torch.allclose(after[-1], before[-1], atol=5e-2)
    assert torch.allclose(at_words(other.eval()(IDS, MASK).hidden_states), before, atol=5e-3)
    assert torch.equal(at_words(frozen(IDS, MASK).hidden_states), before)


@pytest.mark.parametrize("count", [0, 2, 3])
def test_so_many_layers_cannot_learn_above_others(folder: Path, count: int) -> None:
    with pytest.raises(BadArtefact, match=f"{count} layers cannot learn"):
        UpperLayers(FrozenEncoder(folder), count)


def test_layers_that_need_more_than_states_and_mask_are_refused(tmp_path: Path) -> None:
    encoder = FrozenEncoder(tiny_encoder(tmp_path, "mpnet"))
    with pytest.raises(BadArtefact, match=r"mpnet.* cannot learn"):
        UpperLayers(encoder, 1)


def test_a_tagger_of_layers_that_learn_is_the_same_for_the_same_seed(folder: Path) -> None:
    room = Classroom(folder, Design(groups=GROUPS, hidden=32), steps=60, batch=8, layers=1)
    labelled, new = examples(60), [each.text for each in examples(12, seed=9)]
    found = room.learn(labelled, 5).tag(new)
    assert any(spans for spans in found)
    room.learn(labelled, 6)
    assert room.learn(labelled, 5).tag(new) == found
