"""A passage is cut into three sentences or rows at a time, and nothing of it is lost."""

from __future__ import annotations

import pytest

from ingestion.sentence_windows import SIZE, windows


def shown(text: str, start: int = 0, end: int | None = None) -> list[str]:
    return [text[low:high] for low, high in windows(text, start, len(text) if end is None else end)]


def test_three_sentences_and_two_further_on_the_next() -> None:
    text = "One ran. Two fell. Three rose. Four sank. Five stayed. Six left."
    assert shown(text) == [
        "One ran. Two fell. Three rose.",
        "Three rose. Four sank. Five stayed.",
        "Five stayed. Six left.",
    ]


def test_rows_are_units_like_sentences() -> None:
    text = "Net sales | 12 | 11\nCost of sales | 7 | 6\nGross profit | 5 | 5\nOther | 1 | 2"
    assert shown(text) == [
        "Net sales | 12 | 11\nCost of sales | 7 | 6\nGross profit | 5 | 5",
        "Gross profit | 5 | 5\nOther | 1 | 2",
    ]


def test_a_sentence_broken_into_lines_is_one() -> None:
    text = "Sales rose because prices\nwere higher in the second\nquarter. Costs fell.\nIt rained."
    assert len(shown(text)) == 1
    assert shown(text + " Dry. Wet. Cold.")[0] == text


def test_a_paragraph_ends_a_line_that_ends_no_sentence() -> None:
    text = "Outlook\n\nSales will rise. Costs will fall. Cash will grow."
    assert shown(text)[0] == "Outlook\n\nSales will rise. Costs will fall."


@pytest.mark.parametrize("text", ["", " \n \n", "\n\n\t"])
def test_a_blank_passage_has_none(text: str) -> None:
    assert windows(text, 0, len(text)) == []


@pytest.mark.parametrize("text", ["word", "no stop at all " * 200, "株価。売上。利益。費用。"])
def test_other_texts_keep_all_their_characters(text: str) -> None:
    found = windows(text, 0, len(text))
    assert set(range(len(text.rstrip()))) <= {at for low, high in found for at in range(low, high)}


@pytest.mark.parametrize("sentences", range(1, 12))
def test_nothing_outside_and_nothing_left_out(sentences: int) -> None:
    before, after = "Before it. ", " After it."
    middle = " ".join(f"Sentence {n} says so." for n in range(sentences))
    text = before + middle + after
    start, end = len(before), len(before) + len(middle)
    found = windows(text, start, end)
    assert (found[0][0], found[-1][1]) == (start, end)
    assert all(text[low:high].count("says so.") <= SIZE for low, high in found)
    assert {n for n in range(sentences) for low, high in found if f" {n} " in text[low:high]} == (
        set(range(sentences))
    )


def test_many_lines_are_cut_in_linear_time() -> None:
    text = "word " * 20 + "\n" + "a | 1\n" * 5_000 + "short line\n" * 5_000
    found = windows(text, 0, len(text))
    assert found[-1][1] >= len(text.rstrip())
