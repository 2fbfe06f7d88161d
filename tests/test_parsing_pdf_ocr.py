"""Scanned pages are read by OCR where that is switched on and installed, else named."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from ingestion.parsing import Unreadable, isolation, ocr, pdf
from ingestion.parsing.ocr import Ocr
from ingestion.parsing.rendering import page_rectangles

LIMIT = 1_000_000
needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="the program tesseract is not installed"
)
LINES = [
    "Net sales rose to 4,812 million",
    "because prices were higher.",
    "Costs fell by 3 percent.",
]


def scanned_pdf(path: Path, *, with_words: bool = False) -> Path:
    """A page that is only a picture of words, as a scanner makes it."""
    image = Image.new("L", (1700, 2200), 255)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(48)
    for number, line in enumerate(LINES):
        draw.text((200, 300 + 90 * number), line, font=font, fill=0)
    picture = io.BytesIO()
    image.save(picture, "PNG")
    canvas = Canvas(str(path), pagesize=(612, 792))
    if with_words:
        canvas.drawString(72, 700, "A page with a text of its own, which is read as it is.")
        canvas.showPage()
    canvas.drawImage(ImageReader(picture), 0, 0, 612, 792)
    canvas.save()
    return path


def words(text: str) -> list[list[str]]:
    """The words of every line; the paragraphs are the program's own."""
    return [line.split() for line in text.split("\n") if line]


def read(path: Path, language: str = "eng") -> isolation.Parsed:
    return isolation.parse(
        path,
        path.name,
        seconds=90,
        memory_mb=3072,
        max_characters=LIMIT,
        ocr_language=language,
    )


@needs_tesseract
def test_a_scanned_page_is_read_and_named(tmp_path: Path) -> None:
    parsed = read(scanned_pdf(tmp_path / "a.pdf", with_words=True))
    assert parsed.notes == ["Scanned and read by OCR, which may err: page 2."]
    assert len(parsed.pages) == 2
    assert words(parsed.text[parsed.pages[1] :]) == words("\n".join(LINES))


@needs_tesseract
def test_a_scan_is_no_longer_refused(tmp_path: Path) -> None:
    path = scanned_pdf(tmp_path / "a.pdf")
    parsed = read(path)
    assert words(parsed.text) == words("\n".join(LINES))
    assert page_rectangles(path, 1, [(0, 9)], parsed.text) == []


def test_without_ocr_a_scan_is_refused_as_before(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"only images and no text\. Send"):
        read(scanned_pdf(tmp_path / "a.pdf"), language="")


@needs_tesseract
def test_a_language_that_is_not_installed_is_the_reason(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"scanned.*OCR failed"):
        read(scanned_pdf(tmp_path / "a.pdf"), language="xyz")


def test_a_missing_program_is_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "_PLACES", str(tmp_path))
    with pytest.raises(Unreadable, match="tesseract is not installed"):
        pdf.parse(scanned_pdf(tmp_path / "a.pdf"), LIMIT, Ocr("eng", 60))
    notes = pdf.parse(scanned_pdf(tmp_path / "b.pdf", with_words=True), LIMIT, Ocr("eng", 60)).notes
    assert notes == [
        (
            "Scanned, without text to search: page 2"
            " (OCR is switched on, but the program tesseract is not installed)."
        )
    ]


@needs_tesseract
def test_ocr_ends_when_its_time_is_over(tmp_path: Path) -> None:
    notes = pdf.parse(
        scanned_pdf(tmp_path / "a.pdf", with_words=True), LIMIT, Ocr("eng", 0.01)
    ).notes
    assert len(notes) == 1
    assert notes[0].startswith("Scanned, without text to search: page 2 (")
    assert "time" in notes[0] or "too long" in notes[0]
