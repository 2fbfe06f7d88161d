"""A PDF page as an image, and where spans of its frozen text stand on it; runs in the child."""

from __future__ import annotations

import ctypes
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from ingestion.parsing import pdf_page
from ingestion.parsing.parsed import Unreadable
from ingestion.parsing.pdf import open_pdf

# A page may be long and thin or claim to be a kilometre wide; its image may not.
_MOST_PIXELS = 16_000_000
_WIDEST = 4_000
# The device on which PDFium places points, which it rounds to whole numbers.
_FINE = 1_000_000

Box = tuple[float, float, float, float]


def draw(path: Path, number: int, width: int) -> bytes:
    """PNG of page `number` (from 1), `width` pixels wide or less where a limit says so."""
    document = open_pdf(path)
    try:
        page = _page(document, number)
        page_width, page_height = page.get_size()
        scale = max(1, min(width, _WIDEST)) / page_width
        scale = min(scale, (_MOST_PIXELS / (page_width * page_height)) ** 0.5)
        bitmap = page.render(scale=scale, may_draw_forms=False)
        output = io.BytesIO()
        # A page of print has few colours: the quickest level costs little size.
        bitmap.to_pil().convert("RGB").save(output, "PNG", compress_level=3)
        return output.getvalue()
    finally:
        document.close()


def locate(path: Path, number: int, spans: Iterable[Sequence[int]], frozen: str) -> dict[str, Any]:
    """Width and height of the page in points and the rectangles of the spans, line by line.

    Spans are offsets into `frozen`, the frozen text of that page. A rectangle is left, top,
    width and height as fractions of the page as it is shown, rotated and cropped, with y down.
    """
    document = open_pdf(path)
    try:
        page = _page(document, number)
        textpage = page.get_textpage()
        places = pdf_page.origins(textpage, frozen)
        rectangles: list[Box] = []
        for start, end in spans:
            wanted = dict.fromkeys(places[max(0, start) : max(0, end)])
            rectangles += _lines(page, textpage, wanted)
        width, height = page.get_size()
        return {"width": width, "height": height, "rectangles": rectangles}
    finally:
        document.close()


def _page(document: Any, number: int) -> Any:
    if not 1 <= number <= len(document):
        raise Unreadable(f"The PDF has no page {number}.")
    try:
        page = document[number - 1]
    except pypdfium2.PdfiumError as error:
        raise Unreadable(f"Page {number} of the PDF is damaged.") from error
    width, height = page.get_size()
    if width <= 0 or height <= 0:
        raise Unreadable(f"Page {number} of the PDF has no area.")
    return page


def _box(page: Any, textpage: Any, index: int) -> Box | None:
    """Left, top, right, bottom of one character as fractions; None where it is not drawn."""
    if index < 0 or pdfium.FPDFText_IsGenerated(textpage, index) == 1:
        return None
    rectangle = pdfium.FS_RECTF()
    # The loose box is as high as the line: a highlight, not an outline.
    if not pdfium.FPDFText_GetLooseCharBox(textpage, index, rectangle):
        return None
    xs, ys = zip(
        _place(page, rectangle.left, rectangle.bottom),
        _place(page, rectangle.right, rectangle.top),
        strict=True,
    )
    left, right = (min(1.0, max(0.0, x)) for x in (min(xs), max(xs)))
    top, bottom = (min(1.0, max(0.0, y)) for y in (min(ys), max(ys)))
    return (left, top, right, bottom) if right > left and bottom > top else None


def _place(page: Any, x: float, y: float) -> tuple[float, float]:
    """A point of the PDF's canvas as fractions of the page as shown."""
    across, down = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDF_PageToDevice(page, 0, 0, _FINE, _FINE, 0, x, y, across, down)
    return across.value / _FINE, down.value / _FINE


def _lines(page: Any, textpage: Any, indices: Iterable[int]) -> list[Box]:
    """Characters that follow one another on a line as one rectangle each."""
    turn = math.radians(page.get_rotation())
    merged: list[tuple[int, list[float]]] = []
    for index in indices:
        box = _box(page, textpage, index)
        if not box:
            continue
        # Lines of turned text run down the page as shown.
        angle = pdfium.FPDFText_GetCharAngle(textpage, index) + turn
        axis = 1 if abs(math.sin(angle)) > 0.7 else 0
        if merged and merged[-1][0] == axis and _joins(merged[-1][1], box, axis):
            last = merged[-1][1]
            last[:2] = min(last[0], box[0]), min(last[1], box[1])
            last[2:] = max(last[2], box[2]), max(last[3], box[3])
        else:
            merged.append((axis, list(box)))
    return [
        (round(left, 5), round(top, 5), round(right - left, 5), round(bottom - top, 5))
        for _, (left, top, right, bottom) in merged
    ]


def _joins(last: Sequence[float], box: Box, axis: int) -> bool:
    """Whether the character continues the line along this axis: 0 across, 1 down the page."""
    other = 1 - axis
    overlap = min(last[other + 2], box[other + 2]) - max(last[other], box[other])
    thickness = min(last[other + 2] - last[other], box[other + 2] - box[other])
    gap = max(box[axis] - last[axis + 2], last[axis] - box[axis + 2])
    return overlap > 0.5 * thickness and gap < 3 * max(thickness, box[axis + 2] - box[axis])
