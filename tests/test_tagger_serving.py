"""A trained tagger serves from its folder: deterministic, long spans whole, misfits refused."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from extraction.ml import tagger
from extraction.ml.errors import BadArtefact
from extraction.ml.learning import Course
from extraction.ml.merging import candidates, merge
from extraction.ml.settings import Design
from extraction.ml.tagger import Tagger
from extraction.ml.tags import TagScheme
from extraction.ml.training import Base, Material, Plan, in_memory, save, train
from extraction.ml.windows import Reader
from tests.tiny_taggers import GROUPS, examples, tiny_encoder

TEXTS = [example.text for example in examples(40, seed=11)]


@dataclass(frozen=True)
class Trained:
    folder: Path
    encoder: Path
    cache: Path
    memory: Tagger

    def load(self) -> Tagger:
        return tagger.load(self.folder, self.encoder, device="cpu", cache=self.cache)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    torch.set_num_threads(1)
    place = tmp_path_factory.mktemp("trained")
    encoder = tiny_encoder(place / "tiny")
    design = Design(GROUPS, rank=4, hidden=32, length=20, stride=10)
    known = examples(160)
    plan = Plan(Base("tiny", encoder), design, Course(6, 8, 5e-3, 1e-2))
    material = Material(known[:100], known[100:140], known[140:])
    outcome = train(material, plan, place / "work", lambda *_: None)
    save(outcome, place / "folder", "# A tiny tagger\n")
    memory = in_memory(outcome.network, outcome.sheet, plan.reader, "cpu")
    return Trained(place / "folder", encoder, place / "cache", memory)


def test_the_folder_serves_what_was_learned(trained: Trained) -> None:
    loaded = trained.load()
    assert loaded.labels == ("figure", "value", "phrase")
    reads = [loaded.reader.read(text) for text in TEXTS]
    windows = [read.windows(20, 10) for read in reads]
    for (one, _), (other, _) in zip(
        loaded.score(reads, windows), trained.memory.score(reads, windows), strict=True
    ):
        # Half precision in the files, and bf16 in two libraries.
        assert np.abs(one - other).max() < 0.3
    expected = trained.memory.tag(TEXTS)
    found = loaded.tag(TEXTS)
    assert sum(map(len, expected)) > 50
    spans = [[(s.start, s.end, s.label) for s in each] for each in found]
    assert spans == [[(s.start, s.end, s.label) for s in each] for each in expected]


def test_the_same_text_gives_the_same_spans_in_any_company(trained: Trained) -> None:
    loaded = trained.load()
    together = loaded.tag(TEXTS)
    assert [loaded.tag([text])[0] for text in TEXTS] == together
    assert trained.load().tag(TEXTS[::-1])[::-1] == together


def test_labels_of_different_groups_nest_and_of_one_group_never_overlap(
    trained: Trained,
) -> None:
    (found,) = trained.load().tag(["the net revenue was $ 12 million and the year"])
    by_label = {span.label: span for span in found}
    phrase, figure, value = (by_label[name] for name in ("phrase", "figure", "value"))
    assert phrase.start <= figure.start < figure.end <= phrase.end
    assert phrase.start <= value.start < value.end <= phrase.end
    for spans in trained.load().tag(TEXTS, floor=0.0):
        inner = sorted(s for s in spans if s.label != "phrase")
        assert all(a.end <= b.start for a, b in itertools.pairwise(inner))


def test_confidences_are_probabilities_and_a_floor_shows_the_doubtful(trained: Trained) -> None:
    loaded = trained.load()
    delivered, ranked = loaded.tag(TEXTS), loaded.tag(TEXTS, floor=0.0)
    assert all(0 <= span.confidence <= 1 for spans in ranked for span in spans)
    for few, many in zip(delivered, ranked, strict=True):
        assert set(few) <= set(many)
        assert few == sorted(few)


def test_texts_without_a_word_or_a_span_have_none(trained: Trained) -> None:
    assert trained.load().tag(["", " \n ", "the the the"]) == [[], [], []]
    assert trained.load().tag([]) == []


def test_a_text_of_many_windows_keeps_every_span(trained: Trained) -> None:
    text = " and the year ".join(TEXTS * 10)
    loaded = trained.load()
    (found,) = loaded.tag([text])
    assert found == loaded.tag([text])[0]
    figures = [text[s.start : s.end] for s in found if s.label == "figure"]
    right = [figure for figure in figures if figure in {"revenue", "profit", "sales"}]
    assert len(right) > 0.8 * sum(text.count(f"net {f}") for f in ("revenue", "profit", "sales"))


def test_a_span_longer_than_a_window_is_one_span(trained: Trained) -> None:
    scheme = TagScheme((("clause",),))
    read = Reader(trained.encoder).read(" ".join(["net"] * 350))
    windows = read.windows(100, 50)
    scores = []
    for window in windows:
        first, last = read.words_of(window)
        words = np.arange(first, last)
        inside = (words >= 40) & (words < 310)
        given = np.zeros((len(words), 3), dtype=np.float32)
        given[:, 0] = np.where(inside, -6, 6)
        given[:, 1] = np.where(words == 40, 6, -6)
        given[:, 2] = np.where(inside & (words != 40), 6, -6)
        scores.append(given)
    merged = merge(read, windows, scores, scheme)
    steps = np.where(scheme.allowed(), 0, -1e4).astype(np.float32)
    best = [each for each in candidates([merged], steps, scheme)[0] if each.best]
    assert [(each.first, each.last) for each in best] == [(40, 309)]
    assert best[0].exact > 0.9


def spoil_bytes(folder: Path) -> None:
    path = folder / "adapter.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def spoil_shape(folder: Path) -> None:
    tensors = load_file(folder / "heads.safetensors")
    tensors["types.weight"] = tensors["types.weight"][:2].copy()
    save_file(tensors, folder / "heads.safetensors")


def spoil_missing(folder: Path) -> None:
    tensors = load_file(folder / "heads.safetensors")
    del tensors["outer.bias"]
    save_file(tensors, folder / "heads.safetensors")


def spoil_numbers(folder: Path) -> None:
    tensors = load_file(folder / "heads.safetensors")
    tensors["outer.bias"][0] = np.nan
    save_file(tensors, folder / "heads.safetensors")


def change(**fields: object) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = folder / "tagger.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))

    return spoil


def spoil_json(folder: Path) -> None:
    (folder / "tagger.json").write_text("{")


def spoil_design(folder: Path) -> None:
    path = folder / "tagger.json"
    content = json.loads(path.read_text())
    content["design"]["groups"] = [["figure"], ["figure"]]
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_bytes, "adapter.safetensors is damaged"),
        (spoil_shape, r"types.weight is \(2, 64\); \(3, 64\) is needed"),
        (spoil_missing, "lacks outer.bias"),
        (spoil_numbers, "not finite"),
        (spoil_json, "tagger.json cannot be read"),
        (spoil_design, "Two labels have the name 'figure'"),
        (change(tokenizer_digest="0" * 64), "another tokenizer"),
        (change(encoder_digest="0" * 64), "another encoder"),
        (change(format=99), "format 99"),
        (change(thresholds={"nothing": 0.5}), "threshold for no label: nothing"),
        (change(calibration={"kind": "isotonic", "slope": 1, "offset": 0, "points": []}), "points"),
        (lambda folder: (folder / "heads.safetensors").unlink(), "lacks heads.safetensors"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(
    trained: Trained, tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    folder = tmp_path / "spoiled"
    shutil.copytree(trained.folder, folder)
    spoil(folder)
    with pytest.raises(BadArtefact, match=words):
        tagger.load(folder, trained.encoder, device="cpu", cache=tmp_path / "cache")


def test_an_encoder_with_other_weights_is_refused(trained: Trained, tmp_path: Path) -> None:
    other = tiny_encoder(tmp_path / "other", seed=2)
    shutil.copy(trained.encoder / "tokenizer.json", other / "tokenizer.json")
    with pytest.raises(BadArtefact, match="another encoder"):
        tagger.load(trained.folder, other, cache=tmp_path / "cache")
