"""A highlight stands on the word it marks, whatever the page's rotation and crop."""

from __future__ import annotations

import io
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from ingestion.parsing import Unreadable, pdf
from ingestion.parsing.rendering import Rectangle, page_image, page_rectangles

WIDTH = 800


def turned(path: Path, rotation: int, crop: tuple[int, int, int, int] | None = None) -> Path:
    document = pypdfium2.PdfDocument(path)
    page = document[0]
    page.set_rotation(rotation)
    if crop:
        page.set_cropbox(*crop)
    result = path.with_name(f"turned{rotation}.pdf")
    document.save(result)
    document.close()
    return result


def one_word(tmp_path: Path) -> Path:
    canvas = Canvas(str(tmp_path / "word.pdf"), pagesize=(612, 792))
    canvas.setFont("Helvetica", 28)
    canvas.drawString(150, 500, "Goodwill")
    canvas.save()
    return tmp_path / "word.pdf"


def dark_box(png: bytes) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of everything dark, as fractions of the image."""
    image = Image.open(io.BytesIO(png)).convert("L").point(lambda value: 255 * (value < 128))
    box = image.getbbox()
    assert box
    width, height = image.size
    return box[0] / width, box[1] / height, box[2] / width, box[3] / height


def assert_covers(rectangle: Rectangle, dark: tuple[float, float, float, float]) -> None:
    """The rectangle holds all that is dark, and little else: it is near on every side."""
    slack, room = 0.004, 0.03
    assert dark[0] - room < rectangle.left < dark[0] + slack
    assert dark[1] - room < rectangle.top < dark[1] + slack
    assert dark[2] - slack < rectangle.left + rectangle.width < dark[2] + room
    assert dark[3] - slack < rectangle.top + rectangle.height < dark[3] + room


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [None, (100, 400, 500, 700)])
def test_the_rectangle_covers_the_word(
    tmp_path: Path, rotation: int, crop: tuple[int, int, int, int] | None
) -> None:
    path = turned(one_word(tmp_path), rotation, crop)
    rectangles = page_rectangles(path, 1, [(0, 8)], "Goodwill")
    assert len(rectangles) == 1
    assert_covers(rectangles[0], dark_box(page_image(path, 1, WIDTH)))


def test_the_image_has_the_width_and_shape_asked_for(tmp_path: Path) -> None:
    image = Image.open(io.BytesIO(page_image(one_word(tmp_path), 1, WIDTH)))
    assert image.format == "PNG"
    assert image.size[0] == WIDTH
    assert abs(image.size[1] - WIDTH * 792 / 612) <= 1


def test_a_span_over_lines_has_a_rectangle_per_line(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"))
    for number, line in enumerate(["Net sales rose in", "every region, while", "costs fell."]):
        canvas.drawString(72, 700 - 24 * number, line)
    canvas.save()
    text = pdf.parse(tmp_path / "a.pdf", 10_000).text
    span = (text.index("rose"), text.index("costs") + 5)
    rectangles = page_rectangles(tmp_path / "a.pdf", 1, [span], text)
    assert len(rectangles) == 3
    tops = [rectangle.top for rectangle in rectangles]
    assert tops == sorted(tops)
    assert rectangles[0].left > rectangles[1].left
    assert rectangles[2].width < rectangles[1].width


def test_offsets_hold_after_hyphens_and_dropped_characters(tmp_path: Path) -> None:
    """The text is shorter or longer than the page's characters; the word is still found."""
    canvas = Canvas(str(tmp_path / "a.pdf"))
    canvas.drawString(72, 740, "short-term and long-")
    canvas.drawString(72, 720, "term   debt\xa0of 2024")
    canvas.setFont("Helvetica", 28)
    canvas.setFillGray(0)
    canvas.drawString(300, 400, "Goodwill")
    canvas.save()
    text = pdf.parse(tmp_path / "a.pdf", 10_000).text
    assert "long-term" in text
    start = text.index("Goodwill")
    (rectangle,) = page_rectangles(tmp_path / "a.pdf", 1, [(start, start + 8)], text)
    image = Image.open(io.BytesIO(page_image(tmp_path / "a.pdf", 1, WIDTH)))
    below = io.BytesIO()
    # Only the large word is in the lower part of the page; the rest is painted over.
    image.paste("white", (0, 0, image.width, image.height // 3))
    image.save(below, "PNG")
    assert_covers(rectangle, dark_box(below.getvalue()))


def test_blank_and_foreign_spans_have_no_rectangle(tmp_path: Path) -> None:
    path = one_word(tmp_path)
    assert page_rectangles(path, 1, [(3, 3), (100, 200), (-5, 0)], "Goodwill") == []


def test_a_huge_page_is_drawn_within_bounds(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=(200, 14_000))
    canvas.drawString(20, 7_000, "A long strip")
    canvas.save()
    image = Image.open(io.BytesIO(page_image(tmp_path / "a.pdf", 1, 50_000)))
    assert image.size[0] * image.size[1] <= 16_100_000


@pytest.mark.parametrize("number", [0, 2, -1])
def test_a_page_that_does_not_exist_is_refused(tmp_path: Path, number: int) -> None:
    with pytest.raises(Unreadable, match="no page"):
        page_image(one_word(tmp_path), number, WIDTH)
    with pytest.raises(Unreadable, match="no page"):
        page_rectangles(tmp_path / "word.pdf", number, [(0, 4)], "Goodwill")


@pytest.mark.data
def test_words_of_real_filings_are_dark_where_they_are_marked(data: Path) -> None:
    path = data / "financebench/pdfs/3M_2018_10K.pdf"
    parsed = pdf.parse(path, 20_000_000)
    start = parsed.text.index("Property, plant and equipment")
    number = sum(1 for page in parsed.pages if page <= start)
    offset = start - parsed.pages[number - 1]
    frozen = parsed.text[parsed.pages[number - 1] : parsed.pages[number] - 1]
    (rectangle,) = page_rectangles(path, number, [(offset, offset + 29)], frozen)
    image = Image.open(io.BytesIO(page_image(path, number, 1200))).convert("L")
    box = (
        int(rectangle.left * image.width),
        int(rectangle.top * image.height),
        int((rectangle.left + rectangle.width) * image.width),
        int((rectangle.top + rectangle.height) * image.height),
    )
    pixels = image.crop(box).tobytes()
    assert 0.03 < sum(value < 128 for value in pixels) / len(pixels) < 0.6
