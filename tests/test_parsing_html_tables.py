"""A table of a page is lines whose numbers can be told by their heads and their scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ingestion.parsing import Parsed, html
from ingestion.parsing.parsed import Table


def parse(tmp_path: Path, body: str) -> Parsed:
    path = tmp_path / "page.html"
    path.write_text(f"<html><body>{body}</body></html>")
    parsed = html.parse(path, 5_000_000)
    for table in parsed.tables:
        check(parsed.text, table)
    return parsed


def check(text: str, table: Table) -> None:
    """Rows are whole lines, ascending, inside the table, and do not overlap."""
    position = table["start"]
    for start, end in table["rows"]:
        assert position <= start < end <= table["end"]
        assert "\n" not in text[start:end]
        assert start == 0 or text[start - 1] == "\n"
        assert end == len(text) or text[end] == "\n"
        position = end


def rows(parsed: Parsed, number: int = 0) -> list[str]:
    return [parsed.text[start:end] for start, end in parsed.tables[number]["rows"]]


def row(*cells: Any) -> str:
    """Cells as td; a pair is (words, colspan)."""
    parts = [cell if isinstance(cell, tuple) else (cell, 1) for cell in cells]
    return "<tr>" + "".join(f'<td colspan="{n}">{words}</td>' for words, n in parts) + "</tr>"


def test_heads_over_several_columns_are_repeated_over_each(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path,
        "<p><b>CONSOLIDATED STATEMENTS OF OPERATIONS</b></p><p>(In millions, except per-share "
        "amounts)</p><table>"
        + row(("", 3), ("Three Months Ended", 7), ("", 1), ("Six Months Ended", 7))
        + row(("", 3), ("June 30,<br>2024", 3), "", ("June 30, 2023", 3), "", ("June 30, 2024", 3),
              "", ("June 30, 2023", 3))
        + row(("Net sales", 3), "$", "1,204", "", "", "$", "1,180", "", "", "$", "2,400", "", "",
              "$", "2,300", "")
        + row(("Operating loss", 3), "", "(12", ")", "", "", "(9", ")", "", "", "(20", ")", "", "",
              "—", "")
        + "</table>",
    )  # fmt: skip
    (table,) = parsed.tables
    assert table["heads"] == (
        "Three Months Ended June 30, 2024 | Three Months Ended June 30, 2023"
        " | Six Months Ended June 30, 2024 | Six Months Ended June 30, 2023"
    )
    assert table["scale"] == "In millions, except per-share amounts"
    assert table["caption"] == "CONSOLIDATED STATEMENTS OF OPERATIONS"
    assert rows(parsed) == [
        "Net sales | $1,204 | $1,180 | $2,400 | $2,300",
        "Operating loss | (12) | (9) | (20) | —",
    ]
    assert parsed.text[table["start"] :].startswith("Three Months Ended | Six Months Ended\n")


def test_marked_heads_and_caption(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path,
        "<table><caption>Sales by region (in thousands)</caption><thead><tr><th>Region</th>"
        "<th>2024</th><th>2023</th></tr></thead><tbody><tr><th scope=row>East</th><td>1</td>"
        "<td>2</td></tr><tr><th scope=row>West</th><td>3</td><td>4</td></tr></tbody></table>",
    )
    (table,) = parsed.tables
    assert (table["caption"], table["scale"]) == ("Sales by region (in thousands)", "in thousands")
    assert table["heads"] == "Region | 2024 | 2023"
    assert rows(parsed) == ["East | 1 | 2", "West | 3 | 4"]


@pytest.mark.parametrize(
    ("before", "corner", "scale"),
    [
        ("", "(Dollars in thousands)", "Dollars in thousands"),
        ("", "Millions, except per share amounts", "Millions, except per share amounts"),
        ("<p>Sales were as follows (in billions):</p>", "", "in billions"),
        ("<p>Expressed in thousands of U.S. dollars</p>", "", "Expressed in thousands of U.S. dol"),
        ("", "(000s omitted)", "000s omitted"),
        ("", "$ million", "$ million"),
        ("<p>We employ millions of people in 4 countries.</p>", "", ""),
        ("", "", ""),
    ],
)
def test_the_scale_is_found_in_heads_or_above(
    tmp_path: Path, before: str, corner: str, scale: str
) -> None:
    body = row(corner, "2024", "2023") + row("Sales", "4", "3") + row("Costs", "2", "1")
    parsed = parse(tmp_path, f"{before}<table>{body}</table>")
    found = parsed.tables[0]["scale"]
    assert found.startswith(scale) if scale else not found
    assert rows(parsed) == ["Sales | 4 | 3", "Costs | 2 | 1"]


def test_groups_of_rows_are_lines_of_the_body(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path,
        "<table>" + row("", "2024", "2023") + row("ASSETS") + row("Cash", "$ 1", "$ 2")
        + row("Total", "9%", "8%") + "</table>",
    )  # fmt: skip
    assert rows(parsed) == ["ASSETS", "Cash | $ 1 | $ 2", "Total | 9% | 8%"]
    assert parsed.tables[0]["heads"] == "2024 | 2023"


def test_a_table_that_only_places_text_is_text(tmp_path: Path) -> None:
    prose = "A sentence of some length that goes on. " * 8
    parsed = parse(
        tmp_path,
        f"<table><tr><td>•</td><td>{prose}</td></tr></table>"
        f"<table><tr><td><p>{prose}</p><p>{prose}</p></td><td><p>Right</p></td></tr></table>"
        "<table role=presentation><tr><td>One</td><td>2</td></tr><tr><td>Two</td><td>3</td></tr>"
        "</table><table><tr><td>alone</td></tr><tr><td>below</td></tr></table>",
    )
    assert parsed.tables == []
    assert " | " not in parsed.text
    assert f"• {prose.strip()}" in parsed.text
    assert "alone\nbelow" in parsed.text


def test_a_table_within_a_layout_table_is_a_table(tmp_path: Path) -> None:
    inner = (
        "<table>" + row("", "2024") + row("Sales", "$", "7") + row("Costs", "", "5") + "</table>"
    )
    parsed = parse(
        tmp_path, f"<table><tr><td><p>Left column</p>{inner}</td><td>{inner}</td></tr></table>"
    )
    assert len(parsed.tables) == 2
    assert rows(parsed, 1) == ["Sales | $7", "Costs | 5"]
    assert parsed.text.count("Left column") == 1


def test_a_page_list_is_no_table(tmp_path: Path) -> None:
    body = "".join(row(f"Item {n}.", f"Chapter {n}", str(3 * n)) for n in range(1, 9))
    assert parse(tmp_path, f"<table>{body}</table>").tables == []


def test_a_label_beside_several_rows_is_in_each(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path,
        "<table><tr><td></td><td>Quarter</td><td>Sales</td></tr><tr><td rowspan=2>East</td>"
        "<td>Q1</td><td>10</td></tr><tr><td>Q2</td><td>20</td></tr></table>",
    )
    assert rows(parsed) == ["East | Q1 | 10", "East | Q2 | 20"]


def test_stray_words_and_missing_tags_lose_nothing(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path,
        "<table>stray<tr>between<td>Sales<td>4<td>3<tr><td>Costs<td>2<td>1</table>after"
        "<td>alone</td><tr><td>lost</table>",
    )
    words = parsed.text.replace("|", " ").split()
    assert sorted(words) == sorted(
        ["stray", "between", "Sales", "4", "3", "Costs", "2", "1", "after", "alone", "lost"]
    )


def test_columns_set_by_blanks_keep_their_lines(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path,
        "<div><table><caption>\n             (in millions)        2000      1999\n</caption><s>   "
        "                          <c>       <c>\nPremium income                20,771    14,980\n"
        "Investment income              9,612     6,690\nNet income                     "
        "2,066     1,570\n</table></div>",
    )
    assert "Premium income                20,771    14,980" in parsed.text.split("\n")
    assert len(rows(parsed)) == 3


@pytest.mark.parametrize(
    "body",
    [
        "".join(row(f"Row {n}", f"{n},000", "5") for n in range(10_000)),
        row("", *[str(n) for n in range(1_000)]) * 40,
        '<tr><td rowspan="65534" colspan="1000">a</td><td>1</td></tr>' * 3_000,
    ],
    ids=["10,000 rows", "1,000 columns", "spans"],
)
def test_huge_tables_are_read(tmp_path: Path, body: str) -> None:
    parsed = parse(tmp_path, f"<table>{body}</table>")
    assert len(parsed.text) > 3_000
    assert len(parsed.text) < 3 * len(body)


def test_tables_nested_very_deeply_are_read(tmp_path: Path) -> None:
    deep = "<table><tr><td>1</td><td>" * 400 + "inmost" + "</td></tr></table>" * 400
    assert "inmost" in parse(tmp_path, deep).text


@pytest.mark.data
def test_statements_of_real_filings_have_heads_and_scale(data: Path) -> None:
    parsed = html.parse(data / "filings_html/xom-10-q-2025-08-04.html", 20_000_000)
    flows = next(t for t in parsed.tables if t["caption"].endswith("STATEMENT OF CASH FLOWS"))
    assert flows["heads"] == "Six Months Ended June 30, 2025 | Six Months Ended June 30, 2024"
    assert flows["scale"] == "millions of dollars"
    for table in parsed.tables:
        check(parsed.text, table)
    assert parsed.text.count("Net cash provided by operating activities | 24,503 | 25,224") == 1


@pytest.mark.data
def test_every_real_filing_is_read_with_sound_tables(data: Path) -> None:
    files = sorted((data / "filings_html").iterdir())
    found = 0
    for path in files:
        parsed = html.parse(path, 20_000_000)
        found += len(parsed.tables)
        ends = [0, *(table["end"] for table in parsed.tables)]
        assert all(t["start"] >= end for t, end in zip(parsed.tables, ends, strict=False))
        for table in parsed.tables:
            check(parsed.text, table)
        starts = [section["start"] for section in parsed.sections]
        assert starts == sorted(starts)
        assert all(0 <= start < len(parsed.text) for start in starts)
    assert len(files) > 40
    assert found > 500
