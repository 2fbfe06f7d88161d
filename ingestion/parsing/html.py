"""HTML and inline XBRL to text: blocks as lines, a table row as one line, hidden parts dropped."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lxml import etree, html

from ingestion.parsing import detect, headings
from ingestion.parsing.parsed import Parsed, Section, Unreadable, clean, refuse_if_too_long
from ingestion.parsing.table_rows import join_cells
from ingestion.parsing.text import decode

_DROPPED = frozenset(
    [
        "head",
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "iframe",
        "object",
        "embed",
        "select",
        "option",
        "button",
        "ix:header",
        "math",
        "canvas",
        "audio",
        "video",
    ]
)
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
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
        "tbody",
        "tfoot",
        "thead",
        "title",
        "tr",
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
_SPACED = frozenset(["p", "h1", "h2", "h3", "h4", "table", "ul", "ol"])
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
_META_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"<\?xml[^>]+encoding\s*=\s*[\"']([\w-]+)", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\n\r\xa0\u2000-\u200a\u202f]+")
# The edge of a block and of a paragraph; however many meet, they are one line end or one blank.
_EDGE, _PARAGRAPH = "\x03", "\x04"
_BREAKS = re.compile(r"[ \t]*(?:[\n\x03\x04][ \t]*)+")
# Where a heading begins, followed by its level; the text itself holds no control characters.
_MARK, _MARK_END = "\x01", "\x02"
_MARKED = re.compile("\x01(\\d)([^\x01\x02]*)\x02")
_DEI = {
    "dei:EntityRegistrantName": "company",
    "dei:DocumentType": "document_type",
    "dei:DocumentPeriodEndDate": "period_end",
    "dei:DocumentFiscalYearFocus": "fiscal_year",
    "dei:DocumentFiscalPeriodFocus": "fiscal_period",
    "dei:TradingSymbol": "ticker",
    "dei:CurrentFiscalYearEndDate": "fiscal_year_end",
}
_TOO_DEEP = "The HTML is damaged: its tags are nested too deeply to be read."


def parse(path: Path, max_characters: int) -> Parsed:
    """The visible text as one page; raises Unreadable when nothing is visible."""
    # Markup is rarely more than thirty times its text; more is an attack or no document.
    refuse_if_too_long(path.stat().st_size // 32, max_characters)
    data = path.read_bytes()
    root, cut = _tree(data)
    metadata = _metadata(root)
    marked = _text(root)
    text, sections = _unmark(marked)
    if not text.strip():
        raise Unreadable(_TOO_DEEP if cut else "The HTML has no text in its body.")
    refuse_if_too_long(len(text), max_characters)
    return Parsed(
        text=text,
        media_type=detect.HTML,
        sections=headings.merge(sections, headings.recognise(text)),
        metadata=metadata,
        notes=["Tags nested too deeply; the text after that point was left out."] if cut else [],
    )


def _tree(data: bytes) -> tuple[Any, bool]:
    """The tree, and whether the parser stopped before the end."""
    if data.startswith(_WIDE_MARKS) or detect.is_utf16(data):
        data = decode(data).encode("utf-8", "replace")
    # No network, no DTD. The usual limits (a depth of 256, 10 MB of text in a piece) would end the
    # text without a word where tags are never closed, as in older filings; these allow 2,048.
    parser = html.HTMLParser(
        encoding=encoding(data),
        no_network=True,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = html.document_fromstring(data.replace(b"\0", b""), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError) as error:
        raise Unreadable("The HTML has no text in its body.") from error
    cut = any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log)
    return root, cut


def encoding(data: bytes) -> str:
    """The encoding by mark, declaration, or whether the bytes are valid UTF-8."""
    if data.startswith(b"\xef\xbb\xbf"):
        return "utf-8"
    declared = _XML_ENCODING.search(data[:1024]) or _META_CHARSET.search(data[:4096])
    name = declared[1].decode("ascii").lower() if declared else ""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        # Browsers read Latin-1 as Windows-1252, and so do the people who wrote the page.
        latin = ("", "utf-8", "utf8", "ascii", "us-ascii", "iso-8859-1", "latin1", "latin-1")
        return "windows-1252" if name in latin else _known(name)
    return "utf-8"


def _known(name: str) -> str:
    try:
        html.HTMLParser(encoding=name)
    except LookupError:
        return "windows-1252"
    return name


def _metadata(root: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for element in root.iter("ix:nonnumeric", "ix:nonfraction"):
        name = _DEI.get(element.get("name", ""))
        if name and name not in found:
            value = _squeeze(element.text_content())
            if value:
                found[name] = value
    title = root.find(".//head/title")
    if title is not None and title.text:
        found["title"] = _squeeze(title.text)
    names = {"author": "author", "date": "published_on", "dc.date": "published_on"}
    names |= {"article:published_time": "published_on", "og:title": "title"}
    for element in root.iter("meta"):
        key = names.get((element.get("name") or element.get("property") or "").lower())
        value = _squeeze(element.get("content") or "")
        if key and value and key not in found:
            found[key] = value
    return found


def _squeeze(text: str) -> str:
    return _SPACES.sub(" ", clean(text)).strip()


def _is_dropped(element: Any) -> bool:
    if element.tag in _DROPPED or "hidden" in element.attrib:
        return True
    style = element.get("style")
    return bool(style and _HIDDEN.search(style))


class _Writer:
    """Collects text; inside a table cell into that cell, so that a row becomes one line."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.outer: list[list[str]] = []
        self.rows: list[list[str]] = []
        self.preformatted = 0

    def words(self, text: str | None) -> None:
        if text:
            text = clean(text)
            self.parts.append(text if self.preformatted else _SPACES.sub(" ", text))

    def start(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.parts.append(_PARAGRAPH if tag in _SPACED else _EDGE)
        if tag in _HEADINGS:
            self.parts.append(f"{_MARK}{_HEADINGS[tag]}")
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.outer.append(self.parts)
            self.parts = []
        elif tag == "br":
            self.parts.append("\n")
        elif tag == "pre":
            self.preformatted += 1
        elif tag == "li":
            self.parts.append("• ")

    def end(self, tag: str) -> None:
        if tag in ("td", "th") and self.rows and self.outer:
            self.rows[-1].append(_settle("".join(self.parts)))
            self.parts = self.outer.pop()
        elif tag == "tr" and self.rows:
            self.parts.append(join_cells(self.rows.pop()))
        elif tag == "pre":
            self.preformatted -= 1
        if tag in _HEADINGS:
            self.parts.append(_MARK_END)
        if tag in _BLOCKS:
            self.parts.append(_PARAGRAPH if tag in _SPACED else _EDGE)


def _text(root: Any) -> str:
    writer = _Writer()
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        tag = element.tag
        if not isinstance(tag, str):
            if event == "end":
                writer.words(element.tail)
            continue
        if event == "start":
            if _is_dropped(element):
                walk.skip_subtree()
                continue
            writer.start(tag)
            writer.words(element.text)
        else:
            if not _is_dropped(element):
                writer.end(tag)
            writer.words(element.tail)
    while writer.outer:
        # Unclosed cells cannot come from a parsed tree, but no word may be lost.
        writer.outer[-1].extend(writer.parts)
        writer.parts = writer.outer.pop()
    return _settle("".join(writer.parts)).strip()


def _settle(text: str) -> str:
    """The text with its edges as line ends, and no more than one blank line at a time."""
    return _BREAKS.sub(
        lambda match: "\n\n" if _PARAGRAPH in match[0] or match[0].count("\n") > 1 else "\n", text
    )


def _unmark(marked: str) -> tuple[str, list[Section]]:
    """The text without heading marks, and the headings with their offsets in it."""
    sections: list[Section] = []
    parts: list[str] = []
    position = length = 0
    for match in _MARKED.finditer(marked):
        before = marked[position : match.start()]
        title = _squeeze(match[2])
        if title:
            start = length + len(before) + (len(match[2]) - len(match[2].lstrip()))
            sections.append({"title": title[:300], "level": int(match[1]), "start": start})
        parts += [before, match[2]]
        length += len(before) + len(match[2])
        position = match.end()
    parts.append(marked[position:])
    # Marks of headings within headings are left over; they are of equal use to nobody.
    text = "".join(parts)
    if _MARK in text or _MARK_END in text:
        return re.sub(f"{_MARK}\\d|{_MARK_END}", "", text), []
    return text, sections
