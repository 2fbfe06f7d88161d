"""The plain text of an annotated file, read the same way for ever, so that offsets stay right.

Not how documents are parsed for the index: that may improve, and gold offsets may not move.
"""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pypdfium2

_SKIPPED = frozenset(["script", "style", "head", "title", "ix:header"])
_BLOCKS = re.compile(r"p|div|tr|table|br|hr|li|[uo]l|h[1-6]|section|article|center|d[ldt]|pre")
_CELLS = frozenset(["td", "th"])


def passage_text(file: Path, page: int) -> str:
    """The text of a PDF's page (from 0), or of a whole HTML, text or SGML file (page 0).

    SGML keeps its tags; only its character references are resolved.
    """
    if file.suffix == ".pdf":
        return page_text(file, page)
    raw = file.read_text(encoding="utf-8", errors="replace")
    if file.suffix == ".sgm":
        raw = unescape(raw)
    elif file.suffix in (".html", ".htm"):
        reader = _Plain()
        reader.feed(raw)
        reader.close()
        raw = "".join(reader.parts)
        return "\n".join(filter(None, (" ".join(line.split()) for line in raw.split("\n"))))
    return raw.replace("\r\n", "\n").replace("\r", "\n")


def page_text(file: Path, page: int) -> str:
    """The page (from 0) as pypdfium2 reads it, with line ends as one newline."""
    document = pypdfium2.PdfDocument(file)
    try:
        text: str = document[page].get_textpage().get_text_range()
    finally:
        document.close()
    return text.replace("\r\n", "\n").replace("\r", "\n")


class _Plain(HTMLParser):
    """Text with a newline for each block and a space for each cell."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._skipping = 0

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self._skipping += tag in _SKIPPED
        self._part(tag)

    def handle_startendtag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self._part(tag)

    def handle_endtag(self, tag: str) -> None:
        self._skipping -= tag in _SKIPPED and self._skipping > 0
        self._part(tag)

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self.parts.append(" ".join(data.split("\n")))

    def _part(self, tag: str) -> None:
        if _BLOCKS.fullmatch(tag):
            self.parts.append("\n")
        elif tag in _CELLS:
            self.parts.append(" ")
