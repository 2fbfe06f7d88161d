"""The pure half of topics: pooling passages, calibrating similarities, keeping trained weights."""

from __future__ import annotations

import hashlib
from io import BytesIO

import numpy as np
import pytest

from ingestion.classifying import calibration, pooling
from ingestion.classifying.calibration import Calibration, calibration_of
from ingestion.classifying.known import known_topics
from ingestion.classifying.learned import BadModel, Learned

AXES = np.eye(6, dtype=np.float32)


def learned() -> Learned:
    return Learned(("oil_gas", "mergers"), AXES[:2] * 4, np.array([-2, -2], dtype=np.float32))


def test_there_are_fifty_topics_each_described_by_sentences_and_phrases():
    topics = known_topics()
    assert len(topics) == 50
    assert len({topic.key for topic in topics}) == len({topic.name for topic in topics}) == 50
    for topic in topics:
        assert topic.description.count(". ") >= 1, topic.key
        assert len(topic.phrases) >= 4, topic.key
        assert len(topic.description) <= 1_000, topic.key


def test_one_passage_is_as_close_as_its_cosine():
    found = pooling.similarities(AXES[:1], AXES[:3])
    assert found == pytest.approx([1, 0, 0])


def test_a_long_document_is_about_what_a_tenth_of_it_says():
    passages = np.vstack([AXES[0][None].repeat(96, axis=0), AXES[1][None].repeat(4, axis=0)])
    rare, common = pooling.similarities(passages, AXES[1:2])[0], 1.0
    assert rare == pytest.approx(0.75 * 0.4)
    assert pooling.similarities(passages, AXES[:1])[0] == pytest.approx(common)


def test_what_is_said_first_counts_more():
    first = np.vstack([AXES[2], AXES[0], AXES[0]])
    last = np.vstack([AXES[0], AXES[0], AXES[2]])
    assert pooling.similarities(first, AXES[2:3]) > pooling.similarities(last, AXES[2:3])


def test_without_passages_there_is_nothing_to_compare():
    nothing = np.zeros((0, 6), dtype=np.float32)
    with pytest.raises(ValueError, match="without passages"):
        pooling.similarities(nothing, AXES)
    with pytest.raises(ValueError, match="without passages"):
        pooling.document_vector(nothing)


def test_a_topic_without_phrases_is_its_description():
    none = np.zeros((0, 6), dtype=np.float32)
    assert pooling.topic_vector(AXES[0] * 3, none) == pytest.approx(AXES[0])
    assert pooling.topic_vector(AXES[0], AXES[1:2]) == pytest.approx((AXES[0] + AXES[1]) / 2**0.5)


def test_opposite_vectors_have_no_direction_but_no_nan_either():
    assert not np.isnan(pooling.document_vector(np.vstack([AXES[0], -AXES[0]]))).any()


def test_the_closest_topic_is_the_likeliest_and_probabilities_are_probabilities():
    similar = np.array([0.1, 0.5, 0.2, -0.3], dtype=np.float32)
    for numbers in calibration.calibrations().values():
        found = calibration.probabilities(similar, numbers)
        assert found.argmax() == 1
        assert ((found >= 0) & (found <= 1)).all()


def test_extreme_scores_overflow_nowhere():
    found = calibration.probabilities(np.array([1e6, -1e6]), Calibration(1, 1, 1, 0))
    assert found == pytest.approx([1, 0])


def test_both_embedders_are_calibrated_and_a_stranger_is_not():
    versions = {"all-MiniLM-L6-v2": "53aa", "all-mpnet-base-v2": "78c0"}
    digests = [digest[:4] for digest in calibration.calibrations()]
    assert sorted(versions.values()) == sorted(digests)
    assert calibration_of("0" * 64) is None


def test_trained_weights_come_back_as_they_were():
    content = learned().to_bytes()
    again = Learned.from_bytes(content, hashlib.sha256(content).hexdigest())
    assert again.topics == ("oil_gas", "mergers")
    assert again.probabilities(AXES[:1]) == pytest.approx(learned().probabilities(AXES[:1]))
    assert again.probabilities(AXES[:1])[0, 0] > 0.8 > 0.2 > again.probabilities(AXES[:1])[0, 1]


def saved(**arrays: np.ndarray) -> bytes:
    file = BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


NAMES = np.frombuffer(b'["oil_gas"]', dtype=np.uint8)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no zip at all",
        saved(weights=AXES),
        saved(topics=NAMES, weights=AXES, intercepts=np.zeros(1)),
        saved(topics=NAMES, weights=AXES[:1], intercepts=np.zeros(3)),
        saved(topics=NAMES, weights=AXES[:1] * np.nan, intercepts=np.zeros(1)),
        saved(topics=np.array([{}], dtype=object), weights=AXES[:1], intercepts=np.zeros(1)),
    ],
)
def test_a_file_that_is_no_classifier_is_refused(content):
    with pytest.raises(BadModel):
        Learned.from_bytes(content, hashlib.sha256(content).hexdigest())


def test_a_file_that_somebody_changed_is_refused():
    with pytest.raises(BadModel, match="digest"):
        Learned.from_bytes(learned().to_bytes(), "0" * 64)
