"""Texts become unit vectors, the same by every path, and none is cut in silence."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from docintel import encoders, registry, weights
from docintel.encoders import EncoderUnavailable, TextTooLong
from docintel.inference import loading
from docintel.inference.ml.packing import pack, padded
from docintel.inference.ml.torch import TorchEncoder
from docintel.models import ModelVersion
from docintel.roles import Role

pytestmark = pytest.mark.django_db
PRICES = "Revenue grew because the company raised its prices."
TEXTS = [
    PRICES,
    "Sales",
    "Sales were up as customers paid more per unit.",
    "The chief financial officer resigned in March.",
    "freight costs rose " * 120,
    "Пример текста 株式会社 مثال",
]


def test_vectors_are_unit_and_padded_with_zeros() -> None:
    vectors = encoders.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), 768)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.abs(vectors[:, :384]).min(axis=1).any()
    assert not vectors[:, 384:].any()


def test_what_means_the_same_is_closer() -> None:
    vectors = encoders.embed(TEXTS[:4])
    same, other = vectors[0] @ vectors[2], vectors[0] @ vectors[3]
    assert same > other + 0.2


def test_neighbours_in_a_batch_change_nothing() -> None:
    together = encoders.embed(TEXTS)
    alone = np.concatenate([encoders.embed([text]) for text in TEXTS])
    assert (together * alone).sum(axis=1).min() > 0.999


@pytest.mark.parametrize("name", sorted(weights.KNOWN))
def test_openvino_agrees_with_torch(name: str, settings) -> None:
    settings.EMBEDDING_MODEL = name
    settings.INFERENCE_DEVICE = "cpu"
    found = weights.describe(name)
    rows = encoders.token_rows(TEXTS, "document")
    quick = loading.load(found).encode(rows)
    exact = TorchEncoder(found.folder, found.pooling, device="cpu").encode(rows)
    assert quick.shape == exact.shape == (len(TEXTS), found.dimensions)
    assert (quick * exact).sum(axis=1).min() >= 0.99


def test_no_text_gives_no_vector() -> None:
    assert encoders.embed([]).shape == (0, 768)


def test_the_tokenizer_neither_cuts_nor_pads() -> None:
    tokenizer = encoders.tokenizer()
    assert len(tokenizer.encode("word " * 700).ids) == 702
    assert len(tokenizer.encode("word").ids) == 3


def test_a_document_beyond_the_model_is_refused() -> None:
    with pytest.raises(TextTooLong) as refused:
        encoders.embed(["short", "word " * 511])
    assert (refused.value.index, refused.value.tokens) == (1, 513)
    assert encoders.embed(["word " * 510]).any()


def test_a_question_beyond_the_model_is_cut_and_said(caplog) -> None:
    with caplog.at_level(logging.WARNING):
        cut = encoders.embed(["word " * 600], kind="query")
    assert "602 tokens was cut to 512" in caplog.text
    whole = encoders.embed(["word " * 510])
    assert float(cut[0] @ whole[0]) > 0.999


def test_the_live_embedder_is_registered_once(db) -> None:
    first, second = encoders.live_embedder(), encoders.live_embedder()
    assert first == second
    assert ModelVersion.objects.get(name="embedder", state="live") == first
    assert (first.version, first.dimensions) == ("all-MiniLM-L6-v2", 384)
    assert first.digest == weights.KNOWN["all-MiniLM-L6-v2"].digest


@pytest.mark.django_db
def test_web_never_makes_another_embedder_live(settings) -> None:
    live = registry.register("embedder", "all-mpnet-base-v2", "0" * 64, dimensions=768)
    settings.ROLE = Role.WEB
    with pytest.raises(EncoderUnavailable, match="the live embedder is all-mpnet"):
        encoders.live_embedder()
    assert registry.live("embedder") == live


def test_web_without_an_inference_role_says_so(settings) -> None:
    settings.ROLE = Role.WEB
    settings.INFERENCE_URL = ""
    with pytest.raises(EncoderUnavailable, match="INFERENCE_URL"):
        encoders.embed(["a question"], kind="query")


def test_an_unknown_device_is_refused(settings) -> None:
    settings.INFERENCE_DEVICE = "abacus"
    with pytest.raises(weights.WeightsUnavailable, match="auto, cpu or cuda"):
        loading.load(weights.describe(settings.EMBEDDING_MODEL))


def test_batches_hold_every_row_once_within_the_budget() -> None:
    generator = np.random.default_rng(3)
    lengths = [int(n) for n in generator.integers(1, 513, 400)]
    batches = pack(lengths, 1024)
    assert sorted(index for batch in batches for index in batch) == list(range(400))
    for batch in batches:
        padded_tokens = len(batch) * max(lengths[i] for i in batch)
        assert padded_tokens <= 1024
        assert padded_tokens <= 256 or sum(lengths[i] for i in batch) >= 0.75 * padded_tokens


def test_a_row_longer_than_the_budget_stands_alone() -> None:
    assert pack([5, 2000, 6], 1024) == [[0, 2], [1]]


def test_padding_is_masked() -> None:
    ids, mask = padded([[7, 8, 9], [7]], pad=1)
    assert ids.tolist() == [[7, 8, 9], [7, 1, 1]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]
