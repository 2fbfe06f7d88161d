"""Where a quote stands in a text, to the character; pure.

Only what print and encoding change is evened out: white space, hyphens at line ends, quotation
marks, dashes, ligatures, full-width forms, characters without width. Letter case counts. Trap:
superscript digits are not evened out, because "$5.1¹" would then say 5.11.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# Stands for a hyphen at a line end, which may belong to the word or to the print.
_BROKEN = "\x01"
_QUOTES = {
    **dict.fromkeys("‘’‚‛`´′ʼ＇", "'"),
    **dict.fromkeys("“”„‟«»″＂", '"'),
    **dict.fromkeys("‐‑‒–—―−﹘﹣－", "-"),
}
_KEPT_APART = ("<super>", "<sub>", "<fraction>", "<circle>", "<square>", "<vertical>")
_LINE_HYPHEN = re.compile(r"(?<=[^\W\d_])[-‐\xad][^\S\n]*\n\s*(?=[^\W\d_])")
# Text that these enclose is shown in another order than it is stored.
REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
_ATTACHED_BEFORE = re.compile(r"[-(+~$€£¥₹₩.,]*[-(+~$€£¥₹₩]\s?$|[\d][\d.,]*$")
_ATTACHED_AFTER = re.compile(
    r"[.,]?\d[\d.,]*|\)?\s?%\)?|\)|"
    r"[\s-]{1,3}(?:thousand|million|billion|trillion|percent(?:age points?)?|per cent|"
    r"basis points?|bps)\b|\s?(?:mm|mn|bn|tn|[kKmMbB])\b"
)


@dataclass(frozen=True, slots=True)
class Folded:
    """`text` evened out; character i of it stands at `offsets[i]` of the original."""

    text: str
    offsets: tuple[int, ...]
    ends: tuple[int, ...]


def fold(text: str) -> str:
    """The text evened out; a hyphen at a line end and the line end are gone."""
    return _fold(text).text.replace(_BROKEN, "")


@lru_cache(maxsize=256)
def _fold(text: str) -> Folded:
    broken = {match.start(): match.end() for match in _LINE_HYPHEN.finditer(text)}
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    index, length = 0, len(text)
    while index < length:
        after = broken.get(index)
        if after is not None:
            piece = _BROKEN
        else:
            after = index + 1
            while after < length and unicodedata.combining(text[after]):
                after += 1
            piece = _plain(text[index:after])
        if piece == " " and (not out or out[-1] == " "):
            piece = ""
        for character in piece:
            out.append(character)
            starts.append(index)
            ends.append(after)
        index = after
    while out and out[-1] == " ":
        out.pop()
    return Folded("".join(out), tuple(starts[: len(out)]), tuple(ends[: len(out)]))


@lru_cache(maxsize=8192)
def _plain(cluster: str) -> str:
    """One character with its combining marks, evened out; empty for one without width."""
    if cluster in _QUOTES:
        return _QUOTES[cluster]
    if len(cluster) == 1:
        if cluster.isspace():
            return " "
        if ord(cluster) < 128:
            return cluster if cluster.isprintable() else ""
        if unicodedata.category(cluster) in ("Cf", "Cc"):
            return ""
        if unicodedata.decomposition(cluster).startswith(_KEPT_APART):
            return cluster
        return unicodedata.normalize("NFKC", cluster)
    return unicodedata.normalize("NFC", "".join(map(_plain, cluster)))


def locate(quote: str, text: str, start: int, end: int) -> tuple[int, int] | None:
    """Offsets into `text` of the quote's first occurrence within `text[start:end]`, or None.

    It must begin and end with whole words; what is glued to a figure at its edge (a sign, a
    parenthesis, "%", "million") belongs to the span that is returned.
    """
    wanted = fold(quote)
    passage = _fold(text[start:end])
    if not wanted or len(wanted) > len(passage.text):
        return None
    for low, high in _occurrences(wanted, passage.text):
        if _is_whole(passage.text, low, high):
            return _widened(text, start + passage.offsets[low], start + passage.ends[high - 1], end)
    return None


def _occurrences(wanted: str, text: str) -> list[tuple[int, int]]:
    if _BROKEN not in text:
        found: list[tuple[int, int]] = []
        low = text.find(wanted)
        while low >= 0 and len(found) < 50:
            found.append((low, low + len(wanted)))
            low = text.find(wanted, low + 1)
        return found
    # Each mark is optional and stands for nothing else, so this never tries anything twice.
    pattern = "".join(
        f"[-{_BROKEN}]" if character == "-" else f"{re.escape(character)}{_BROKEN}?"
        for character in wanted
    )
    return [match.span() for match, _ in zip(re.finditer(pattern, text), range(50), strict=False)]


def _is_whole(text: str, low: int, high: int) -> bool:
    before = text[low - 1] if low else " "
    after = text[high] if high < len(text) else " "
    return not (_joins(before, text[low]) or _joins(text[high - 1], after))


def _joins(left: str, right: str) -> bool:
    return ((left.isalnum() or left in "_'" + _BROKEN) and right.isalnum()) or right == _BROKEN


def _widened(text: str, start: int, end: int, limit: int) -> tuple[int, int]:
    """The span with what is glued to a figure at its edges."""
    if text[start].isdigit():
        before = _ATTACHED_BEFORE.search(text[max(0, start - 24) : start])
        if before:
            start = max(0, start - 24) + before.start()
    # Twice: "5.1" then "million".
    for _ in range(2):
        tail = text[max(start, end - 24) : end]
        after = _ATTACHED_AFTER.match(text, end) if re.search(r"\d\)?%?$", tail) else None
        if after and after.end() <= limit:
            end = after.end()
    return start, end


def around(text: str, start: int, end: int, low: int, high: int) -> tuple[int, int]:
    """The whole sentences (or line of a table) that hold `text[start:end]`, in [low, high)."""
    low, high = max(low, start - 400), min(high, end + 400)
    stops = re.compile(r"[.!?][\"'”’)]*\s+(?=[\"'“‘(]?[A-Z0-9])|\n\s*\n")
    for match in stops.finditer(text, low, start):
        low = match.end()
    following = stops.search(text, max(start, end - 2), high)
    return low, max(end, following.start() + 1) if following else high
