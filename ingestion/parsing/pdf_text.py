"""The frozen text of one PDF page, and the way back from its offsets to the page's characters.

PDFium counts characters its own way: generated spaces and line ends have no box, characters
without a Unicode value are not in the text, and its bulk call leaves out those beyond U+FFFF.
`read` and `normalise` are what is frozen at parsing; `character_indices` must mirror them.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from typing import Any

import pypdfium2.raw as pdfium

from ingestion.parsing import ligatures

# PDFium marks a hyphen at a line's end, after which it drops the line end, and a glyph without
# a Unicode value alike in its text; `read` tells them apart.
_HYPHEN = "\x02"
_UNKNOWN = "\ufffe"
_LIGATURES = {
    "\ufb00": "ff",
    "\ufb01": "fi",
    "\ufb02": "fl",
    "\ufb03": "ffi",
    "\ufb04": "ffl",
    "\ufb05": "st",
    "\ufb06": "st",
}
_EDITS = re.compile(
    r"[ \xa0\t]*(?:\r\n?|\n)(?:[ \xa0\t]*(?:\r\n?|\n))*|[\xa0\t\u2000-\u200a\u202f]"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u200b\ufeff\uffff\ufffe]"
    r"|[\ud800-\udfff]|[\ufb00-\ufb06]|\uf0b7"
)
WORDS = re.compile(r"\S+")
_WORD = re.compile(r"[^\W\d_]+")
_BROKEN_WORD = re.compile(rf"([^\W\d_]+){_HYPHEN}([^\W\d_]+)")
_WORD_BEFORE = re.compile(r"[^\W\d_]*\Z")


def read(textpage: Any) -> tuple[str, list[int] | None]:
    """The characters as PDFium has them and, where they are not one to one, their indices."""
    count = pdfium.FPDFText_CountChars(textpage)
    if count <= 0:
        return "", None
    # The call may write more than it was asked for when characters are inserted.
    buffer = (ctypes.c_ushort * (2 * count + 2))()
    written = pdfium.FPDFText_GetText(textpage, 0, count, buffer) - 1
    if written == count:
        text = bytes(buffer)[: 2 * written].decode("utf-16-le", "surrogatepass")
        return _tell_hyphens(textpage, text), None
    codes = [pdfium.FPDFText_GetUnicode(textpage, index) for index in range(count)]
    indices = [index for index, code in enumerate(codes) if 0 < code < 0x110000]
    return "".join(chr(codes[index]) for index in indices), indices


class Edits:
    """The frozen text of spans of one page's raw text, and where its characters come from."""

    def __init__(self, raw: str) -> None:
        self._raw = raw
        self._replacement = _replacement(raw)

    def text(self, start: int, end: int) -> str:
        """What is frozen of raw [start, end)."""
        if not _EDITS.search(self._raw, start, end):
            return self._raw[start:end]
        parts: list[str] = []
        position = start
        for match in _EDITS.finditer(self._raw, start, end):
            parts += [self._raw[position : match.start()], self._edit(match, end)]
            position = match.end()
        return "".join(parts) + self._raw[position:end]

    def origins(self, start: int, end: int) -> list[int]:
        """For every character of `text(start, end)`, its position in the raw text."""
        places: list[int] = []
        position = start
        for match in _EDITS.finditer(self._raw, start, end):
            places += range(position, match.start())
            places += [match.start()] * len(self._edit(match, end))
            position = match.end()
        places += range(position, end)
        return places

    def _edit(self, match: re.Match[str], end: int) -> str:
        # The rest of the word stands elsewhere in the text: its hyphen has to stay.
        if match[0] == _HYPHEN and match.end() == end:
            return "-"
        return self._replacement(match)


def normalise(raw: str) -> str:
    """The frozen text of a page from PDFium's characters."""
    return _EDITS.sub(_replacement(raw), raw).strip("\n")


def character_indices(raw: str, indices: list[int] | None) -> list[int]:
    """For every character of `normalise(raw)`, the index of its character in the PDF page."""
    replacement = _replacement(raw)
    origins: list[int] = []
    position = 0
    for match in _EDITS.finditer(raw):
        origins.extend(range(position, match.start()))
        origins.extend([match.start()] * len(replacement(match)))
        position = match.end()
    origins.extend(range(position, len(raw)))
    full = _EDITS.sub(replacement, raw)
    first = len(full) - len(full.lstrip("\n"))
    origins = origins[first : first + len(full.strip("\n"))]
    return origins if indices is None else [indices[origin] for origin in origins]


def _tell_hyphens(textpage: Any, text: str) -> str:
    if _UNKNOWN not in text:
        return text
    characters = list(text)
    for position, character in enumerate(characters):
        if character == _UNKNOWN:
            index = pdfium.FPDFText_GetCharIndexFromTextIndex(textpage, position)
            if index >= 0 and pdfium.FPDFText_GetUnicode(textpage, index) == ord(_HYPHEN):
                characters[position] = _HYPHEN
    return "".join(characters)


def _replacement(raw: str) -> Callable[[re.Match[str]], str]:
    words: frozenset[str] = frozenset()
    joined: frozenset[int] = frozenset()
    if _HYPHEN in raw or _UNKNOWN in raw:
        words = frozenset(_WORD.findall(raw.casefold()))
        joined = _joined_words(raw, words)

    def replace(match: re.Match[str]) -> str:
        found = match[0]
        if found == _HYPHEN:
            return "" if match.start() in joined else "-"
        if found == _UNKNOWN:
            return _guess(raw, match.start(), words)
        return _plain(found)

    return replace


def _plain(found: str) -> str:
    if found in _LIGATURES:
        return _LIGATURES[found]
    if found[-1] in "\r\n":
        breaks = found.replace("\r\n", "\n").replace("\r", "\n").count("\n")
        return "\n\n" if breaks > 1 else "\n"
    if (found.isspace() and found >= "\xa0") or found == "\t":
        return " "
    if "\ud800" <= found <= "\udfff":
        return "\ufffd"
    return "•" if found == "\uf0b7" else ""


def _guess(raw: str, position: int, words: frozenset[str]) -> str:
    before = _WORD_BEFORE.search(raw[max(0, position - 30) : position])
    after = _WORD.match(raw, position + 1)
    return ligatures.restore(before[0] if before else "", after[0] if after else "", words)


def _joined_words(raw: str, words: frozenset[str]) -> frozenset[int]:
    """Positions of hyphens that only broke a word: the whole word stands elsewhere on the page.

    In filings nearly every hyphen at a line's end belongs to the word ("long-term").
    """
    return frozenset(
        match.end(1)
        for match in _BROKEN_WORD.finditer(raw)
        if (match[1] + match[2]).casefold() in words
    )
