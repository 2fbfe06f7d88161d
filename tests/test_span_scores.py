"""Scores of spans, computed by hand, and strict F1 against seqeval itself."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from seqeval.metrics import f1_score
from seqeval.scheme import IOB2

from extraction.ml.matching import is_match
from extraction.ml.spans import FoundSpan, LabelledSpan
from training.evaluation import precision_curves as curves
from training.evaluation.span_scores import (
    Judged,
    by_label,
    documents_of,
    estimate,
    f1,
    overlap_counts,
    strict_counts,
    verdicts,
)

TEXT = "Net sales of $ 12.5 million rose by 3 percent in 2020 ."


def at(words: str, label: str, text: str = TEXT) -> LabelledSpan:
    start = text.index(words)
    return LabelledSpan(start, start + len(words), label)


def found(words: str, label: str, confidence: float = 0.9, text: str = TEXT) -> FoundSpan:
    span = at(words, label, text)
    return FoundSpan(span.start, span.end, label, confidence)


def judged(gold, ranked, key: str = "a", text: str = TEXT) -> Judged:
    return Judged(key, text, tuple(gold), tuple(ranked), tuple(ranked))


def one(measure, documents: int = 1) -> float:
    return measure(np.ones(documents))


def test_strict_wants_the_same_words_and_label() -> None:
    gold = [at("Net sales", "kpi"), at("12.5", "cy"), at("3", "increase")]
    given = [found("Net sales", "kpi"), found("12.5 million", "cy"), found("3", "py")]
    rows = [judged(gold, given)]
    assert strict_counts(rows).tolist() == [[1, 3, 3]]
    assert one(f1(strict_counts(rows), documents_of(rows))) == pytest.approx(1 / 3)
    # Half a word more or less is the same words.
    cut = LabelledSpan(1, 9, "kpi")
    assert strict_counts([judged([cut], [found("Net sales", "kpi")])]).tolist() == [[1, 1, 1]]


def test_overlap_wants_half_of_the_characters_in_common_and_pairs_each_span_once() -> None:
    # "12.5 million" has 12 characters, "12.5" 4 of them, "12.5 mil" 8.
    gold = [at("12.5 million", "cy")]
    assert overlap_counts([judged(gold, [found("12.5", "cy")])]).tolist() == [[0, 1, 1]]
    assert overlap_counts([judged(gold, [found("12.5 mil", "cy")])]).tolist() == [[1, 1, 1]]
    assert overlap_counts([judged(gold, [found("12.5 m", "cy")])]).tolist() == [[1, 1, 1]]
    twice = [found("12.5 mil", "cy"), found("12.5 millio", "cy")]
    assert overlap_counts([judged(gold, twice)]).tolist() == [[1, 2, 1]]
    assert overlap_counts([judged(gold, [found("12.5 mil", "py")])]).tolist() == [[0, 1, 1]]


def test_texts_without_spans_count_nothing_and_have_no_f1() -> None:
    rows = [judged([], [])]
    assert math.isnan(one(f1(strict_counts(rows), documents_of(rows))))
    assert by_label(rows, ["kpi"]) == {}
    nothing = estimate(lambda _: math.nan, 0, 0)
    assert math.isnan(nothing.interval[0])


def tags(text: str, spans) -> list[str]:
    words = text.split()
    starts = [0]
    for word in words[:-1]:
        starts.append(starts[-1] + len(word) + 1)
    marks = ["O"] * len(words)
    for span in spans:
        inside = [n for n, start in enumerate(starts) if span.start <= start < span.end]
        for n in inside:
            marks[n] = f"{'B' if n == inside[0] else 'I'}-{span.label}"
    return marks


def drawn(chance: random.Random, words: int) -> list[tuple[int, int, str]]:
    spans, at_word = [], 0
    while at_word < words:
        length = chance.randint(1, 3)
        if chance.random() < 0.4 and at_word + length <= words:
            spans.append((at_word, at_word + length, chance.choice("xyz")))
        at_word += length
    return spans


def test_strict_f1_is_that_of_seqeval() -> None:
    chance = random.Random(5)
    rows, gold_tags, found_tags = [], [], []
    for number in range(60):
        text = " ".join(chance.choice(["a", "bb", "ccc"]) for _ in range(20))
        starts = [0]
        for word in text.split()[:-1]:
            starts.append(starts[-1] + len(word) + 1)
        ends = [start + len(word) for start, word in zip(starts, text.split(), strict=True)]

        def spans(made, starts=starts, ends=ends):
            return [LabelledSpan(starts[f], ends[e - 1], label) for f, e, label in made]

        truth = drawn(chance, 20)
        guess = [span for span in truth if chance.random() < 0.6] or drawn(chance, 20)
        gold, given = spans(truth), spans(guess)
        rows.append(
            judged(
                gold, [FoundSpan(s.start, s.end, s.label, 0.5) for s in given], str(number), text
            )
        )
        gold_tags.append(tags(text, gold))
        found_tags.append(tags(text, given))
    ours = one(f1(strict_counts(rows), documents_of(rows)), 60)
    assert 0.3 < ours < 0.95
    assert ours == pytest.approx(f1_score(gold_tags, found_tags, mode="strict", scheme=IOB2))


@pytest.mark.parametrize(
    ("gold", "given", "right"),
    [
        ("the State of Nevada", "State of Nevada", True),  # 3 of 4 words
        ("laws of Nevada", "laws of Maine", True),  # 2 of 4
        ("laws of Nevada", "laws in Maine", False),  # 1 of 5
        ("May 8, 2014.", "may 8 2014", True),
        ("his/her heirs", "her heirs", True),  # 2 of 3
        ("Acme", "Acme Inc. of Delaware, and others", False),
        ("", "", False),
    ],
)
def test_texts_match_by_their_sets_of_words(gold: str, given: str, right: bool) -> None:
    assert is_match(gold, given) is right


def test_a_party_may_be_a_part_of_what_was_found() -> None:
    assert is_match("Acme", "Acme Inc. of Delaware, and others", contained=True)
    assert not is_match("Acme Inc. of Delaware, and others", "Acme", contained=True)


ABC = "alpha beta gamma delta epsilon zeta"


def abc(word: str, confidence: float) -> FoundSpan:
    return found(word, "x", confidence, ABC)


def test_a_curve_by_hand() -> None:
    gold = [at(word, "x", ABC) for word in ("alpha", "beta", "gamma", "delta")]
    ranked = [abc("alpha", 0.9), abc("zeta", 0.8), abc("beta", 0.7), abc("gamma", 0.6)]
    # "gamma delta" matches "gamma" and "delta" (1 of 2 words each): gamma is found already.
    ranked.append(abc("gamma delta", 0.5))
    curve = curves.curves([judged(gold, ranked, text=ABC)], ["x", "never"])
    assert list(curve) == ["x"]
    recalls, precisions = curve["x"].points(np.ones(1))
    assert recalls.tolist() == [0, 0.25, 0.25, 0.5, 0.75, 1.0]
    # 1/1, 1/2, 2/3, 3/4, 4/5; each raised to the best behind it.
    assert precisions.tolist() == pytest.approx([1, 1, 0.8, 0.8, 0.8, 0.8])
    area = 0.25 * 1 + 0.75 * 0.8
    assert one(curve["x"].area) == pytest.approx(area)
    assert one(curve["x"].precision_at(0.8)) == pytest.approx(0.8)
    assert one(curve["x"].precision_at(0.2)) == 1
    assert one(curves.macro(curve.values())) == pytest.approx(area)


def test_what_is_never_found_ends_the_curve() -> None:
    gold = [at("alpha", "x", ABC), at("beta", "x", ABC)]
    curve = curves.curves([judged(gold, [abc("alpha", 0.4)], text=ABC)], ["x"])["x"]
    assert one(curve.area) == pytest.approx(0.5)
    assert one(curve.precision_at(0.8)) == 0
    nothing = curves.curves([judged(gold, [], text=ABC)], ["x"])["x"]
    assert one(nothing.area) == 0


def test_equal_confidence_is_one_threshold_and_equal_text_one_span() -> None:
    gold = [at("alpha", "x", ABC)]
    tied = judged(gold, [abc("alpha", 0.5), abc("beta", 0.5)], text=ABC)
    recalls, precisions = curves.curves([tied], ["x"])["x"].points(np.ones(1))
    assert recalls.tolist() == [0, 1]
    assert precisions.tolist() == [1, 0.5]
    text = "beta beta alpha"
    twice = [FoundSpan(0, 4, "x", 0.3), FoundSpan(5, 9, "x", 0.6), FoundSpan(10, 15, "x", 0.4)]
    repeated = judged([LabelledSpan(10, 15, "x")], twice, text=text)
    curve = curves.curves([repeated], ["x"])["x"]
    assert curve.confidence.tolist() == [0.6, 0.4]
    assert curve.is_right.tolist() == [False, True]


def test_pooled_weighs_spans_and_macro_labels() -> None:
    rare = judged([at("alpha", "r", ABC)], [], "a", ABC)
    words = ("alpha", "beta", "gamma")
    common = judged(
        [at(word, "x", ABC) for word in words], [abc(word, 0.5) for word in words], "b", ABC
    )
    found_curves = curves.curves([rare, common], ["r", "x"])
    assert one(curves.macro(found_curves.values()), 2) == pytest.approx(0.5)
    both = curves.pooled(found_curves.values(), 2)
    assert one(both.area, 2) == pytest.approx(0.75)
    assert one(curves.macro_precision_at(found_curves.values(), 0.8), 2) == pytest.approx(0.5)
    # A resample without the rare label's document has the common label alone.
    assert curves.macro(found_curves.values())(np.array([0.0, 2.0])) == pytest.approx(1)


def test_what_is_delivered_unseen_and_how_far_confidence_is_off() -> None:
    gold = [at("alpha", "x", ABC), at("beta gamma", "x", ABC)]
    given = [
        abc("alpha", 0.95), abc("beta", 0.9), abc("delta", 0.85), abc("epsilon", 0.15)
    ]  # fmt: skip
    exact = verdicts([judged(gold, given, text=ABC)], lambda _: 0.9, "exact")
    assert exact.right.tolist() == [True, False, False, False]
    assert one(exact.accuracy) == 0.5
    assert one(exact.coverage) == 0.5
    # Bins: [0.9, 1]: told 1.85, was 1; [0.8, 0.9): 0.85 and 0; [0.1, 0.2): 0.15 and 0.
    assert one(exact.calibration_error) == pytest.approx((0.85 + 0.85 + 0.15) / 4)
    loose = verdicts([judged(gold, given, text=ABC)], lambda _: 0.9, "overlap")
    assert loose.right.tolist() == [True, True, False, False]
    none = verdicts([judged(gold, given, text=ABC)], lambda _: 0.99, "exact")
    assert math.isnan(one(none.accuracy))
    assert one(none.coverage) == 0


def test_intervals_resample_documents_not_texts() -> None:
    right = judged([at("alpha", "x", ABC)], [abc("alpha", 0.9)], "good", ABC)
    wrong = judged([at("alpha", "x", ABC)], [abc("beta", 0.9)], "bad", ABC)
    rows = [right] * 50 + [wrong] * 50
    found_estimate = estimate(f1(strict_counts(rows), documents_of(rows)), 2, 100)
    assert found_estimate.value == 0.5
    # Two documents: one resample in four has none of either.
    assert found_estimate.interval == (0, 1)
    again = estimate(f1(strict_counts(rows), documents_of(rows)), 2, 100)
    assert again == found_estimate
