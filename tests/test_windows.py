"""Every token is in a window, offsets lead back to the text, words have the tags of their spans."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from extraction.ml.shapes import NAMES, shapes
from extraction.ml.spans import LabelledSpan
from extraction.ml.tags import BadLabels, TagScheme, read_tags, tag_words
from extraction.ml.windows import Reader, Window, cut
from tests.tiny_taggers import tiny_encoder


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return Reader(tiny_encoder(tmp_path_factory.mktemp("tiny")))


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 149, 150, 151, 1_000, 12_345])
def test_windows_cover_every_token_and_are_full(count: int) -> None:
    windows = cut(count)
    covered = {at for window in windows for at in range(window.start, window.end)}
    assert covered == set(range(count))
    assert {window.end - window.start for window in windows} <= {min(count, 100)}
    steps = [b.start - a.start for a, b in itertools.pairwise(windows)]
    assert all(0 < step <= 50 for step in steps)


def test_a_stride_that_leaves_gaps_is_refused() -> None:
    with pytest.raises(ValueError, match="gaps"):
        cut(500, length=100, stride=101)


def test_words_lead_back_to_their_characters(reader: Reader) -> None:
    text = "Net revenue was $ 1,234.5 million (up 12%).\n\tCash"
    read = reader.read(text)
    words = [text[s:e] for s, e in zip(read.starts, read.ends, strict=True)]
    assert words == [
        "Net",
        "revenue",
        "was",
        "$",
        "1,234.5",
        "million",
        "(",
        "up",
        "12",
        "%",
        ")",
        ".",
        "Cash",
    ]
    assert reader.rows(read, Window(0, 2)) == [2, *read.ids[:2].tolist(), 3]


def test_a_text_without_words_has_no_windows(reader: Reader) -> None:
    for text in ("", "  \n\t "):
        read = reader.read(text)
        assert len(read.firsts) == 0
        assert read.windows() == []


def test_the_shape_of_a_word_tells_figures_and_capitals(reader: Reader) -> None:
    found = shapes(reader.read("Net USD $ 12.5 million 2020 (5 %)"))
    named = {name: found[:, at].tolist() for at, name in enumerate(NAMES)}
    assert named["capital"][:2] == [1, 1]
    assert named["all_capitals"][:2] == [0, 1]
    assert named["after_currency"].index(1) == 3
    assert named["before_scale"].index(1) == 3
    assert named["year"].index(1) == 5
    assert named["before_percent"].index(1) == named["in_brackets"].index(1) == 7


SCHEME = TagScheme((("a", "b"), ("c",)))


def test_spans_of_different_groups_nest_and_come_back(reader: Reader) -> None:
    text = "net revenue was 12 million"
    spans = [LabelledSpan(0, 26, "c"), LabelledSpan(4, 11, "a"), LabelledSpan(16, 18, "b")]
    tags, notes = tag_words(reader.read(text), spans, SCHEME)
    assert notes == []
    assert tags[:, 0].tolist() == [0, 1, 0, 3, 0]
    assert tags[:, 1].tolist() == [1, 2, 2, 2, 2]
    assert read_tags(tags[:, 0].tolist()) == [(1, 2, 1), (3, 4, 3)]


def test_two_spans_side_by_side_stay_two(reader: Reader) -> None:
    spans = [LabelledSpan(0, 3, "a"), LabelledSpan(4, 11, "a")]
    tags, _ = tag_words(reader.read("net revenue"), spans, SCHEME)
    assert read_tags(tags[:, 0].tolist()) == [(0, 1, 1), (1, 2, 1)]


def test_of_overlapping_spans_in_one_group_the_longer_stays_and_it_is_noted(
    reader: Reader,
) -> None:
    spans = [LabelledSpan(4, 11, "a"), LabelledSpan(0, 11, "b"), LabelledSpan(3, 4, "a")]
    tags, notes = tag_words(reader.read("net revenue"), spans, SCHEME)
    assert tags[:, 0].tolist() == [3, 4]
    assert len(notes) == 2
    assert "overlaps" in notes[0]
    assert "no word" in notes[1]


def test_spans_outside_the_text_and_unknown_labels_are_errors(reader: Reader) -> None:
    read = reader.read("net revenue")
    with pytest.raises(BadLabels, match="not within the text"):
        tag_words(read, [LabelledSpan(4, 12, "a")], SCHEME)
    with pytest.raises(BadLabels, match="'z'"):
        tag_words(read, [LabelledSpan(0, 3, "z")], SCHEME)


def test_schemes_without_labels_or_with_two_of_one_name_are_errors() -> None:
    with pytest.raises(BadLabels, match="no labels"):
        TagScheme(())
    with pytest.raises(BadLabels, match="'a'"):
        TagScheme((("a",), ("b", "a")))


def test_real_tokenizers_read_their_own_surroundings(data: Path) -> None:
    from django.conf import settings

    folder = settings.MODELS_DIR / "all-MiniLM-L6-v2"
    if not folder.is_dir():
        pytest.skip("MiniLM is not unpacked")
    reader = Reader(folder)
    assert (reader.prefix, reader.suffix, reader.pad) == ((101,), (102,), 0)
    text = next((data / "cuad" / "contracts").glob("*.txt")).read_text(errors="replace")
    read = reader.read(text)
    assert len(read.windows()) > 2
    assert (read.firsts[1:] > read.firsts[:-1]).all()
    assert all(text[s:e].strip() == text[s:e] for s, e in zip(read.starts, read.ends, strict=True))
