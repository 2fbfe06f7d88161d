"""603 feeds of a public test suite, odd and broken: each is read, and as its author expects."""

from __future__ import annotations

import codecs
import datetime as dt
import re
from collections import Counter
from pathlib import Path

import pytest

from ingestion.parsing import feed
from ingestion.parsing.parsed import Unreadable

SERVED_AT = "http://127.0.0.1:8097/tests/feed.xml"
EXPECTED = re.compile(rb"^\s*Expect:\s*(.+?)\s*$", re.MULTILINE)
HEADER = re.compile(rb"^\s*Header:\s*([\w-]+)\s*:\s*(.+?)\s*$", re.MULTILINE)
# What concerns the text and the links of a feed or of an entry.
TEXT_OR_LINK = re.compile(
    r"\['(title|description|summary|subtitle|tagline|content|link|links|href|info|copyright|rights"
    r"|title_detail|summary_detail|enclosures|id|guid)'\]"
)


def comment(data: bytes) -> tuple[str, dict[str, str]]:
    """The expectation, and the headers the feed is served with."""
    text = data
    if data[:4] in (b"\0\0\0<", b"\0\0\xfe\xff"):
        text = data.decode("utf-32-be").encode()
    elif data[:4] in (b"<\0\0\0", b"\xff\xfe\0\0"):
        text = data.decode("utf-32-le").encode()
    elif data[:2] in (b"\0<", b"\xfe\xff"):
        text = data.decode("utf-16-be", "replace").encode()
    elif data[:2] in (b"<\0", b"\xff\xfe"):
        text = data.decode("utf-16-le", "replace").encode()
    elif b"\x4c\x6f\xa7\x94" in data[:8]:
        text = data.decode("cp037", "replace").encode()
    headers = {
        name.decode().lower(): value.decode("latin-1") for name, value in HEADER.findall(text)
    }
    found = EXPECTED.search(text)
    return (found.group(1).decode("utf-8", "replace") if found else ""), headers


def _needs_another_codec(content: bytes) -> bool:
    needed = re.search(rb"SkipUnless:\s*__import__\('codecs'\)\.lookup\('([\w-]+)'\)", content)
    try:
        return bool(needed and not codecs.lookup(needed.group(1).decode()))
    except LookupError:
        return True


@pytest.mark.data
def test_every_feed_is_read_or_refused_in_words(data: Path, tmp_path: Path) -> None:
    files = sorted((data / "feeds_xml").iterdir())
    assert len(files) == 603
    outcome: Counter[str] = Counter()
    for path in files:
        _, headers = comment(path.read_bytes())
        try:
            found = feed.read(path, content_type=headers.get("content-type", ""))
        except Unreadable:
            outcome["refused"] += 1
            continue
        for entry in found["entries"]:
            assert all(isinstance(entry[name], str) for name in entry if name != "files")
        outcome["read"] += 1
    assert outcome == {"read": 603}


@pytest.mark.data
def test_texts_and_links_are_what_their_authors_expect(data: Path) -> None:
    agreed, differ = 0, []
    for path in sorted((data / "feeds_xml").iterdir()):
        content = path.read_bytes()
        expectation, headers = comment(content)
        if not TEXT_OR_LINK.search(expectation) or _needs_another_codec(content):
            continue
        # The claim about well-formedness is another matter.
        claim = re.sub(r"^(not )?bozo and ", "", expectation)
        try:
            result = feed.parse(content, {"content-location": SERVED_AT, **headers})
            right = bool(eval(claim, {"datetime": dt}, dict(result)))
        except (Unreadable, LookupError, AttributeError):
            right = False
        if right:
            agreed += 1
        else:
            differ.append(path.name)
    print(f"{agreed} of {agreed + len(differ)} agree; not: {differ}")
    assert agreed + len(differ) > 350
    assert agreed / (agreed + len(differ)) >= 0.99, differ
