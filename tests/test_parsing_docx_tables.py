"""Tables of a Word file keep heads and scale, and its hidden words are not read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from docx import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.shared import Pt, RGBColor

from ingestion.parsing import Parsed, docx


def parse(tmp_path: Path, document: Any) -> Parsed:
    document.save(str(tmp_path / "a.docx"))
    return docx.parse(tmp_path / "a.docx", 5_000_000)


def add_table(document: Any, rows: list[list[str]]) -> Any:
    table = document.add_table(rows=len(rows), cols=len(rows[0]))
    for row, words in zip(table.rows, rows, strict=True):
        for cell, word in zip(row.cells, words, strict=True):
            cell.text = word
    return table


def test_rows_heads_and_scale(tmp_path: Path) -> None:
    document = Document()
    document.add_paragraph("Segment results (in millions)")
    table = add_table(
        document,
        [
            ["", "Year ended June 30,", "", ""],
            ["", "2024", "2023", "Change"],
            ["Steel", "1,204", "1,180", "2%"],
            ["Total", "(12)", "—", "n/a"],
        ],
    )
    table.rows[0].cells[1].merge(table.rows[0].cells[2])
    document.add_paragraph("After")
    parsed = parse(tmp_path, document)
    (found,) = parsed.tables
    assert found["caption"] == "Segment results (in millions)"
    assert found["scale"] == "in millions"
    assert found["heads"] == "Year ended June 30, 2024 | Year ended June 30, 2023 | Change"
    assert [parsed.text[start:end] for start, end in found["rows"]] == [
        "Steel | 1,204 | 1,180 | 2%",
        "Total | (12) | — | n/a",
    ]
    assert parsed.text[found["start"] : found["end"]].startswith("Year ended June 30,\n2024 | ")
    assert parsed.text.endswith("\nAfter")


def test_a_table_that_only_places_text_is_no_table(tmp_path: Path) -> None:
    document = Document()
    add_table(document, [["Prepared by", "R. Analyst"]])
    add_table(document, [["word " * 120 + "\nword", "Side"], ["More", "Text"]])
    parsed = parse(tmp_path, document)
    assert parsed.tables == []
    assert "word | " not in parsed.text


@pytest.mark.parametrize("how", ["vanish", "white", "tiny", "style"])
def test_hidden_words_are_not_read(tmp_path: Path, how: str) -> None:
    document = Document()
    paragraph = document.add_paragraph("seen ")
    run = paragraph.add_run("secret")
    if how == "vanish":
        run.font.hidden = True
    elif how == "white":
        run.font.color.rgb = RGBColor(255, 255, 255)
    elif how == "tiny":
        run.font.size = Pt(1)
    else:
        style = document.styles.add_style("Unseen", 2)
        style.font.hidden = True
        run.style = style
    paragraph.add_run("too")
    assert parse(tmp_path, document).text == "seen too"


def test_white_words_on_a_shade_are_read(tmp_path: Path) -> None:
    document = Document()
    run = document.add_paragraph().add_run("seen")
    run.font.color.rgb = RGBColor(255, 255, 255)
    shade = parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:fill="003366"/>')
    run._r.get_or_add_rPr().append(shade)
    table = add_table(document, [["Head", "2024"], ["Sales", "1"], ["Costs", "2"]])
    table.rows[0].cells[0].paragraphs[0].runs[0].font.color.rgb = RGBColor(255, 255, 255)
    parsed = parse(tmp_path, document)
    assert parsed.text.startswith("seen\n")
    assert "Head | 2024" in parsed.text
