"""A page's tree to pieces in reading order: what a reader sees, cells gathered into tables."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from ingestion.parsing import html_tables, unseen_characters
from ingestion.parsing.hidden import Look, Sight
from ingestion.parsing.html_page import Break, Mark, Set
from ingestion.parsing.html_tables import Cell, OpenTable
from ingestion.parsing.parsed import clean

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "title",
        "ul",
        "document",
        "type",
        "sequence",
        "filename",
        "description",
        "text",
        "page",
    ]
)
_SPACED = frozenset(["p", "h1", "h2", "h3", "h4", "ul", "ol"])
_TABLE_PARTS = frozenset(["table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th"])
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
SPACES = re.compile(r"[ \t\n\r\xa0\u2000-\u200a\u202f]+")
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")


def pieces(root: Any) -> list[Any]:
    """Words, breaks, heading marks and tables, for a page to be written of."""
    reader = _Reader()
    sight = Sight(root)
    looks: list[Look | None] = [sight.start]
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        tag = element.tag
        if event == "start":
            look = sight.look(element, looks[-1]) if isinstance(tag, str) and looks[-1] else None
            looks.append(look)
            if look is None:
                walk.skip_subtree()
                continue
            reader.start(tag, element)
            reader.words(element.text, look)
        else:
            if looks.pop() is not None:
                reader.end(tag, element)
            if looks[-1] is not None and len(looks) > 1:
                reader.words(element.tail, looks[-1])
    reader.close_loose()
    return reader.root


def _is_typed(text: str) -> bool:
    """Whether a text is lines of a typewriter, as filings of the nineties are, and no HTML."""
    lines = text.count("\n")
    return lines >= 12 and len(text) < 140 * lines and len(_BLANK_LINE.findall(text)) >= 3


class _Reader:
    """Collects pieces; inside a table cell into that cell."""

    def __init__(self) -> None:
        self.root: list[Any] = []
        self.open: list[OpenTable | Cell] = []
        self.preformatted = self.linked = 0
        # Of the tags that open something, whether they did.
        self.opened: list[bool] = []

    @property
    def pieces(self) -> list[Any]:
        """Where pieces go now; a table without an open cell gets one for stray words."""
        if not self.open:
            return self.root
        if isinstance(self.open[-1], OpenTable):
            table = self.open[-1]
            cell = Cell(loose=True)
            table.rows.append([cell])
            table.in_head.append(False)
            self.open.append(cell)
        top = self.open[-1]
        assert isinstance(top, Cell)
        return top.pieces

    def words(self, text: str | None, look: Look) -> None:
        """Adds text that stands in an element of this look, unless nobody sees it there."""
        if not text or not look.seen:
            return
        text = unseen_characters.drop(clean(text))
        pre = bool(self.preformatted) or _is_typed(text)
        words = text.replace("\xa0", " ").expandtabs() if pre else SPACES.sub(" ", text)
        blank = not words.strip()
        if not words or (blank and self.open and isinstance(self.open[-1], OpenTable)):
            return
        style = Set.PLAIN
        for holds, flag in (
            (pre, Set.PRE),
            (look.bold, Set.BOLD),
            (look.centred, Set.CENTRED),
            (look.italic, Set.ITALIC),
            (self.linked, Set.LINKED),
        ):
            if holds:
                style |= flag
        self.pieces.append((words, style))
        if self.open and not blank:
            cell = self.open[-1]
            assert isinstance(cell, Cell)
            cell.add(len(words), words.strip().count("\n"), bold=look.bold)

    def start(self, tag: str, element: Any) -> None:
        """Opens an element that is seen."""
        if tag in _TABLE_PARTS:
            self.opened.append(self._start_part(tag, element))
            return
        if tag in _BLOCKS:
            self._break(Break.PARAGRAPH if tag in _SPACED else Break.EDGE)
        if tag in _HEADINGS:
            self.pieces.append(Mark(_HEADINGS[tag]))
        elif tag == "br":
            self._break(Break.LINE)
        elif tag == "pre":
            self.preformatted += 1
        elif tag == "li":
            self.pieces.append(("• ", Set.PLAIN))
        elif tag == "a" and (element.get("href") or "").startswith("#"):
            self.linked += 1

    def end(self, tag: str, element: Any) -> None:
        """Closes an element that was started."""
        if tag in _TABLE_PARTS:
            if self.opened.pop():
                self._end_part(tag, element)
            return
        if tag == "pre":
            self.preformatted -= 1
        elif tag == "a" and (element.get("href") or "").startswith("#"):
            self.linked -= 1
        if tag in _HEADINGS:
            self.pieces.append(Mark(0))
        if tag in _BLOCKS:
            self._break(Break.PARAGRAPH if tag in _SPACED else Break.EDGE)

    def close_loose(self) -> None:
        """Ends the cell that stray words were put into."""
        if self.open and isinstance(self.open[-1], Cell) and self.open[-1].loose:
            self.open.pop()

    def _break(self, kind: Break) -> None:
        if self.open and isinstance(self.open[-1], OpenTable):
            return
        self.pieces.append(kind)
        if self.open and isinstance(self.open[-1], Cell):
            self.open[-1].broken = True

    def _start_part(self, tag: str, element: Any) -> bool:
        """Whether this part of a table opens something that its end will close."""
        if tag == "table":
            if self.open and isinstance(self.open[-1], OpenTable):
                self.pieces.append(Break.PARAGRAPH)
            role = (element.get("role") or "").lower()
            self.open.append(OpenTable(presentation=role in ("presentation", "none")))
            # Columns set by blanks, as before tables had rows.
            self.preformatted += next(element.iter("tr"), None) is None
            return True
        self.close_loose()
        table = self.open[-1] if self.open else None
        if not isinstance(table, OpenTable):
            self._break(Break.EDGE)
            return False
        if tag == "tr" or (tag in ("td", "th") and not table.rows):
            table.rows.append([])
            table.in_head.append(table.thead)
        if tag == "thead":
            table.thead = True
        elif tag == "caption":
            table.caption = Cell()
            self.open.append(table.caption)
        elif tag in ("td", "th"):
            cell = html_tables.open_cell(element)
            table.rows[-1].append(cell)
            self.open.append(cell)
        return True

    def _end_part(self, tag: str, element: Any) -> None:
        self.close_loose()
        if tag in ("td", "th", "caption"):
            self.open.pop()
        elif tag == "thead":
            table = self.open[-1]
            assert isinstance(table, OpenTable)
            table.thead = False
        elif tag == "table":
            table = self.open.pop()
            assert isinstance(table, OpenTable)
            self.preformatted -= next(element.iter("tr"), None) is None
            written = html_tables.close(table)
            self.pieces.append(written)
            if self.open and isinstance(self.open[-1], Cell):
                self.open[-1].take(table, written)
