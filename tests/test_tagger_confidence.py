"""Confidences that trees correct: only where they help, the same served as fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from extraction.ml import calibration, correcting, evidence, tagger
from extraction.ml.artefact import write_confidence
from extraction.ml.calibration import Calibration
from extraction.ml.confidence import Confidence, read_trees
from extraction.ml.errors import BadArtefact
from extraction.ml.evidence import NAMES, Seen
from extraction.ml.folders import TREES, read_sheet
from extraction.ml.learning import Course
from extraction.ml.merging import Candidate
from extraction.ml.settings import Design
from extraction.ml.tags import TagScheme
from extraction.ml.training import Base, Material, Plan, save, train
from tests.tiny_taggers import GROUPS, examples, tiny_encoder

SCHEME = TagScheme((("a", "b"), ("c",)))


def told(count: int = 1200, documents: int = 30, useful: bool = True) -> tuple[np.ndarray, ...]:
    """(sure, evidence, right, documents): right hangs on the length, which the confidence hides."""
    chance = np.random.default_rng(3)
    rows = chance.normal(size=(count, len(NAMES)))
    likely = 1 / (1 + np.exp(-2 * rows[:, NAMES.index("words")])) if useful else 0.6
    right = chance.random(count) < likely
    return np.full(count, right.mean()), rows, right, np.arange(count) % documents


def test_they_tell_right_from_wrong_in_documents_they_never_saw() -> None:
    sure, rows, right, documents = told()
    found = correcting.fit(sure, rows, right, documents)
    assert found is not None
    text, unseen = found
    assert unseen[right].mean() > unseen[~right].mean() + 0.2
    served = Confidence(Calibration(), read_trees(text))(sure, rows)
    # Nearly those of the trees that left a document out, and never quite the same.
    assert 0.0 < np.abs(served - unseen).mean() < 0.05
    assert correcting.fit(sure, rows, right, documents)[0] == text  # type: ignore[index]


def test_what_tells_nothing_and_few_documents_leave_the_calibration_alone() -> None:
    assert correcting.fit(*told(useful=False)) is None
    assert correcting.fit(*told(documents=calibration.DOCUMENTS - 1)) is None
    sure, rows, _, documents = told()
    assert correcting.fit(sure, rows, np.zeros(len(sure), bool), documents) is None
    none = np.empty(0, np.int64)
    assert correcting.fit(np.empty(0), np.empty((0, len(NAMES))), none > 0, none) is None


def test_the_evidence_of_a_candidate_is_that_of_a_hand_check() -> None:
    merged = np.zeros((6, 2, SCHEME.width), dtype=np.float32)
    # Words 1 and 2 are surely "a": all weight on its two tags.
    merged[1, 0, 1] = merged[2, 0, 2] = 50
    left, right = merged[:4].reshape(4, -1), np.zeros((4, 2 * SCHEME.width), np.float32)
    words, types = np.array([[0, 4], [2, 6]]), np.zeros((2, 3), np.float32)
    types[:, 0] = (4.0, 0.0)
    here = Candidate(1, 2, "a", 0.9, 0.8, True)
    elsewhere = Candidate(4, 5, "a", 0.5, 0.95, False)
    across = Candidate(2, 4, "a", 0.5, 0.99, False)
    seen = Seen(words, (left, right), types, merged)
    rows = evidence.evidence(seen, [here, elsewhere, across], SCHEME)
    found = dict(zip(NAMES, rows[0].tolist(), strict=True))
    assert found["label"] == 0
    assert found["share"] == pytest.approx(np.log(0.8 / 0.2))
    assert found["window"] == pytest.approx(np.log(np.mean([1 / (1 + np.exp(-4)), 0.5]) / (
        1 - np.mean([1 / (1 + np.exp(-4)), 0.5]))))  # fmt: skip
    assert found["text"] == pytest.approx(4.0)
    assert (found["surest"], found["least_sure"]) == (pytest.approx(1.0), pytest.approx(0.4))
    assert (found["begins"], found["ends"]) == (pytest.approx(1.0), pytest.approx(1.0))
    # What overlaps it is no rival.
    assert (found["rival"], found["rank"]) == (0.95, 1)
    assert (found["words"], found["first"], found["total"]) == (2, 1, 6)
    assert evidence.evidence(seen, [], SCHEME).shape == (0, len(NAMES))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder and a folder that was trained on documents enough for trees."""
    torch.set_num_threads(1)
    place = tmp_path_factory.mktemp("corrected")
    design = Design(GROUPS, rank=4, hidden=32, length=20, stride=10, match="overlap")
    plan = Plan(Base("tiny", tiny_encoder(place / "tiny")), design, Course(2, 8, 5e-3, 1e-2))
    known = examples(260)
    outcome = train(
        Material(known[:60], known[60:240], known[240:]), plan, place / "work", lambda *_: None
    )
    save(outcome, place / "folder", "# A tiny tagger\n")
    return place


def test_a_folder_with_trees_serves_by_them_and_in_any_company(place: Path) -> None:
    folder, sheet = place / "folder", read_sheet(place / "folder")
    sure, rows, right, documents = told()
    found = correcting.fit(sure, rows, right, documents)
    assert found is not None
    texts = [example.text for example in examples(12, seed=11)]
    write_confidence(folder, sheet, "# A tiny tagger\n", "")
    without = tagger.load(folder, place / "tiny", device="cpu", cache=place / "cache")
    write_confidence(folder, sheet, "# A tiny tagger\n", found[0])
    corrected = tagger.load(folder, place / "tiny", device="cpu", cache=place / "cache")
    before, after = without.tag(texts, floor=0.01), corrected.tag(texts, floor=0.01)
    assert before != after
    assert all(0 <= span.confidence <= 1 for spans in after for span in spans)
    assert [corrected.tag([text], floor=0.01)[0] for text in texts] == after
    (read,), (candidates,) = corrected.candidates(texts[:1])
    one, confidence = corrected.chosen(read, candidates, 0.0)[0]
    raw = np.array([corrected.raw(one)])
    expected = Confidence(sheet.calibration, read_trees(found[0]))(raw, np.array([one.evidence]))
    assert confidence == round(float(expected[0]), 4)
    assert len(one.evidence) == len(NAMES)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: text[: len(text) // 2], "cannot be read"),
        (lambda text: text.replace("share", "shares"), "other evidence"),
        (lambda _: "", "cannot be read"),
    ],
)
def test_trees_that_do_not_fit_are_refused_in_words(
    place: Path, spoil: Callable[[str], str], words: str
) -> None:
    found = correcting.fit(*told())
    assert found is not None
    folder = place / "folder"
    write_confidence(folder, read_sheet(folder), "# A tiny tagger\n", found[0])
    (folder / TREES).write_text(spoil(found[0]))
    with pytest.raises(BadArtefact, match=words):
        tagger.load(folder, place / "tiny", device="cpu", cache=place / "cache")


def test_a_calibration_alone_does_not_look_at_evidence() -> None:
    raw = np.array([0.2, 0.9])
    plain = Confidence(replace(Calibration(), slope=2.0))
    assert np.array_equal(plain(raw, None), plain.calibration(raw))
