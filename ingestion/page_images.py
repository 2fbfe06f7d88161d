"""Page images of PDFs, kept on disk, and where a passage lies on them.

Images are files of a cache: deleting its folder costs only the time to draw them again.
"""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db.models.functions import Substr

from ingestion.models import Document
from ingestion.parsing import ParserFailed, Unreadable
from ingestion.parsing.rendering import Rectangle
from ingestion.parsing.rendering import page_image as draw
from ingestion.parsing.rendering import page_rectangles as locate
from ingestion.reading import Highlight

# Widths in pixels: for a phone, for a page, for a sharp one.
WIDTHS = (640, 1000, 1600)
# Pages of one fragment of the page view.
PAGES_AT_ONCE = 6


class NoImage(Exception):
    """This page has no image; the message says why."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A rectangle in percent of the page, and its tone: "passage" or "focus"."""

    x: str
    y: str
    width: str
    height: str
    tone: str


def nearest_width(value: str) -> int:
    """The width that is drawn for a wanted one, so that the cache stays small."""
    wanted = int(value) if value.isascii() and value.isdecimal() and len(value) < 6 else WIDTHS[1]
    return next((width for width in WIDTHS if width >= wanted), WIDTHS[-1])


def image_tag(document: Document, number: int, width: int) -> str:
    """Names one image for good: another file, page or width has another."""
    return f"{document.file_sha256[:32]}-{number}-{width}"


def page_image(document: Document, sha256: str, number: int, width: int) -> bytes:
    """PNG of a page (from 1) of the file with this digest. Raises NoImage in words."""
    if not document.is_pdf or not 1 <= number <= len(document.pages):
        raise NoImage("The document has no such page.")
    if document.file_sha256 != sha256:
        raise NoImage("This is another file of the same text.")
    path = _folder(document) / f"{number}-{width}.png"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        pass
    try:
        image = draw(Path(document.file.path), number, width)
    except (Unreadable, ParserFailed, OSError) as error:
        raise NoImage(f"The page cannot be drawn: {error}") from error
    _keep(path, image)
    return image


def marks(document: Document, number: int, highlight: Highlight | None) -> list[Mark]:
    """Where the passage lies on this page; nothing where it cannot be placed."""
    if highlight is None or not document.is_pdf:
        return []
    start = document.pages[number - 1]
    frozen = _frozen(document, number)
    path = Path(document.file.path)

    def place(part: tuple[int, int, str]) -> list[Mark]:
        first, last, tone = part
        boxes = locate(path, number, [(first - start, last - start)], frozen)
        return [_mark(box, tone) for box in boxes]

    parts = highlight.within(start, start + len(frozen))
    try:
        # Each is placed by a child process of its own, so they may as well run together.
        with ThreadPoolExecutor(max_workers=3) as pool:
            placed = list(pool.map(place, parts))
    except (Unreadable, ParserFailed, OSError):
        return []
    return [mark for marks in placed for mark in marks]


def _frozen(document: Document, number: int) -> str:
    """The page's part of the frozen text; pages are joined by one newline."""
    start = document.pages[number - 1]
    row = Document.objects.filter(pk=document.pk)
    if number < len(document.pages):
        part = Substr("text", start + 1, document.pages[number] - 1 - start)
    else:
        part = Substr("text", start + 1)
    return row.annotate(part=part).values_list("part", flat=True).get()


def _mark(box: Rectangle, tone: str) -> Mark:
    x, y, width, height = (
        f"{100 * value:.2f}%" for value in (box.left, box.top, box.width, box.height)
    )
    return Mark(x, y, width, height, tone)


def _folder(document: Document) -> Path:
    digest = document.file_sha256
    return settings.VAR_DIR / "cache" / "pages" / digest[:2] / digest


def _keep(path: Path, image: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(image)
    # Whole or not there: two requests may draw the same page at one moment.
    os.replace(file.name, path)  # noqa: PTH105
