"""No row is cut, a passage within a table knows its columns, and a part of a report begins one."""

from __future__ import annotations

import itertools
import random

import pytest
from django.conf import settings
from test_chunking import check
from tokenizers import Tokenizer, models, pre_tokenizers

from docintel import encoders
from ingestion.chunking import Piece, chunk
from ingestion.parsing.parsed import Table
from ingestion.passage_headers import leading

PROSE = "Sales of the segment grew in the year because prices rose and volumes held up well.\n"
LABELS = ["Net sales", "Cost of sales, excluding items", "Gross", "Rent – 零售", "Taxes (benefit)"]


def table(start: int, rows: list[str], heads: str = "2023 2022", caption: str = "") -> Table:
    """Caption and heads as lines of their own, then the rows; the text is `text_of` it."""
    lines = [line for line in (caption, heads) if line]
    at = start + sum(len(line) + 1 for line in lines)
    spans = []
    for row in rows:
        spans.append((at, at + len(row)))
        at += len(row) + 1
    return Table(
        start=start, end=at - 1, caption=caption, heads=heads, scale="in millions", rows=spans
    )


def with_tables(parts: list[str | tuple[list[str], str]]) -> tuple[str, list[Table]]:
    text, tables = "", []
    for part in parts:
        if isinstance(part, str):
            text += part
            continue
        rows, caption = part
        tables.append(table(len(text), rows, caption=caption))
        text += "\n".join([*filter(None, [caption, "2023 2022"]), *rows]) + "\n"
    return text, tables


def rows_of(chance: random.Random, n: int) -> list[str]:
    return [
        f"{chance.choice(LABELS)} {' '.join(chance.choices(LABELS, k=chance.randrange(4)))}"
        f" | {chance.randrange(10**6):,} | ({chance.randrange(10**6):,})"
        for _ in range(n)
    ]


def cut_rows(pieces: list[Piece], tables: list[Table]) -> list[tuple[int, int]]:
    """Rows in whose middle some passage begins or ends."""
    edges = {edge for piece in pieces for edge in (piece.start, piece.end)}
    rows = [row for found in tables for row in found["rows"]]
    return [(start, end) for start, end in rows if any(start < edge < end for edge in edges)]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return encoders.tokenizer(settings.EMBEDDING_MODEL)


@pytest.fixture(scope="module")
def byte_tokenizer() -> Tokenizer:
    """No WordPiece: every byte is a token."""
    letters = pre_tokenizers.ByteLevel.alphabet()
    found = Tokenizer(models.BPE({letter: n for n, letter in enumerate(letters)}, []))
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return found


@pytest.mark.parametrize("seed", range(40))
def test_no_row_is_cut(seed: int, tokenizer: Tokenizer) -> None:
    chance = random.Random(seed)
    parts: list[str | tuple[list[str], str]] = []
    for _ in range(chance.randrange(1, 6)):
        parts.append(PROSE * chance.randrange(12))
        caption = chance.choice(["", "Consolidated sales by region"])
        parts.append((rows_of(chance, chance.choice([1, 3, 12, 40, 120])), caption))
    text, tables = with_tables(parts)
    limit = chance.choice([512, 256, 192])
    line = leading("Acme", "Annual report", "FY2023")
    pieces = chunk(text, [0], [], tokenizer, tables=tables, max_tokens=limit, lead=line)
    check(text, pieces, tokenizer, limit)
    assert cut_rows(pieces, tables) == []


def test_no_row_is_cut_by_another_kind_of_tokenizer(byte_tokenizer: Tokenizer) -> None:
    text, tables = with_tables([PROSE * 3, (rows_of(random.Random(1), 60), "Sales")])
    pieces = chunk(text, [0], [], byte_tokenizer, tables=tables, max_tokens=900)
    check(text, pieces, byte_tokenizer, 900)
    assert cut_rows(pieces, tables) == []


def test_a_row_longer_than_a_passage_is_cut_and_its_neighbours_are_not(
    tokenizer: Tokenizer,
) -> None:
    rows = ["Sales | 1 | 2", "A very long row " * 400 + "| 1", "Costs | 3 | 4", *["Tax | 5"] * 9]
    text, tables = with_tables([PROSE, (rows, "")])
    pieces = chunk(text, [0], [], tokenizer, tables=tables)
    check(text, pieces, tokenizer)
    assert cut_rows(pieces, tables) == [tables[0]["rows"][1]]


def test_within_a_table_the_header_names_caption_scale_and_columns(tokenizer: Tokenizer) -> None:
    text, tables = with_tables([(rows_of(random.Random(3), 90), "Sales by region")])
    first, *others = chunk(text, [0], [], tokenizer, tables=tables)
    assert first.header == ""
    assert others
    for piece in others:
        assert piece.header == "Sales by region · in millions · 2023 2022\n"
        assert "Sales by region" not in text[piece.start : piece.end]


def test_column_heads_without_end_leave_room_for_the_rows(tokenizer: Tokenizer) -> None:
    rows = rows_of(random.Random(4), 60)
    text, tables = with_tables([(rows, "")])
    tables[0]["heads"] = "Column of many words " * 500
    pieces = chunk(text, [0], [], tokenizer, tables=tables, lead=leading("Acme", "", ""))
    check(text, pieces, tokenizer)
    assert max(len(tokenizer.encode(piece.header).ids) for piece in pieces) < 200


def test_a_table_that_fits_is_not_divided(tokenizer: Tokenizer) -> None:
    text, tables = with_tables([PROSE * 15, (rows_of(random.Random(5), 14), "Sales"), PROSE * 9])
    pieces = chunk(text, [0], [], tokenizer, tables=tables)
    start, end = tables[0]["start"], tables[0]["end"]
    assert any(piece.start == start and piece.end >= end for piece in pieces)


def test_neighbours_in_a_table_share_whole_rows(tokenizer: Tokenizer) -> None:
    text, tables = with_tables([(rows_of(random.Random(6), 120), "")])
    pieces = chunk(text, [0], [], tokenizer, tables=tables)
    starts = {start for start, _ in tables[0]["rows"]}
    assert all(piece.start in starts for piece in pieces[1:])
    assert any(after.start < before.end for before, after in itertools.pairwise(pieces))


def test_touching_and_empty_tables_are_no_harm(tokenizer: Tokenizer) -> None:
    text, tables = with_tables([(["A | 1"] * 80, ""), (["B | 2"] * 80, ""), PROSE])
    tables.append(Table(start=5, end=5, caption="", heads="", scale="", rows=[]))
    tables.sort(key=lambda found: found["start"])
    check(text, chunk(text, [0], [], tokenizer, tables=tables), tokenizer)


def test_a_statement_begins_a_passage(tokenizer: Tokenizer) -> None:
    text = PROSE * 12
    start = len(text)
    text += "Consolidated Balance Sheets\nTotal assets 5 4\n" + PROSE * 12
    sections = [
        {"title": "Item 8. Financial Statements", "level": 2, "start": 0},
        {"title": "Consolidated Balance Sheets", "level": 3, "start": start},
    ]
    pieces = chunk(text, [0], sections, tokenizer)
    check(text, pieces, tokenizer)
    found = next(piece for piece in pieces if piece.start == start)
    assert found.statement == "balance_sheet"
    assert found.section == "Item 8. Financial Statements › Consolidated Balance Sheets"
    assert all(piece.end <= start or piece.start >= start for piece in pieces)
