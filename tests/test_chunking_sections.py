"""The path of headings around a passage, and the speakers of a call."""

from __future__ import annotations

import pytest
from django.conf import settings
from test_chunking import check
from tokenizers import Tokenizer

from docintel import encoders
from ingestion.chunking import chunk
from ingestion.parsing.statements import Heading
from ingestion.section_paths import SectionPaths, joined

SPEECH = "We grew sales in every region and we are pleased with the margin of the quarter.\n"


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return encoders.tokenizer(settings.EMBEDDING_MODEL)


def heading(title: str, level: int, start: int, **more: bool) -> dict[str, object]:
    return {"title": title, "level": level, "start": start, **more}


def test_a_path_is_the_chain_of_enclosing_headings() -> None:
    paths = SectionPaths(
        [
            heading("PART II", 1, 0),
            heading("Item 7. MD&A", 2, 10),
            heading("Liquidity", 5, 20),
            heading("Cash  flows", 6, 30),
            heading("Capital", 5, 40),
            heading("Item 8. Statements", 2, 50),
        ]
    )
    path = {at: joined(paths.at(at), 300) for at in (0, 15, 35, 45, 55)}
    assert path == {
        0: "PART II",
        15: "Item 7. MD&A",
        35: "Item 7. MD&A › Liquidity › Cash flows",
        45: "Item 7. MD&A › Capital",
        55: "Item 8. Statements",
    }
    assert paths.at(35)[-1] == Heading("Cash flows", 5)
    assert joined(SectionPaths([heading("Late", 1, 9)]).at(3), 300) == ""


@pytest.mark.parametrize("most", [40, 120, 300])
def test_a_long_path_keeps_both_ends(most: int) -> None:
    headings = [Heading(f"{name} " + "word " * 60, 0) for name in ("Outer", "Middle", "Inner")]
    found = joined(headings, most)
    assert len(found) <= most
    assert found.startswith("O")
    assert "› Inner" in found


def test_a_turn_begins_a_passage_and_all_its_speakers_are_named(tokenizer: Tokenizer) -> None:
    text, sections = "", [heading("Questions and answers", 1, 0)]
    names = ["Jane Doe, CFO", "Raj Patel, Analyst", "Li Wei, CEO"]
    for turn in range(12):
        sections.append(heading(names[turn % 3], 2, len(text), speaker=True))
        text += f"{names[turn % 3]}\n" + SPEECH * (7 if turn % 3 else 18)
    pieces = chunk(text, [0], sections, tokenizer)
    check(text, pieces, tokenizer)
    starts = {section["start"] for section in sections}
    assert sum(piece.start in starts for piece in pieces) >= len(pieces) / 2
    assert all(piece.section.startswith("Questions and answers › ") for piece in pieces)
    assert all(piece.statement == "questions_answers" for piece in pieces)
    for piece in pieces:
        spoken = [s["title"] for s in sections if piece.start < s["start"] < piece.end]
        named = piece.header.split("Speakers: ")[-1]
        assert all(str(name) in named for name in spoken)
    assert any("Speakers: " in piece.header for piece in pieces)


def test_a_hundred_speakers_leave_room_for_what_they_say(tokenizer: Tokenizer) -> None:
    text, sections = "", []
    for turn in range(100):
        sections.append(
            heading(f"Speaker Number {turn}, Vice President", 1, len(text), speaker=True)
        )
        text += "Yes.\n"
    pieces = chunk(text, [0], sections, tokenizer)
    check(text, pieces, tokenizer)
    assert len(pieces) < 10


def test_the_statement_is_named_in_the_header_unless_the_path_says_it(tokenizer: Tokenizer) -> None:
    def header_of(title: str) -> str:
        return chunk(SPEECH, [0], [heading(title, 3, 0)], tokenizer, lead="Acme\n")[0].header

    assert header_of("CONSOLIDATED STATEMENTS OF CASH FLOWS").endswith("\nCash flow statement\n")
    assert header_of("Item 1A. Risk Factors") == "Acme\nItem 1A. Risk Factors\n"
    assert header_of("A letter") == "Acme\nA letter\n"
