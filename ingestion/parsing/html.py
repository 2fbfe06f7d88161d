"""HTML and inline XBRL to text: blocks as lines, a table row as one line, hidden parts dropped."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lxml import etree, html

from ingestion.parsing import (
    detect,
    fixed_width,
    headings,
    html_reader,
    styled_headings,
    transcripts,
)
from ingestion.parsing.html_page import Page
from ingestion.parsing.parsed import Parsed, Unreadable, clean, refuse_if_too_long
from ingestion.parsing.text import decode

_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
_META_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"<\?xml[^>]+encoding\s*=\s*[\"']([\w-]+)", re.IGNORECASE)
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
    page = Page()
    page.write(html_reader.pieces(root))
    text = page.text()
    if not text.strip():
        raise Unreadable(_TOO_DEEP if cut else "The HTML has no text in its body.")
    refuse_if_too_long(len(text), max_characters)
    sections = headings.merge(page.sections, headings.recognise(text))
    taken = [section["start"] for section in sections]
    sections = headings.merge(sections, styled_headings.recognise(text, page.lines, taken))
    return Parsed(
        text=text,
        media_type=detect.HTML,
        sections=transcripts.with_turns(text, sections),
        tables=sorted([*page.tables, *fixed_width.tables(text)], key=lambda t: t["start"]),
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
    return html_reader.SPACES.sub(" ", clean(text)).strip()
