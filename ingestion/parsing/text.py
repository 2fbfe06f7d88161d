"""Plain text and Markdown files to text; the words stay as they were written."""

from __future__ import annotations

import re
from pathlib import Path

from ingestion.parsing import detect, fixed_width, headings, transcripts, unseen_characters
from ingestion.parsing.parsed import Parsed, Section, Unreadable, clean, refuse_if_too_long

_ATX = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
_SETEXT = re.compile(r"^ {0,3}([^\s#>|*-][^\n]{0,150})\n {0,3}(=+|-{3,})[ \t]*$", re.MULTILINE)
_FENCE = re.compile(r"^ {0,3}(```|~~~).*?^ {0,3}\1[ \t]*$", re.MULTILINE | re.DOTALL)
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)\n", re.DOTALL)


def decode(data: bytes) -> str:
    """The characters of a text file: by its byte order mark, as UTF-8, else Windows-1252."""
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:].decode("utf-8", "replace")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if detect.is_utf16(data):
        big_endian = data[:2000:2].count(0) > data[1:2000:2].count(0)
        return data.decode("utf-16-be" if big_endian else "utf-16-le", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    # A few broken bytes in a long UTF-8 text do not make it Windows-1252.
    lenient = data.decode("utf-8", "replace")
    multibyte = sum(1 for character in lenient[:200_000] if character > "\x7f")
    if multibyte and lenient[:200_000].count("\ufffd") < 0.1 * multibyte:
        return lenient
    return data.decode("cp1252", "replace")


def parse(path: Path, media_type: str, max_characters: int) -> Parsed:
    """The whole file as one page; raises Unreadable when nothing but blanks is left."""
    # No encoding here takes more than four bytes for a character.
    refuse_if_too_long(path.stat().st_size // 4, max_characters)
    text = unseen_characters.drop(clean(decode(path.read_bytes()))).strip("\n")
    refuse_if_too_long(len(text), max_characters)
    if not text.strip():
        raise Unreadable("The file holds no text.")
    notes = []
    if "\ufffd" in text:
        notes.append("Some characters could not be decoded and were replaced.")
    metadata: dict[str, str] = {}
    if media_type == detect.MARKDOWN:
        sections = _markdown_sections(text)
        metadata = _front_matter(text)
        if "title" not in metadata and sections and sections[0]["level"] == 1:
            metadata["title"] = sections[0]["title"]
    else:
        sections = headings.recognise(text)
    tables = fixed_width.tables(text)
    if media_type == detect.MARKDOWN:
        tables = sorted([*fixed_width.bar_tables(text), *tables], key=lambda table: table["start"])
    return Parsed(
        text=text,
        media_type=media_type,
        sections=transcripts.with_turns(text, sections),
        tables=tables,
        metadata=metadata,
        notes=notes,
    )


def _markdown_sections(text: str) -> list[Section]:
    fences = [match.span() for match in _FENCE.finditer(text)]
    front = _FRONT_MATTER.match(text)
    if front:
        fences.append(front.span())
    found: list[Section] = [
        {"title": match[2], "level": len(match[1]), "start": match.start()}
        for match in _ATX.finditer(text)
    ]
    for match in _SETEXT.finditer(text):
        level = 1 if match[2].startswith("=") else 2
        found.append({"title": match[1].strip(), "level": level, "start": match.start()})
    outside = (s for s in found if not any(a <= s["start"] < b for a, b in fences))
    return sorted(outside, key=lambda section: section["start"])


def _front_matter(text: str) -> dict[str, str]:
    """The flat `key: value` lines before a Markdown text, those that we know."""
    front = _FRONT_MATTER.match(text)
    if not front:
        return {}
    known = {"title": "title", "author": "author", "company": "company", "ticker": "ticker"}
    known |= {"date": "published_on", "published": "published_on", "type": "document_type"}
    pairs = (line.partition(":") for line in front[1].splitlines())
    return {
        known[key.strip().lower()]: value.strip().strip("\"'")
        for key, _, value in pairs
        if key.strip().lower() in known and value.strip()
    }
