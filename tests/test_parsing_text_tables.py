"""Tables of plain text and Markdown are found where they stand; no character is moved."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from ingestion.parsing import Parsed, detect, fixed_width, html, text

TAGGED = """\
                                   ACME CORP.
<TABLE>
<CAPTION>
                       SELECTED DATA (in thousands)
                                        Years ended December 31,
                                        1996              1995
                                     ----------        ----------
<S>                                  <C>               <C>
Net sales ........................    $ 12,040          $ 11,800
Cost of sales:
   Materials .....................       8,000             7,900
   Labor .........................      (1,200)                -
                                     ----------        ----------
Gross profit .....................    $  2,840          $  3,900
                                     ==========        ==========
</TABLE>
Ordinary words follow here.
"""


def parse(tmp_path: Path, words: str, media_type: str = detect.TEXT) -> Parsed:
    path = tmp_path / "a.txt"
    path.write_text(words)
    return text.parse(path, media_type, 1_000_000)


def rows(parsed: Parsed) -> list[str]:
    return [" ".join(parsed.text[a:b].split()) for a, b in parsed.tables[0]["rows"]]


def test_tagged_columns(tmp_path: Path) -> None:
    parsed = parse(tmp_path, TAGGED)
    (table,) = parsed.tables
    assert parsed.text == TAGGED.strip("\n")
    assert table["scale"] == "in thousands"
    assert table["heads"] == "Years ended December 31, 1996 | Years ended December 31, 1995"
    assert [row.replace(".", "").split()[0] for row in rows(parsed)] == [
        "Net", "Cost", "Materials", "Labor", "Gross",
    ]  # fmt: skip
    assert "Ordinary" not in parsed.text[table["start"] : table["end"]]


def test_columns_without_tags(tmp_path: Path) -> None:
    words = textwrap.dedent("""\
        The year went well, and here is how it ended for all of the segments that we report.

        Results by segment
        ($ in millions)
                              Q2 2024     Q2 2023
        Steel                   1,204       1,180
        Paper                      12           9
        Total                   1,216       1,189

        After that came the summer.
        """)
    parsed = parse(tmp_path, words)
    (table,) = parsed.tables
    assert table["heads"] == "Q2 2024 | Q2 2023"
    assert table["scale"] == "$ in millions"
    assert rows(parsed) == ["Steel 1,204 1,180", "Paper 12 9", "Total 1,216 1,189"]


def test_markdown_bars(tmp_path: Path) -> None:
    words = (
        "# Note\n\n**Sales (in millions)**\n\n| Segment | 2024 | 2023 |\n|---|---:|:--:|\n"
        "| Steel | 4 | 3 |\n| Paper | 2 | 1 |\n\nText | with a bar\n"
    )
    parsed = parse(tmp_path, words, detect.MARKDOWN)
    (table,) = parsed.tables
    assert table["heads"] == "Segment | 2024 | 2023"
    assert table["scale"] == "in millions"
    assert table["caption"] == "Sales (in millions)"
    assert [parsed.text[a:b] for a, b in table["rows"]] == [
        "| Steel | 4 | 3 |",
        "| Paper | 2 | 1 |",
    ]


@pytest.mark.parametrize(
    "words",
    [
        "Sales rose to 12 from 11.\n\n  Indented words, 4 of them.\n" * 20,
        "1.  First point   of many\n2.  Second point\n3.  Third point\n" * 5,
        "x" * 100_000,
        " " * 100_000 + "1  2  3",
        "\n" * 100_000,
    ],
)
def test_running_text_has_no_tables(words: str) -> None:
    assert fixed_width.tables(words) == []


def test_a_long_table_is_one(tmp_path: Path) -> None:
    words = "".join(f"Line {n:<20}  {n:>9,}  {2 * n:>9,}\n" for n in range(1, 20_001))
    parsed = parse(tmp_path, words)
    assert len(parsed.tables) == 1
    assert len(parsed.tables[0]["rows"]) == 20_000


@pytest.mark.data
def test_a_filing_of_the_nineties_keeps_its_columns(data: Path) -> None:
    parsed = html.parse(data / "filings_html/0000928385-01-500187.html", 20_000_000)
    selected = next(
        table
        for table in parsed.tables
        if "Premium income  " in parsed.text[table["start"] : table["end"]]
    )
    lines = parsed.text[selected["start"] : selected["end"]].split("\n")
    wanted = ["Premium", "income", "20,771", "14,980", "11,550", "9,532", "7,579"]
    assert wanted in [line.split() for line in lines]
    assert len(parsed.tables) > 90
