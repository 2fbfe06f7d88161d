"""Passages cover the text, fit the embedder, and end between words."""

from __future__ import annotations

import itertools
import random

import pytest
from django.conf import settings
from tokenizers import Tokenizer

from docintel import encoders
from ingestion.chunking import Piece, chunk
from ingestion.passage_headers import fitted, leading

LATIN = [
    "revenue",
    "growth",
    "margin",
    "Costs",
    "rose",
    "by",
    "4.5%",
    "Q2,",
    "U.S.",
    "well-known",
    "naïve",
]
ALPHABETS = {
    "words": [*LATIN, "sales.", "down!\n", "lower;\n\n"],
    "chinese": list("公司收入增长百分之五。利润下降了很多，成本上升。"),
    "hebrew": ["ההכנסות", "עלו", "בחמישה", "אחוזים"],
    "emoji": ["📈", "👩‍👩‍👧‍👦", "🇩🇪", "ok", "✈️"],
    "symbols": list("#@$%^&*()_+-=/\\|<>~`"),
    "marks": ["e\u0301", "\u200b", "\ufeff", "a\u0308", "\u00ad"],
    "thai": ["รายได้", "เพิ่มขึ้น", "ร้อยละ"],
}


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return encoders.tokenizer(settings.EMBEDDING_MODEL)


def random_text(seed: int) -> str:
    chance = random.Random(seed)
    alphabets = chance.sample(sorted(ALPHABETS), chance.randint(1, 3))
    space = chance.choice([" ", " ", "", "\n", " \t ", "\u3000", "\u00a0"])
    words = [chance.choice(ALPHABETS[chance.choice(alphabets)]) for _ in range(1_500)]
    return space.join(words[: chance.choice([1, 2, 60, 700, 1_500])])


def check(text: str, pieces: list[Piece], tokenizer: Tokenizer, limit: int = 512) -> None:
    covered = bytearray(len(text))
    for piece in pieces:
        assert 0 <= piece.start < piece.end <= len(text)
        assert not text[piece.start].isspace()
        assert not text[piece.end - 1].isspace()
        covered[piece.start : piece.end] = b"\1" * (piece.end - piece.start)
        body = piece.header + text[piece.start : piece.end]
        assert len(tokenizer.encode(body).ids) <= limit
        assert piece.header.endswith("\n") or not piece.header
    missing = [c for c, seen in zip(text, covered, strict=True) if not seen and not c.isspace()]
    assert missing == []
    starts = [piece.start for piece in pieces]
    ends = [piece.end for piece in pieces]
    assert starts == sorted(set(starts))
    assert ends == sorted(set(ends))


@pytest.mark.parametrize("seed", range(60))
def test_any_text_is_covered_and_every_passage_fits(seed: int, tokenizer: Tokenizer) -> None:
    text = random_text(seed)
    check(text, chunk(text, [0], [], tokenizer), tokenizer)
    line = leading("Acme", "Annual report", "FY2024")
    pieces = chunk(text, [0], [], tokenizer, max_tokens=128, overlap=16, lead=line)
    assert all(piece.header.startswith(line) for piece in pieces)
    check(text, pieces, tokenizer, 128)


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "公",
        "\u200b",
        "x" * 50_000,
        "ab-" * 20_000,
        "收" * 3_000,
        "a" + " " * 60_000 + "b",
        "word\n" * 3_000,
        "[SEP] </s> <mask> " * 400,
        "é" * 5_000,
        ("y" * 99 + " ") * 500,
        ("z" * 101 + " ") * 5_000,
        "\u200b" * 20_000,
    ],
    ids=lambda text: f"{text[:4]!r}x{len(text)}",
)
def test_odd_texts_are_covered_and_fit(text: str, tokenizer: Tokenizer) -> None:
    check(text, chunk(text, [0], [], tokenizer), tokenizer)


@pytest.mark.parametrize("text", ["", " ", "\n\n \t"])
def test_white_space_has_no_passages(text: str, tokenizer: Tokenizer) -> None:
    assert chunk(text, [0], [], tokenizer) == []


def test_no_word_is_cut(tokenizer: Tokenizer) -> None:
    chance = random.Random(1)
    text = " ".join(chance.choice(LATIN) for _ in range(8_000))
    for piece in chunk(text, [0], [], tokenizer):
        assert piece.start == 0 or text[piece.start - 1].isspace()
        assert piece.end == len(text) or text[piece.end].isspace()


def test_a_passage_prefers_to_end_with_a_sentence(tokenizer: Tokenizer) -> None:
    chance = random.Random(2)
    sentences = [" ".join(chance.choices(LATIN[:3], k=12)) + "." for _ in range(400)]
    text = " ".join(sentences)
    pieces = chunk(text, [0], [], tokenizer)
    assert len(pieces) > 5
    assert all(text[piece.end - 1] == "." for piece in pieces)


def test_neighbours_share_about_the_overlap(tokenizer: Tokenizer) -> None:
    text = " ".join(["revenue"] * 5_000)
    pieces = chunk(text, [0], [], tokenizer)
    for before, after in itertools.pairwise(pieces):
        shared = text[after.start : before.end].split()
        assert len(shared) == 64
    # A line for the statement is reserved, used or not.
    assert 496 <= pieces[0].n_tokens <= 512


def test_page_and_section_are_those_of_the_first_character(tokenizer: Tokenizer) -> None:
    text = "\n".join(["sales grew"] * 2_000)
    pages = list(range(0, len(text), 1_100))
    sections = [{"title": "Item 1", "level": 1, "start": 500}]
    sections.append({"title": "Item 7", "level": 1, "start": 9_000})
    for piece in chunk(text, pages, sections, tokenizer):
        page = pages[piece.page - 1 : piece.page + 1]
        assert page[0] <= piece.start
        assert len(page) == 1 or piece.start < page[1]
        expected = "Item 7" if piece.start >= 9_000 else "Item 1" if piece.start >= 500 else ""
        assert piece.section == expected


def test_a_long_header_is_cut_and_still_ends_its_line(tokenizer: Tokenizer) -> None:
    line = leading("公司" * 80, "Annual report", "FY2024")
    short = fitted(line, tokenizer)
    assert len(tokenizer.encode(short, add_special_tokens=False).ids) <= 96
    assert short.endswith("\n")
    text = "收" * 3_000
    sections = [{"title": "第" * 200, "level": 1, "start": 0}]
    check(text, chunk(text, [0], sections, tokenizer, lead=line), tokenizer)


def test_header_says_who_what_and_when() -> None:
    assert leading("Acme", "Annual report", "FY2024") == "Acme · Annual report · FY2024\n"
    assert leading("", "", "") == ""
    assert leading("Acme", "", "") == "Acme\n"


def test_a_text_of_millions_is_cut_to_its_end(tokenizer: Tokenizer) -> None:
    text = "Revenue rose by 4.5% in the second quarter of 2024, and costs fell.\n" * 30_000
    # Two million characters; measured 1 s on a core of its own.
    assert chunk(text, [0], [], tokenizer)[-1].end == len(text) - 1
