"""Relations are scored as KPI-EDGAR scores them; the rules for figures reach what was measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from extraction.layouts import layout_of_text
from extraction.ml.spans import FoundSpan
from extraction.relating import relate
from extraction.schema import bundled
from training.evaluation.relation_scores import Counts, Related, count, total

TEXT = "net sales of goods were 5 million and 4 million"
SALES, GOODS = (0, 18, "kpi"), (13, 18, "kpi")
FIVE, FOUR = (24, 25, "cy"), (38, 39, "py")


def test_the_same_pairs_are_all_right_whatever_their_direction() -> None:
    scores = count(TEXT, [(SALES, FIVE), (SALES, FOUR)], [(FOUR, SALES), (FIVE, SALES)])
    assert (scores.strict, scores.adjusted) == (1.0, 1.0)
    assert count(TEXT, [], []) == Counts()
    assert Counts().strict == 1.0
    assert total([]) == Counts()


def test_half_a_span_is_no_strict_pair_but_counts_by_its_words() -> None:
    # 1 of 4 words and 1 of 1, none too many.
    scores = count(TEXT, [(SALES, FIVE)], [(GOODS, FIVE)])
    assert (scores.right, scores.strict) == (0, 0.0)
    assert scores.adjusted_right == pytest.approx(0.625)
    assert scores.adjusted_wrong == 0.0
    assert scores.adjusted_missed == pytest.approx(0.375)
    # The other way round all is covered, and 3 of 4 words of one span are too many.
    scores = count(TEXT, [(GOODS, FIVE)], [(SALES, FIVE)])
    assert scores.adjusted_right == 1.0
    assert scores.adjusted_wrong == pytest.approx(0.375)
    assert scores.adjusted == pytest.approx(2 / 2.375)


def test_labels_count() -> None:
    scores = count(TEXT, [(SALES, FIVE)], [(SALES, (24, 25, "py"))])
    assert (scores.strict, scores.adjusted) == (0.0, 0.0)
    assert (scores.adjusted_wrong, scores.adjusted_missed) == (1.0, 1.0)


def test_one_found_pair_may_serve_two_and_what_serves_none_is_wrong() -> None:
    gold = [(SALES, FIVE), (SALES, (38, 39, "cy"))]
    scores = count(TEXT, gold, [(SALES, (24, 39, "cy")), (SALES, (26, 33, "cy"))])
    assert scores.adjusted_right == pytest.approx(2.0)
    # 3 of 4 words too many in one of two spans, for each of the two; one pair serves none.
    assert scores.adjusted_wrong == pytest.approx(2 * 0.375 + 1)
    assert scores.found == 2


def test_the_order_of_pairs_changes_nothing() -> None:
    gold: list[Related] = [(SALES, FIVE), (GOODS, FOUR)]
    found: list[Related] = [(GOODS, FIVE), (SALES, FOUR), (SALES, FIVE)]
    assert count(TEXT, gold, found) == count(TEXT, gold[::-1], [*found[::-1], found[0]])


def test_sums_are_over_pairs_not_texts() -> None:
    good = count(TEXT, [(SALES, FIVE)], [(SALES, FIVE)])
    bad = count(TEXT, [(SALES, FIVE), (SALES, FOUR)], [])
    assert total([good, bad]).strict == pytest.approx(0.5)


VALUES = ("cy", "py", "py1", "increase", "increase_py", "decrease", "decrease_py")
LINKS = {
    **dict.fromkeys(VALUES, ("kpi", "kpi_coref", "thereof")),
    "attr": ("kpi", "kpi_coref", "thereof"),
}


def gold_of(row: dict[str, Any]) -> tuple[str, list[FoundSpan], list[Related]]:
    """A sentence, its spans, and its pairs: the same index, or for a part that of its figure."""
    text, spans, index = "", [], []
    last = None
    for token, mark in zip(row["tokens"], row["labels"], strict=True):
        start = len(text)
        text += f"{token} "
        words = [word for word in (mark or "").split("_") if word and not word.isnumeric()]
        label = "_".join(words)
        if mark and mark == last and spans:
            spans[-1] = FoundSpan(spans[-1].start, start + len(token), label, 1.0)
        elif label in (*LINKS, "kpi", "kpi_coref", "thereof"):
            spans.append(FoundSpan(start, start + len(token), label, 1.0))
            index.append(tuple(part for part in mark.split("_") if part.isnumeric()))
        last = mark
    pairs: list[Related] = []
    for head, at in zip(spans, index, strict=True):
        for tail, to in zip(spans, index, strict=True):
            part = head.label == "thereof" and tail.label in ("kpi", "kpi_coref") and at[:-1] == to
            if part or (tail.label in LINKS.get(head.label, ()) and at == to):
                pairs.append((as_scored(head), as_scored(tail)))
    return text, spans, pairs


def as_scored(span: FoundSpan) -> tuple[int, int, str]:
    return span.start, span.end, span.label


@pytest.mark.data
@pytest.mark.parametrize(("part", "least"), [("train", 0.94)])
def test_values_find_their_figures_among_gold_spans(data: Path, part: str, least: float) -> None:
    spec = bundled("kpis")
    counts = []
    for line in (data / "kpi_edgar" / "sentences.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["split"] != part or "delete" in row["labels"]:
            continue
        text, spans, gold = gold_of(row)
        found = [
            (as_scored(spans[each.head]), as_scored(spans[each.tail]))
            for each in relate(text, spans, layout_of_text(text), spec)
        ]
        counts.append(count(text, gold, found))
    whole = total(counts)
    assert whole.gold > 2_000
    assert whole.strict >= least
    assert whole.adjusted >= whole.strict
