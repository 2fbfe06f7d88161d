"""Headings that a page marks by bold or centred lines only, as most filings do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from ingestion.parsing.html_page import PageLine, Set
from ingestion.parsing.parsed import Section

_LONGEST = 140
_MOST_IN_A_ROW, _MOST_REPEATS = 3, 8
_ENDS = (".", ",", ";", "?", "!", "…")
_NUMBERED = re.compile(
    r"^(?:item|part|note|section|chapter|exhibit|schedule|\d+\.|[A-Z]\.)\b", re.IGNORECASE
)
_NO_TITLE = re.compile(
    r"^(?:table of contents|index|page|\(?continued\)?|\(?unaudited\)?|or|and|x|none|by:.*|/s/.*"
    r"|[_\W\d]*|.*(?:\.{4,}|_{4,}).*|\(.*\)|[•●].*)$",
    re.IGNORECASE,
)


def recognise(text: str, lines: Sequence[PageLine], taken: Sequence[int]) -> list[Section]:
    """Short bold or centred capital lines; `taken` are the starts of lines that are headings
    already. Lines in rows of more than three, as on a cover, are none."""
    begun = set(taken)
    found: list[Section] = []
    pending: list[Section] = []
    row = 0
    for line in lines:
        words = " ".join(text[line.start : line.end].split()) if _may_be(line) else ""
        level = _level(words, line.style) if words and not line.in_table else 0
        if not level and line.start not in begun:
            found += pending if row <= _MOST_IN_A_ROW else []
            pending, row = [], 0
            continue
        row += 1
        if line.start not in begun:
            start = (
                line.start
                + len(text[line.start : line.end])
                - len(text[line.start : line.end].lstrip())
            )
            pending.append({"title": words, "level": level, "start": start})
    found += pending if row <= _MOST_IN_A_ROW else []
    counts = Counter(section["title"].casefold() for section in found)
    starts = {line.start: after.start for line, after in pairwise(lines)} if lines else {}
    heads = begun | {section["start"] for section in found}
    return [
        section
        for section in found
        if (count := counts[section["title"].casefold()]) < _MOST_REPEATS
        # The company's name over each of its statements.
        and not (count > 2 and starts.get(section["start"]) in heads)
    ]


def _may_be(line: PageLine) -> bool:
    return line.end - line.start <= 2 * _LONGEST


def _level(words: str, style: Set) -> int:
    """3 for capitals or centred, 4 for bold, 5 for bold and italic; 0 where it is no heading."""
    if style & Set.LINKED or not 3 <= len(words) <= _LONGEST or _NO_TITLE.match(words):
        return 0
    capitals = words.isupper() and sum(map(str.isalpha, words)) >= 4
    if not (style & Set.BOLD or (capitals and style & Set.CENTRED)):
        return 0
    if not (words[0].isupper() or words[0].isdigit() or words[0] in "“\"'"):
        return 0
    if words.endswith(_ENDS) and not _NUMBERED.match(words) and not words.endswith("Inc."):
        return 0
    if " | " in words or sum(map(str.isalpha, words)) < len(words) / 2:
        return 0
    if capitals or style & Set.CENTRED:
        return 3
    return 5 if style & Set.ITALIC else 4
