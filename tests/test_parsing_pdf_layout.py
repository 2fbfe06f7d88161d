"""A PDF page is read in the order in which people read it, and repeated lines once only."""

from __future__ import annotations

import io
import itertools
import math
import re
from collections.abc import Sequence
from pathlib import Path

import pypdfium2
import pytest
from reportlab.pdfgen.canvas import Canvas

from ingestion.parsing import Parsed, pdf, pdf_page
from ingestion.parsing.rendering import page_image, page_rectangles

LIMIT = 20_000_000
HEADING = "The year in review for the shareholders of Northwind Tools and their friends"
WORDS = tuple(
    re.findall(
        r"\w+",
        "revenue grew in every region because customers bought more tools and spare parts while "
        "costs of freight fell again and the plant in the north ran at full capacity all year so "
        "margins widened although wages rose and two contracts ended before their usual term",
    )
)


def prose(seed: int, lines: int, width: int = 6) -> list[str]:
    """Lines of prose, all different, each of `width` words."""
    words = itertools.cycle([*WORDS[seed:], *WORDS[:seed]])
    return [" ".join(next(words) for _ in range(width)) for _ in range(lines)]


def columns_pdf(path: Path, columns: Sequence[Sequence[str]], *, across: bool) -> Path:
    """Columns of lines under a heading over all of them; `across` draws them row by row."""
    canvas = Canvas(str(path))
    canvas.setFont("Helvetica", 14)
    canvas.drawString(60, 780, HEADING)
    canvas.setFont("Helvetica", 9)
    pitch = 500 / len(columns)
    cells = [(c, r) for c, lines in enumerate(columns) for r in range(len(lines))]
    for column, row in sorted(cells, key=lambda cell: cell[::-1]) if across else cells:
        canvas.drawString(50 + pitch * column, 740 - 14 * row, columns[column][row])
    canvas.save()
    return path


def page_text(parsed: Parsed, number: int) -> str:
    ends = [*parsed.pages[1:], len(parsed.text) + 1]
    return parsed.text[parsed.pages[number - 1] : ends[number - 1] - 1]


@pytest.mark.parametrize("across", [True, False])
@pytest.mark.parametrize("count", [2, 3])
def test_columns_are_read_one_after_the_other(tmp_path: Path, count: int, *, across: bool) -> None:
    width = 6 if count == 2 else 4
    columns = [prose(13 * number, 20, width) for number in range(count)]
    text = pdf.parse(columns_pdf(tmp_path / "a.pdf", columns, across=across), LIMIT).text
    assert text.split("\n") == [HEADING, *itertools.chain(*columns)]


def test_a_heading_between_two_parts_in_columns_parts_them(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    canvas = Canvas(str(path))
    canvas.setFont("Helvetica", 9)
    expected = []
    for part, top in enumerate((760, 460)):
        heading = (
            f"Part {part}: a heading that runs over the whole width of this page of the report"
        )
        canvas.drawString(50, top, heading + " and on")
        expected.append(heading + " and on")
        columns = [prose(5 + 17 * part, 12), prose(11 + 9 * part, 12)]
        for row in range(12):
            for column in (0, 1):
                canvas.drawString(50 + 250 * column, top - 20 - 14 * row, columns[column][row])
        expected += [*columns[0], *columns[1]]
    canvas.save()
    assert pdf.parse(path, LIMIT).text.split("\n") == expected


def test_a_list_of_names_and_places_keeps_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    canvas = Canvas(str(path))
    for row in range(12):
        canvas.drawString(60, 740 - 16 * row, f"Subsidiary {chr(65 + row)} Ltd")
        canvas.drawString(330, 740 - 16 * row, "Delaware, United States")
    canvas.save()
    lines = pdf.parse(path, LIMIT).text.split("\n")
    assert lines == [f"Subsidiary {chr(65 + r)} Ltd Delaware, United States" for r in range(12)]


@pytest.mark.parametrize("page_turn", [0, 90, 180, 270])
@pytest.mark.parametrize("text_turn", [0, 90, 180, 270])
def test_turned_pages_and_turned_text_are_read_in_order(
    tmp_path: Path, page_turn: int, text_turn: int
) -> None:
    lines = ["Revenue rose by four", "percent in the year.", "Costs fell, and so", "did the debt."]
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=(600, 600))
    canvas.setPageRotation(page_turn)
    canvas.translate(300, 300)
    canvas.rotate(text_turn)
    for number, line in enumerate(lines):
        canvas.drawString(-120, 100 - 20 * number, line)
    canvas.save()
    text = pdf.parse(tmp_path / "a.pdf", LIMIT).text
    assert text.split("\n") == lines
    start = text.index("Costs fell")
    (box,) = page_rectangles(tmp_path / "a.pdf", 1, [(start, start + 10)], text)
    # The words stand 60 points below the first line, turned by both angles about the middle.
    turn = math.radians(text_turn - page_turn)
    across, up = -120 + 26, 64
    x = 300 + across * math.cos(turn) - up * math.sin(turn)
    y = 300 + across * math.sin(turn) + up * math.cos(turn)
    assert box.left < x / 600 < box.left + box.width
    assert box.top < 1 - y / 600 < box.top + box.height


def running_pdf(path: Path, pages: int) -> Path:
    canvas = Canvas(str(path))
    for number in range(1, pages + 1):
        canvas.drawString(60, 800, f"Northwind Tools annual report {2015 + number}")
        canvas.drawString(60, 780, "Table of Contents")
        for row, line in enumerate(prose(3 * number, 20, 9)):
            canvas.drawString(60, 740 - 20 * row, line)
        canvas.drawString(60, 320 - 20 * number, "See the notes to these statements.")
        canvas.drawRightString(540, 40, f"F-{number + 4}")
        canvas.showPage()
    canvas.save()
    return path


def test_running_lines_are_kept_once(tmp_path: Path) -> None:
    path = running_pdf(tmp_path / "a.pdf", 8)
    parsed = pdf.parse(path, LIMIT)
    assert parsed.text.startswith("Northwind Tools annual report 2016\nTable of Contents\n")
    assert parsed.text.count("Northwind Tools") == parsed.text.count("Table of Contents") == 1
    assert "F-" not in parsed.text
    for number in range(2, 9):
        assert page_text(parsed, number).split("\n")[:-1] == prose(3 * number, 20, 9)


def test_what_stands_on_a_page_without_running_lines_is_placed_right(tmp_path: Path) -> None:
    path = running_pdf(tmp_path / "a.pdf", 5)
    frozen = page_text(pdf.parse(path, LIMIT), 4)
    assert not frozen.startswith("Northwind")
    start = frozen.index("See the notes")
    (box,) = page_rectangles(path, 4, [(start, start + 13)], frozen)
    assert box.top < 1 - 243 / 842 < box.top + box.height
    assert box.left == pytest.approx(60 / 595, abs=0.01)


def test_headings_that_only_count_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    canvas = Canvas(str(path))
    for number in range(1, 9):
        canvas.drawString(60, 800, f"NOTE {number}")
        for row, line in enumerate(prose(number, 10, 9)):
            canvas.drawString(60, 740 - 20 * row, line)
        canvas.drawString(60, 60, f"Annual report, page {number} of 8")
        canvas.showPage()
    canvas.save()
    parsed = pdf.parse(path, LIMIT)
    assert [page_text(parsed, n).split("\n")[0] for n in range(1, 9)] == [
        f"NOTE {number}" for number in range(1, 9)
    ]
    assert parsed.text.count("Annual report, page") == 1


def test_numbers_and_repeated_lines_within_pages_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    canvas = Canvas(str(path))
    for number in range(6):
        for row in range(20):
            middle = "The same line in the middle." if row == 10 else prose(row + number, 1, 8)[0]
            canvas.drawString(60, 760 - 30 * row, middle)
        canvas.drawString(60, 100, str(7 * number % 5))
        canvas.showPage()
    canvas.save()
    parsed = pdf.parse(path, LIMIT)
    assert parsed.text.count("The same line in the middle.") == 6
    assert [page_text(parsed, n + 1).split("\n")[-1] for n in range(6)] == list("024130")[:6]


def test_a_text_frozen_otherwise_is_placed_by_its_words(tmp_path: Path) -> None:
    """A document frozen before its pages were laid out keeps its rectangles."""
    columns = [prose(13 * number, 20) for number in range(2)]
    path = columns_pdf(tmp_path / "a.pdf", columns, across=True)
    frozen = "\n".join(f"{left}   {right}" for left, right in zip(*columns, strict=True))
    span = (frozen.index(columns[1][7]), frozen.index(columns[1][7]) + len(columns[1][7]))
    boxes = page_rectangles(path, 1, [span], frozen)
    image = io.BytesIO(page_image(path, 1, 800))
    assert image.getvalue()
    assert boxes
    assert all(box.left > 290 / 595 for box in boxes)
    top = 1 - (740 - 14 * 7 + 3) / 842
    assert all(box.top < top < box.top + box.height for box in boxes)


@pytest.mark.data
def test_the_characters_under_spans_of_real_filings_spell_them(data: Path) -> None:
    """Every character of every page of a filing comes from a character that says the same."""
    checked = 0
    for name in ("3M_2018_10K.pdf", "WALMART_2015_10K.pdf", "ULTABEAUTY_2023Q4_EARNINGS.pdf"):
        path = data / "financebench/pdfs" / name
        parsed = pdf.parse(path, LIMIT)
        document = pypdfium2.PdfDocument(path)
        for number in range(1, len(document) + 1, 3):
            frozen = page_text(parsed, number)
            textpage = document[number - 1].get_textpage()
            origins = pdf_page.origins(textpage, frozen)
            assert len(origins) == len(frozen)
            for character, origin in zip(frozen, origins, strict=True):
                if not character.isascii() or not character.isalnum() or origin < 0:
                    assert origin >= 0 or character.isspace() or character == "|"
                    continue
                code = pypdfium2.raw.FPDFText_GetUnicode(textpage, origin)
                assert chr(code) == character or not chr(code).isascii()
                checked += 1
        document.close()
    assert checked > 100_000
