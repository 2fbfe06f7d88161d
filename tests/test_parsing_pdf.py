"""A PDF becomes one frozen text with page starts and sections, or a reason why not."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from ingestion.parsing import Parsed, Unreadable, headings, pdf, pdf_text

LIMIT = 20_000_000


def write_pdf(path: Path, pages: list[list[str]], **options: object) -> Path:
    canvas = Canvas(str(path), **options)
    for lines in pages:
        for number, line in enumerate(lines):
            canvas.drawString(72, 720 - 20 * number, line)
        canvas.showPage()
    canvas.save()
    return path


def raw_pdf(objects: list[bytes]) -> bytes:
    """A PDF of these objects, the first of which is its catalogue."""
    out = io.BytesIO(b"")
    out.write(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.writelines(b"%010d 00000 n \n" % offset for offset in offsets)
    out.write(b"trailer<</Size %d/Root 1 0 R>>\n" % (len(objects) + 1))
    out.write(b"startxref\n%d\n%%%%EOF" % start)
    return out.getvalue()


def page_text(parsed: Parsed, number: int) -> str:
    ends = [*parsed.pages[1:], len(parsed.text) + 1]
    return parsed.text[parsed.pages[number - 1] : ends[number - 1] - 1]


def draw_picture(canvas: Canvas) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (200, 200), "navy").save(picture, "PNG")
    canvas.drawImage(ImageReader(picture), 72, 300, 400, 400)


def test_pages_start_where_their_text_starts(tmp_path: Path) -> None:
    pages = [["Revenue grew by 4%.", "Margins fell."], ["Second page"], [], ["The last one"]]
    parsed = pdf.parse(write_pdf(tmp_path / "a.pdf", pages), LIMIT)
    assert len(parsed.pages) == 4
    for number, lines in enumerate(pages, 1):
        assert page_text(parsed, number) == "\n".join(lines)
    assert parsed.media_type == "application/pdf"
    assert parsed.notes == []


def test_bookmarks_become_sections_where_their_words_stand(tmp_path: Path) -> None:
    path = tmp_path / "outline.pdf"
    canvas = Canvas(str(path))
    for title in ("Overview", "Outlook"):
        canvas.bookmarkPage(title)
        canvas.addOutlineEntry(title, title, 0)
        canvas.drawString(72, 720, "Northwind quarterly letter")
        canvas.drawString(72, 700, title.upper())
        canvas.showPage()
    canvas.setTitle("Letter to shareholders")
    canvas.save()
    parsed = pdf.parse(path, LIMIT)
    assert [s["title"] for s in parsed.sections] == ["Overview", "Outlook"]
    for section in parsed.sections:
        start = section["start"]
        assert parsed.text[start : start + len(section["title"])] == section["title"].upper()
    assert parsed.metadata["title"] == "Letter to shareholders"


def test_headings_of_filings_are_found_and_contents_pages_are_not(tmp_path: Path) -> None:
    pages = [
        [
            "PART I",
            "Item 1. Business 4",
            "Item 1A. Risk Factors 9",
            "PART II",
            "Item 7.",
            "MD&A",
            "21",
        ],
        ["PART I", "Item 1. Business", "We make tools. See Item 7 of this report for more."],
        ["Item 7.", "Management's Discussion and Analysis", "Item 7 of the report is long."],
        ["NOTE 12. Derivatives", "Consolidated Balance Sheets", "Note 3 to the statements says"],
    ]
    parsed = pdf.parse(write_pdf(tmp_path / "a.pdf", pages), LIMIT)
    assert [(s["title"], s["level"]) for s in parsed.sections] == [
        ("PART I", 1),
        ("Item 1. Business", 2),
        ("Item 7. Management's Discussion and Analysis", 2),
        ("NOTE 12. Derivatives", 4),
        ("Consolidated Balance Sheets", 3),
    ]
    assert all(parsed.text[s["start"] :].startswith(s["title"][:6]) for s in parsed.sections)


def test_a_repeated_running_header_is_one_section() -> None:
    text = "Item 8. Financial Statements (continued)\nwords\n" * 3
    assert len(headings.recognise("Item 8. Financial Statements\n" + text)) == 1


def test_a_password_is_asked_for_only_when_reading_needs_one(tmp_path: Path) -> None:
    lines = [["Confidential words"]]
    locked = write_pdf(tmp_path / "l.pdf", lines, encrypt=StandardEncryption("open", "own"))
    with pytest.raises(Unreadable, match="encrypted and needs a password"):
        pdf.parse(locked, LIMIT)
    owned = write_pdf(tmp_path / "o.pdf", lines, encrypt=StandardEncryption("", "own"))
    assert pdf.parse(owned, LIMIT).text == "Confidential words"


def test_a_damaged_pdf_says_so(tmp_path: Path) -> None:
    whole = write_pdf(tmp_path / "a.pdf", [["words"]]).read_bytes()
    (tmp_path / "b.pdf").write_bytes(whole[:200])
    with pytest.raises(Unreadable, match="damaged"):
        pdf.parse(tmp_path / "b.pdf", LIMIT)


def test_a_pdf_without_pages_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(raw_pdf([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>"]))
    with pytest.raises(Unreadable, match=r"no pages|damaged"):
        pdf.parse(path, LIMIT)


def test_a_scan_is_refused_and_a_scanned_page_is_noted(tmp_path: Path) -> None:
    scan, mixed = tmp_path / "scan.pdf", tmp_path / "mixed.pdf"
    canvas = Canvas(str(scan))
    draw_picture(canvas)
    canvas.save()
    with pytest.raises(Unreadable, match="scanned"):
        pdf.parse(scan, LIMIT)
    canvas = Canvas(str(mixed))
    canvas.drawString(72, 720, "A page of words that can be searched.")
    canvas.showPage()
    draw_picture(canvas)
    canvas.save()
    assert pdf.parse(mixed, LIMIT).notes == ["Scanned, without text to search: page 2."]


def test_a_pdf_of_blank_pages_holds_no_text(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="holds no text"):
        pdf.parse(write_pdf(tmp_path / "a.pdf", [[], []]), LIMIT)


def test_too_much_text_is_refused(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [["many words here"]] * 5)
    with pytest.raises(Unreadable, match="too long"):
        pdf.parse(path, 40)


def test_two_thousand_pages_are_read(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [[f"This is page {n}."] for n in range(1, 2001)])
    parsed = pdf.parse(path, LIMIT)
    assert len(parsed.pages) == 2000
    assert page_text(parsed, 1999) == "This is page 1999."


def test_characters_beyond_the_basic_plane_survive(tmp_path: Path) -> None:
    cmap = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        b"1 begincodespacerange <00> <FF> endcodespacerange\n"
        b"2 beginbfchar <41> <D842DFB7> <42> <5409> endbfchar\nendcmap end end"
    )
    content = b"BT /F1 24 Tf 72 700 Td (ABAB) Tj ET"
    path = tmp_path / "a.pdf"
    path.write_bytes(
        raw_pdf(
            [
                b"<</Type/Catalog/Pages 2 0 R>>",
                b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
                (
                    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
                    b"/Resources<</Font<</F1 5 0 R>>>>>>"
                ),
                b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
                b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>",
                b"<</Length %d>>stream\n%s\nendstream" % (len(cmap), cmap),
            ]
        )
    )
    assert pdf.parse(path, LIMIT).text == "𠮷吉𠮷吉"


@pytest.mark.parametrize(
    ("raw", "frozen"),
    [
        ("long\x02term debt", "long-term debt"),
        ("inter\x02national and international", "international and international"),
        ("the \ufb01rst o\ufb03ce", "the first office"),
        (
            "the \ufffescal year, write-o\ufffe, xq\ufffezz",
            "the fiscal year, write-off, xq\ufffdzz",
        ),
        ("one \r\ntwo\r\n\r\n \r\nthree", "one\ntwo\n\nthree"),
        ("a\x00b\xadc\xa0d\u2009e", "abc d e"),
        ("\r\n\r\nfirst\r\n", "first"),
        ("שלום עולם 世界", "שלום עולם 世界"),
    ],
)
def test_page_text_is_cleaned_and_every_character_keeps_its_origin(raw: str, frozen: str) -> None:
    assert pdf_text.normalise(raw) == frozen
    origins = pdf_text.character_indices(raw, None)
    assert len(origins) == len(frozen)
    assert origins == sorted(origins)
    kept = [(raw[o], c) for o, c in zip(origins, frozen, strict=True) if raw[o].isascii()]
    assert all(a == b for a, b in kept if a.isalnum())


def bare_loop(path: Path) -> tuple[int, int]:
    """Pages of the PDF, and those with text, by the shortest possible loop."""
    document = pypdfium2.PdfDocument(path)
    filled = 0
    for index in range(len(document)):
        page = document[index]
        textpage = page.get_textpage()
        filled += bool(textpage.get_text_range().strip())
        textpage.close()
        page.close()
    count = len(document)
    document.close()
    return count, filled


@pytest.mark.data
def test_real_filings_keep_the_text_of_their_pages(data: Path) -> None:
    paths = sorted((data / "financebench/pdfs").glob("*.pdf"))[::9]
    with_text = filled = 0
    for path in paths:
        parsed = pdf.parse(path, LIMIT)
        count, expected = bare_loop(path)
        assert len(parsed.pages) == count
        with_text += expected
        filled += sum(bool(page_text(parsed, number).strip()) for number in range(1, count + 1))
        json.dumps(parsed.sections)
        assert "\0" not in parsed.text
    assert filled >= 0.995 * with_text
