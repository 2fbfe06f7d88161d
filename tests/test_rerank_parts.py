"""Pairs in windows, adapters merged, the graph like PyTorch, and what of a passage is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import small_reranker
import torch
from transformers import AutoModel

from docintel import rerankers, weights
from docintel.inference import loading
from docintel.inference.ml import adapters
from docintel.inference.ml.cross_encoder import TorchCrossEncoder, merged
from docintel.inference.pairing import PairTooLong
from docintel.inference.reranking import Pairing, best_of
from qa.ranking.windows import WINDOW_TOKENS, Asked, tokens, window


@pytest.fixture
def pairing(tmp_path: Path, settings: object) -> Pairing:
    settings.RERANKER_MODEL = str(small_reranker.write(tmp_path))  # type: ignore[attr-defined]
    return Pairing.of(rerankers.describe())


def test_windows_hold_every_token_of_a_passage(pairing: Pairing) -> None:
    text = " ".join(f"word{n}" for n in range(300))
    pairs = pairing.rows("Which word?", ["short", text])
    whole = pairing.tokenizer.encode(text, add_special_tokens=False).ids
    assert pairs.windows(0) == 1
    assert pairs.windows(1) > 3
    assert max(map(len, pairs.rows)) <= pairing.tokens
    at = 0
    for row, owner in zip(pairs.rows, pairs.owners, strict=True):
        assert row[0] == pairing.cls
        assert row.count(pairing.sep) == 2
        part = row[row.index(pairing.sep) + 1 : -1]
        if owner == 1:
            start = next(s for s in range(at + 1) if whole[s : s + len(part)] == part)
            at = max(at, start + len(part))
    assert at == len(whole)


def test_a_question_takes_at_most_half(pairing: Pairing) -> None:
    with pytest.raises(PairTooLong, match="at most 32 are read"):
        pairing.rows("why " * 40, ["text"])
    row = pairing.rows("why " * 40, ["text " * 500], truncate=True).rows
    assert len(row) == 1
    assert len(row[0]) == pairing.tokens


def test_the_best_window_counts(pairing: Pairing) -> None:
    pairs = pairing.rows("Which word?", ["a", "word " * 80, "b"])
    scores = np.arange(len(pairs.rows), dtype=np.float32)
    best = best_of(scores, pairs, 3)
    assert best[0] == 0
    assert best[1] == len(pairs.rows) - 2
    assert best[2] == len(pairs.rows) - 1


def test_the_graph_scores_as_pytorch_does(pairing: Pairing) -> None:
    found = rerankers.describe()
    graph = loading.load_reranker(found, pairing.sep)
    model = merged(
        rerankers.encoder_of(found).folder, found.folder / rerankers.ADAPTER, found.scale
    )
    plain = TorchCrossEncoder(model, pairing.sep, "cpu")
    texts = ["Revenue rose.", "Costs | 12 | 14", "The weather was mild. " * 12]
    rows = pairing.rows("How did revenue change?", texts).rows
    far, near = graph.encode(rows)[:, 0], plain.encode(rows)[:, 0]
    assert np.allclose(far, near, atol=0.08)


def test_a_merged_adapter_computes_what_the_attached_one_does() -> None:
    folder = weights.describe(small_reranker.ENCODER).folder
    torch.manual_seed(3)
    attached = adapters.attach(_encoder(folder), rank=4, alpha=8, blocks=[4, 5]).eval()
    for name, value in attached.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(value, std=0.02)
    plain = _encoder(folder)
    before = plain(input_ids=IDS).last_hidden_state
    adapters.merge(plain, adapters.tensors(attached), scale=2.0)
    after = plain(input_ids=IDS).last_hidden_state
    assert torch.allclose(after, attached(input_ids=IDS).last_hidden_state, atol=2e-3)
    assert not torch.allclose(after, before, atol=2e-3)


def test_an_adapter_of_another_encoder_is_refused() -> None:
    plain = _encoder(weights.describe(small_reranker.ENCODER).folder)
    layer = "encoder.layer.0.attention.self.query"
    wrong = {f"{layer}.lora_A.weight": torch.ones(2, 9), f"{layer}.lora_B.weight": torch.ones(9, 2)}
    with pytest.raises(ValueError, match="is for a weight of"):
        adapters.merge(plain, wrong, 1.0)
    with pytest.raises(ValueError, match="fits no linear layer"):
        adapters.merge(plain, {"encoder.nothing.lora_A.weight": torch.ones(2, 9)}, 1.0)


IDS = torch.tensor([[101, 2054, 2001, 1996, 7796, 102]])


def _encoder(folder: Path) -> torch.nn.Module:
    return AutoModel.from_pretrained(folder, add_pooling_layer=False).eval()


HEADER = "Halden Mills · Annual report · FY2022\nItem 8 › Cash flows\nCash flow statement\n"
ROWS = "\n".join(
    [
        "Cash flows from operations | 2022 | 2021",
        *(f"Other item number {n} | {n}12 | {n}07" for n in range(80)),
        "Purchases of property, plant and equipment | (1,577) | (1,373)",
        *(f"Further item number {n} | {n}12 | {n}07" for n in range(80)),
    ]
)


def test_a_window_holds_the_line_that_answers() -> None:
    asked = Asked("What was capex in 2022?", ("purchases of property, plant and equipment",))
    found = window(asked, HEADER, ROWS)
    assert "Purchases of property, plant and equipment | #" in found
    assert found.startswith("Halden Mills · Annual report · FY2022 Item")
    assert tokens(found) <= WINDOW_TOKENS + 4
    assert "purchases of property" in asked.query


def test_figures_that_are_asked_for_and_years_stay() -> None:
    found = window(Asked("What was the 1,577 million?"), "", ROWS)
    assert "1,577" in found
    assert "(1,373)" not in found
    assert "| 2022" in window(Asked("Cash flows"), "", ROWS)


def test_a_short_passage_is_read_whole() -> None:
    text = "Freight rose.\nPrices fell in Q3."
    assert window(Asked("Why?"), "Halden\n", text) == f"Halden\n{text}"
    assert window(Asked(""), "", "") == ""


def test_one_line_longer_than_the_window_is_kept() -> None:
    long = "margin, " * 900
    assert window(Asked("margin"), "", long)
