"""A Word document reads in order: paragraphs, headings, tables; bombs and damage are refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from docx import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from ingestion.parsing import Unreadable, docx

LIMIT = 1_000_000


def test_paragraphs_headings_and_tables_keep_their_order(tmp_path: Path) -> None:
    document = Document()
    document.core_properties.title = "Initiation of coverage"
    document.core_properties.author = "R. Analyst"
    document.add_heading("Investment case", 1)
    document.add_paragraph("Margins should recover.")
    table = document.add_table(rows=2, cols=3)
    for row, values in zip(table.rows, [("", "2024", "2023"), ("Sales", "12", "11")], strict=True):
        for cell, value in zip(row.cells, values, strict=True):
            cell.text = value
    document.add_heading("Risks", 2)
    document.add_paragraph("Steel prices.")
    document.save(str(tmp_path / "a.docx"))
    parsed = docx.parse(tmp_path / "a.docx", LIMIT)
    assert parsed.text == (
        "Investment case\nMargins should recover.\n\n2024 | 2023\nSales | 12 | 11\n\n"
        "Risks\nSteel prices."
    )
    assert [(s["title"], s["level"]) for s in parsed.sections] == [
        ("Investment case", 1),
        ("Risks", 2),
    ]
    assert all(parsed.text[s["start"] :].startswith(s["title"]) for s in parsed.sections)
    assert parsed.metadata["title"] == "Initiation of coverage"
    assert parsed.metadata["author"] == "R. Analyst"


def test_tracked_insertions_are_read_and_deletions_are_not(tmp_path: Path) -> None:
    document = Document()
    paragraph = document.add_paragraph("kept ")
    space = nsdecls("w")
    for xml in (
        f"<w:ins {space} w:id='1' w:author='a'><w:r><w:t>inserted</w:t></w:r></w:ins>",
        f"<w:del {space} w:id='2' w:author='a'><w:r><w:delText>deleted</w:delText></w:r></w:del>",
    ):
        paragraph._p.append(parse_xml(xml))
    body = document.element.body
    body.insert(
        0,
        parse_xml(
            f"<w:sdt {space}><w:sdtContent><w:p><w:r><w:t>in a control</w:t></w:r></w:p>"
            "</w:sdtContent></w:sdt>"
        ),
    )
    document.save(str(tmp_path / "a.docx"))
    assert docx.parse(tmp_path / "a.docx", LIMIT).text == "in a control\nkept inserted"


def test_right_to_left_and_cjk_text_survive(tmp_path: Path) -> None:
    document = Document()
    document.add_paragraph("הכנסות עלו 売上高 𠮷")
    document.save(str(tmp_path / "a.docx"))
    assert docx.parse(tmp_path / "a.docx", LIMIT).text == "הכנסות עלו 売上高 𠮷"


def test_an_empty_document_is_refused(tmp_path: Path) -> None:
    Document().save(str(tmp_path / "a.docx"))
    with pytest.raises(Unreadable, match="no text"):
        docx.parse(tmp_path / "a.docx", LIMIT)


def test_a_zip_bomb_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "bomb.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "x")
        archive.writestr("word/document.xml", b"a" * 40_000_000)
    with pytest.raises(Unreadable, match="unsafe"):
        docx.parse(path, LIMIT)


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_damaged_document_is_refused(tmp_path: Path, keep: float) -> None:
    document = Document()
    document.add_paragraph("words")
    document.save(str(tmp_path / "a.docx"))
    data = (tmp_path / "a.docx").read_bytes()
    (tmp_path / "b.docx").write_bytes(data[: int(keep * len(data))])
    with pytest.raises(Unreadable, match="damaged"):
        docx.parse(tmp_path / "b.docx", LIMIT)


def test_a_document_of_broken_xml_is_refused(tmp_path: Path) -> None:
    document = Document()
    document.add_paragraph("words")
    document.save(str(tmp_path / "a.docx"))
    with (
        zipfile.ZipFile(tmp_path / "a.docx") as old,
        zipfile.ZipFile(tmp_path / "b.docx", "w") as new,
    ):
        for name in old.namelist():
            body = b"<w:document" if name == "word/document.xml" else old.read(name)
            new.writestr(name, body)
    with pytest.raises(Unreadable, match="damaged"):
        docx.parse(tmp_path / "b.docx", LIMIT)


def test_too_much_text_is_refused(tmp_path: Path) -> None:
    document = Document()
    document.add_paragraph("word " * 100)
    document.save(str(tmp_path / "a.docx"))
    with pytest.raises(Unreadable, match="too long"):
        docx.parse(tmp_path / "a.docx", 100)
