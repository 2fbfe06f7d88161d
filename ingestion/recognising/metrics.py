"""Metrics by name: revenue, organic growth, free cash flow … with their synonyms kept as data."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ingestion.recognising.mention import METRIC, Found

DATA = Path(__file__).with_name("metrics.toml")
_WORD = re.compile(r"\w+(?:[&'’]\w+)*'?")
# Between two words of one name: a space or line end, a hyphen, comma, slash or ampersand.
_BETWEEN = re.compile(r"(?:\s+|[,.]?\s+&?\s*|\s*[-–/]\s*|['’]\s+)")

# first word -> [(all words, canonical name, unit, whether in capitals)], longest first
_Table = dict[str, list[tuple[tuple[str, ...], str, str, bool]]]


@cache
def known() -> dict[str, str]:
    """Canonical name -> unit: money, percent, per_share, count, days, ratio or any."""
    return {entry["name"]: entry["unit"] for entry in _entries()}


def metrics(text: str) -> Iterator[Found]:
    """The longest name at each place; a plural is the same metric."""
    words = [(match[0], match.start(), match.end()) for match in _WORD.finditer(text)]
    table = _table()
    index = 0
    while index < len(words):
        step = 1
        for parts, name, unit, shouted in table.get(_plain(words[index][0]), ()):
            if _matches(text, words, index, parts, shouted):
                start, end = words[index][1], words[index + len(parts) - 1][2]
                yield Found(start, end, METRIC, name, {"unit": unit})
                step = len(parts)
                break
        index += step


def _matches(
    text: str, words: list[tuple[str, int, int]], index: int, parts: tuple[str, ...], shouted: bool
) -> bool:
    if index + len(parts) > len(words):
        return False
    for offset, part in enumerate(parts):
        word, start, _ = words[index + offset]
        if _plain(word) != part or (shouted and not word.isupper() and not word[:-1].isupper()):
            return False
        if offset and not _BETWEEN.fullmatch(text, words[index + offset - 1][2], start):
            return False
    return True


@cache
def _table() -> _Table:
    table: _Table = {}
    for entry in _entries():
        for synonym in entry["synonyms"]:
            found = [match[0] for match in _WORD.finditer(synonym)]
            shouted = len(found) == 1 and (synonym.isupper() or synonym[:-1].isupper())
            parts = tuple(_plain(word) for word in found)
            table.setdefault(parts[0], []).append((parts, entry["name"], entry["unit"], shouted))
    for rows in table.values():
        rows.sort(key=lambda row: -len(row[0]))
    return table


@cache
def _entries() -> list[dict[str, str]]:
    return list(tomllib.loads(DATA.read_text(encoding="utf-8"))["metric"])


@cache
def _plain(word: str) -> str:
    """Small letters, and without the plural's "s"."""
    low = word.lower().replace("’", "'").rstrip("'")
    if low.endswith("ies") and len(low) > 4:
        return low[:-3] + "y"
    return low[:-1] if low.endswith("s") and not low.endswith("ss") and len(low) > 3 else low
