"""The entries of an RSS, Atom or CDF feed, however wrong its XML or its encoding.

Trap: titles and texts are HTML that was cleaned, not plain text; `plain` makes words of it. Only
the first entries of a very long feed are read.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feedparser
import lxml.html

from ingestion.parsing.parsed import Unreadable

MOST_ENTRIES = 2_000
LARGEST_FEED = 64 * 1_048_576
# What is read when the ends of the entries cannot be counted in the bytes.
LARGEST_UNCOUNTED = 4 * 1_048_576
MOST_ENTITIES = 300
LONGEST_ENTITY = 1_000
_ENTRY_ENDS = re.compile(rb"</(?:\w{1,20}:)?(?:item|entry)\s*>", re.IGNORECASE)
_ROOT = re.compile(rb"<(?:\w{1,20}:)?(?:rss|rdf|feed|channel)[\s>]", re.IGNORECASE)
_ENTITY = re.compile(rb"<!ENTITY\s+(?:%\s+)?[^\s>]{1,200}\s+([^>]{0,4000})", re.IGNORECASE)
_NO_FAULT_OF_XML = (feedparser.NonXMLContentType, feedparser.CharacterEncodingOverride)
_REFERENCE = re.compile(rb"[&%][A-Za-z_][\w.-]*;")
_KNOWN_REFERENCES = frozenset({b"&amp;", b"&lt;", b"&gt;", b"&quot;", b"&apos;"})


def read(path: Path, *, content_type: str) -> dict[str, Any]:
    """{"title", "entries", "notes", "listed"}; an entry is a dict of words, see `_entry`.

    Links are as they are written, unless the feed states its base.
    Raises Unreadable in words for what is no feed at all, and for XML made to exhaust its reader.
    """
    with path.open("rb") as file:
        data = file.read(LARGEST_FEED + 1)
    short, listed = shortened(data)
    # Not where it came from: an id that looks like a path must not change with the server's name.
    result = parse(short, {"content-type": content_type} if content_type else {})
    if not result.entries and not result.get("version") and not _ROOT.search(data[:65_536]):
        raise Unreadable("This is no feed: it lists nothing and has no name.")
    notes = []
    if result.bozo and not isinstance(result.get("bozo_exception"), _NO_FAULT_OF_XML):
        complaint = str(result.get("bozo_exception") or "").splitlines()
        notes.append(f"Its XML is not quite right: {(complaint or ['no reason'])[0][:200]}.")
    if listed > len(result.entries) >= MOST_ENTRIES:
        notes.append(f"It lists {listed:,} items; the first {len(result.entries):,} are read.")
    return {
        "title": plain(str(result.feed.get("title") or ""))[:500],
        "entries": [_entry(entry) for entry in result.entries[:MOST_ENTRIES]],
        "listed": max(listed, len(result.entries)),
        "notes": notes,
    }


def parse(data: bytes, headers: Mapping[str, str]) -> Any:
    """feedparser's result; Unreadable for XML made to exhaust its reader."""
    _refuse_bombs(data)
    try:
        # Given as a file, because a short text might be taken for an address to fetch.
        return feedparser.parse(_Bytes(data), response_headers=dict(headers))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable(
            f"The feed cannot be read ({type(error).__name__}: {str(error)[:200]})."
        ) from error


class _Bytes:
    """No more than what feedparser needs of a file."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, _: int = -1) -> bytes:
        data, self._data = self._data, b""
        return data

    def close(self) -> None:
        """Nothing to close."""


def shortened(data: bytes) -> tuple[bytes, int]:
    """The feed without the entries after the first 2,000, still whole, and how many it lists."""
    kept = last = listed = 0
    for match in _ENTRY_ENDS.finditer(data):
        listed += 1
        last = match.end()
        if listed == MOST_ENTRIES:
            kept = last
    if listed > MOST_ENTRIES:
        data = data[:kept] + data[last:]
    if len(data) > LARGEST_UNCOUNTED and not listed:
        raise Unreadable("This is too large for a feed in which no items can be counted.")
    return data, listed


def _refuse_bombs(data: bytes) -> None:
    """Entities that name others, or long ones used often, grow without end."""
    # UTF-16 is ASCII with zeros between, as far as this matters.
    head = data[:2_000_000].replace(b"\0", b"")
    if b"<!ENTITY" not in head.upper():
        return
    entities = list(_ENTITY.finditer(head))
    if len(entities) > MOST_ENTITIES:
        raise Unreadable("Its XML declares more entities than any feed needs.")
    for match in entities:
        value = match.group(1)
        if re.match(rb"SYSTEM|PUBLIC", value, re.IGNORECASE):
            continue  # Never read: old feeds name the entities of HTML that way.
        nested = set(_REFERENCE.findall(value)) - _KNOWN_REFERENCES
        if nested or len(value) > LONGEST_ENTITY:
            raise Unreadable("Its XML declares entities that unfold into more and more text.")


def _entry(entry: Any) -> dict[str, Any]:
    """{"id", "url", "files", "title", "html", "published", "updated"}: words, ISO times or ""."""
    content = [part.get("value", "") for part in entry.get("content", ()) if part.get("value")]
    files = [
        str(link.get("href") or "")
        for link in [*entry.get("enclosures", ()), *entry.get("links", ())]
        if "pdf" in str(link.get("type", "")).lower() and link.get("href")
    ]
    return {
        "id": str(entry.get("id") or "")[:2_000],
        "url": str(entry.get("link") or ""),
        "files": list(dict.fromkeys(files))[:10],
        "title": plain(str(entry.get("title") or ""))[:500],
        "html": max([*content, str(entry.get("summary") or "")], key=len),
        "published": _time(entry, "published") or _time(entry, "created"),
        "updated": _time(entry, "updated"),
    }


def _time(entry: Any, name: str) -> str:
    # Not the method of feedparser, which gives one time for another that is missing.
    stated = dict.get(entry, f"{name}_parsed")
    try:
        return datetime.fromtimestamp(calendar.timegm(stated), UTC).isoformat() if stated else ""
    except (ValueError, OverflowError, OSError, TypeError):
        return ""


def plain(markup: str) -> str:
    """The words of a piece of HTML on one line."""
    if "<" in markup or "&" in markup:
        try:
            tree: Any = lxml.html.fromstring(f"<div>{markup}</div>")
            markup = str(tree.text_content())
        except (ValueError, lxml.etree.LxmlError):
            markup = re.sub(r"<[^>]{0,1000}>", " ", markup)
    return " ".join(markup.replace("\0", "").split())
