"""What stands above a table of numbers on a PDF page: column heads, scale and caption."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingestion.parsing.pdf_cells import ReadLine
from ingestion.parsing.pdf_layout import Segment

_SCALE = re.compile(
    r"(?:^|\(|unaudited[;,]?)\s*((?:(?:u\.?s\.?|dollars?|amounts?|figures|shares|all|are|and|tabular|presented"
    r"|expressed|stated|usd|[$€£¥])\s+){0,5}(?:(?:in\s+|[$€£¥]\s*)?(?:thousands|millions|billions)"
    r"|(?:in\s+|[$€£¥]\s*)(?:thousand|million|billion))\b"
    r"[^()\n|]{0,90})",
    re.IGNORECASE,
)
_TITLE = re.compile(
    r"consolidated|statements? of|subsidiar|table of contents|^(?:item|part|note) \d", re.IGNORECASE
)
_SENTENCE = re.compile(r"[.;]$")
# How far the ends of a column's numbers may lie apart: a bracket or a per cent sign.
NEAR = 9.0
_MOST_HEADS = 7
_WORDS_OF_HEAD = 6
# A head stands over a column whose numbers end no farther right of its middle than this.
_BEFORE_COLUMNS = 60.0
_HALF_A_NUMBER = 15.0
_LONGEST_CAPTION = 4
_LONGEST_TITLE = 130


def heads_of(read: Sequence[ReadLine], start: int, least: int) -> tuple[int, int]:
    """First line of the heads above the first numbers at `start`, and first line of the body."""
    cells = [cell for one in read[start : start + 12] for cell in one.cells]
    left = min(cell[0].left for cell in cells) - 30
    first = after = start
    index = start - 1
    while index >= max(least, start - _MOST_HEADS):
        one = read[index]
        gap = one.line.bottom - read[index + 1].line.top
        height = max(one.line.top - one.line.bottom, 1.0)
        if gap > 3.5 * height or gap < -60 * height:
            break
        if _is_head(one, left):
            after = index + 1 if first == start else after
            known = first != start
            first = index
            # "(in millions)" closes a title: what stands above it belongs to that.
            if known and not one.years and _SCALE.match(one.text) and len(one.line.segments) == 1:
                break
        elif not _is_label(one, left):
            break
        index -= 1
    return first, after


def _is_head(one: ReadLine, left: float) -> bool:
    if one.years or (len(one.text) < 150 and _SCALE.search(one.text)):
        return True
    if one.cells or _TITLE.search(one.text):
        return False
    over = [s for s in one.line.segments if (s.left + s.right) / 2 > left]
    crossing = [s for s in one.line.segments if s.left < left - 30 and s.right > left + 60]
    if not over or (crossing and max(len(s.words) for s in crossing) > _WORDS_OF_HEAD):
        return False
    if max(len(s.words) for s in one.line.segments) > 2 * _WORDS_OF_HEAD:
        return False
    label = [s for s in one.line.segments if s not in over]
    return sum(len(s.words) for s in label) < 10 and not _SENTENCE.search(one.text)


def _is_label(one: ReadLine, left: float) -> bool:
    """A short heading within the table, as "ASSETS" between the years and the first number."""
    return not one.cells and one.line.right < left + 60 and len(one.text) < 80


def heads_of_columns(lines: Sequence[ReadLine], columns: list[float], raw: str) -> str:
    """Heads over all columns first, then each column's own words from top to bottom."""
    spanning: list[str] = []
    own: dict[int, list[str]] = {}
    parts = [_head_segments(one) for one in sorted(lines, key=lambda one: -one.line.top)]
    several = any(len(segments) > 1 for segments in parts)
    overs = [
        [s for s in segments if (s.left + s.right) / 2 > columns[0] - _BEFORE_COLUMNS]
        for segments in parts
    ]
    whole = max((len(over) for over in overs), default=0) >= len(columns)
    for segments, over in zip(parts, overs, strict=True):
        grouped = whole and 1 < len(over) <= len(columns) / 2
        for segment in segments:
            words = " ".join(raw[segment.start : segment.end].split())
            if _SCALE.search(words):
                continue
            under = _column_of(segment, columns)
            if grouped and segment in over:
                # Each stands over several columns, which all bear its words.
                for column in _nearest(segment, over, columns):
                    own.setdefault(column, []).append(words)
            elif under is None or (several and len(segments) == 1 and len(columns) > 1):
                # Alone on its line, in the middle of three columns, it is the head of all.
                spanning.append(words)
            else:
                own.setdefault(under, []).append(words)
    return " | ".join(
        [*([" ".join(spanning)] if spanning else []), *(" ".join(own[key]) for key in sorted(own))]
    )


def _nearest(segment: Segment, over: Sequence[Segment], columns: Sequence[float]) -> list[int]:
    """The columns to which no other of these segments is nearer."""

    def distance(other: Segment, end: float) -> float:
        return abs((other.left + other.right) / 2 - (end - _HALF_A_NUMBER))

    return [
        number
        for number, end in enumerate(columns)
        if min(over, key=lambda other: distance(other, end)) is segment
    ]


def _head_segments(one: ReadLine) -> list[Segment]:
    """Segments, those of several years parted: each year heads a column of its own."""
    if not one.years:
        return one.line.segments
    parts = [*one.label, *one.cells]
    return [
        Segment(p, p[0].left, p[-1].right, min(w.bottom for w in p), max(w.top for w in p))
        for p in parts
    ]


def _column_of(segment: Segment, columns: list[float]) -> int | None:
    """The one column whose numbers end under or near the segment; none where it spans several."""
    near = [i for i, end in enumerate(columns) if segment.left - 4 < end < segment.right + 30]
    within = [i for i in near if columns[i] <= segment.right + NEAR] or near
    return within[0] if len(within) == 1 else None


def parted(ends: Sequence[float]) -> list[float]:
    """Right edges of columns, those of one column taken together."""
    kept: list[float] = []
    for end in sorted(ends):
        if kept and end - kept[-1] < 2 * NEAR:
            kept[-1] = end
        else:
            kept.append(end)
    return kept


def caption_of(above: Sequence[ReadLine]) -> list[int]:
    """Up to three lines of a title just above, or the sentence that introduces the table."""
    lines: list[int] = []
    for number in range(len(above) - 1, -1, -1):
        text = above[number].text
        if above[number].cells or len(lines) == _LONGEST_CAPTION:
            break
        if text.endswith(":"):
            return lines or [number]
        if _SENTENCE.search(text) or len(text) > _LONGEST_TITLE:
            break
        if not _SCALE.match(text) and any(char.isalpha() for char in text):
            lines.insert(0, number)
    return lines


def scale_of(heads: Sequence[ReadLine], above: Sequence[ReadLine], page: Sequence[ReadLine]) -> str:
    """Of the heads, else of the nearest line above, else of the page."""
    for one in [*heads, *reversed(above), *page]:
        found = _SCALE.search(one.text) if len(one.text) < 200 else None
        if found:
            return " ".join(found[1].split()).rstrip(" .,:;")
    return ""
