"""The lines of a PDF page in reading order: columns of prose one after the other, rows whole.

PDFium's order is kept where nothing speaks against it; only columns of prose that were read
across, rows that were torn apart and turned text are put in order by where they stand.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingestion.parsing.pdf_words import Word

# A space wider than this share of the line's height parts two cells; print spaces are 0.2 to 0.5.
_CELL_GAP = 0.75
# A column of prose: rows, how full they are, and words a row.
_LEAST_ROWS = 4
_FULL = 0.55
_WORDS_A_ROW = 2.5
_MOST_COLUMNS_DEEP = 3
# Charts hold hundreds of loose numbers; more than this on a page and rows are not searched for.
_MOST_LOOSE = 400
# Words of a column's head on one line, and how many lines may be drawn between two of one row.
_SHORT = 4
_NEARBY = 12
_NUMBER = re.compile(r"[$€£¥(+\-–—]*\d[\d,.]*[)%]*(?:\(\w\))?|[-–—]{1,2}%?|[$€£¥()%]+")


@dataclass(slots=True)
class Segment:
    """Words that follow one another at the distance of a space; its box reads as a word's."""

    words: list[Word]
    left: float
    right: float
    bottom: float
    top: float

    @property
    def height(self) -> float:
        return self.top - self.bottom

    @property
    def start(self) -> int:
        return self.words[0].start

    @property
    def end(self) -> int:
        return self.words[-1].end


@dataclass(slots=True)
class Line:
    """Segments from left to right on one line; `apart` where a blank line stands before it."""

    segments: list[Segment]
    apart: bool = False

    @property
    def left(self) -> float:
        return self.segments[0].left

    @property
    def right(self) -> float:
        return self.segments[-1].right

    @property
    def top(self) -> float:
        return max(segment.top for segment in self.segments)

    @property
    def bottom(self) -> float:
        return min(segment.bottom for segment in self.segments)

    @property
    def words(self) -> list[Word]:
        return [word for segment in self.segments for word in segment.words]


def read_lines(words: Sequence[Word], raw: str) -> list[list[Line]]:
    """Blocks of lines in reading order: one a column of prose or a stretch without columns."""
    turned: dict[int, list[Word]] = defaultdict(list)
    for word in words:
        turned[word.turn].append(word)
    blocks: list[list[Line]] = []
    for turn, group in turned.items():
        for part in _columns(_segments(group), 0):
            lines = _lines(part, raw)
            # PDFium reads what a turned page shows sideways from its end.
            rising = sum(two.top > one.top + 1 for one, two in itertools.pairwise(lines))
            if turn or 2 * rising > len(lines):
                lines.sort(key=lambda line: -line.top)
            blocks.append(lines)
    return blocks


def beside(one: Segment | Word, other: Segment | Word) -> bool:
    """Whether both stand on one line: over half of the lower one's height is shared."""
    shared = min(one.top, other.top) - max(one.bottom, other.bottom)
    return shared > 0.5 * min(one.height, other.height)


def _segments(words: Sequence[Word]) -> list[Segment]:
    segments: list[Segment] = []
    for word in words:
        last = segments[-1] if segments else None
        if last and not word.breaks and _follows(last, word):
            last.words.append(word)
            last.right = max(last.right, word.right)
            last.bottom, last.top = min(last.bottom, word.bottom), max(last.top, word.top)
        else:
            segments.append(Segment([word], word.left, word.right, word.bottom, word.top))
    return segments


def _follows(segment: Segment, word: Word) -> bool:
    last = segment.words[-1]
    height = max(min(last.height, word.height), 1.0)
    gap = word.left - last.right
    return -0.5 * height < gap < _CELL_GAP * height and (
        beside(last, word) or beside(segment, word)
    )


def _columns(segments: list[Segment], depth: int) -> list[list[Segment]]:
    """The segments parted into what is read one after the other."""
    if depth >= _MOST_COLUMNS_DEEP or len(segments) < 2 * _LEAST_ROWS:
        return [segments]
    best: list[tuple[bool, list[Segment]]] = []
    most = 0
    for edge in _edges(segments):
        bands = _bands(segments, edge)
        covered = sum(len(band) for columns, band in bands if columns)
        if covered > most:
            most, best, gutter = covered, bands, edge
    if not most:
        return [segments]
    parts: list[list[Segment]] = []
    for columns, band in best:
        if columns:
            parts += _columns([s for s in band if s.right <= gutter + 1], depth + 1)
            parts += _columns([s for s in band if s.right > gutter + 1], depth + 1)
        else:
            parts.append(band)
    return parts


def _edges(segments: Sequence[Segment]) -> list[float]:
    """Where many segments of words begin in the page's middle: left edges of columns."""
    least = min(segment.left for segment in segments)
    width = max(segment.right for segment in segments) - least
    counts: dict[int, list[float]] = defaultdict(list)
    for segment in segments:
        if len(segment.words) > 1 and 0.2 * width < segment.left - least < 0.85 * width:
            counts[int(segment.left // 6)].append(segment.left)
    found = [
        (len(lefts) + len(counts.get(key + 1, ())), min(lefts)) for key, lefts in counts.items()
    ]
    likely = sorted(((n, left) for n, left in found if n >= _LEAST_ROWS), reverse=True)
    return [left for _, left in likely[:4]]


def _bands(segments: Sequence[Segment], edge: float) -> list[tuple[bool, list[Segment]]]:
    """The segments from top to bottom, parted where one crosses the edge or nothing stands."""
    rows = sorted(range(len(segments)), key=lambda index: -segments[index].top)
    bands: list[tuple[bool, list[int]]] = []
    band: list[int] = []
    floor = 0.0

    def close() -> None:
        if not band:
            return
        columns = _is_columns([segments[index] for index in band], edge)
        if not columns and bands and not bands[-1][0]:
            bands[-1][1].extend(band)
        else:
            bands.append((columns, list(band)))
        band.clear()

    crossed = False
    for index in rows:
        segment = segments[index]
        crosses = segment.left < edge - 3 and segment.right > edge + 1
        if band and (crosses or crossed or floor - segment.top > 2.2 * segment.height):
            close()
        floor = segment.bottom if not band else min(floor, segment.bottom)
        band.append(index)
        crossed = crosses
    close()
    # What stays in one piece keeps PDFium's order.
    return [(columns, [segments[index] for index in sorted(band)]) for columns, band in bands]


def _is_columns(band: Sequence[Segment], edge: float) -> bool:
    left = [segment for segment in band if segment.right <= edge + 1]
    right = [segment for segment in band if segment.right > edge + 1]
    if len(left) < _LEAST_ROWS or len(right) < _LEAST_ROWS:
        return False
    shared = min(left[0].top, right[0].top) - max(left[-1].bottom, right[-1].bottom)
    shorter = min(left[0].top - left[-1].bottom, right[0].top - right[-1].bottom)
    if shared <= 0.5 * shorter:
        return False
    pitch = edge - min(segment.left for segment in left)
    # The last column may be the narrowest, or several that are still to be parted.
    reach = max(segment.right for segment in right) - edge
    return _is_prose(left, 0.9 * pitch) and _is_prose(right, min(reach, 0.9 * pitch))


def _is_prose(side: Sequence[Segment], width: float) -> bool:
    """Whether the rows fill this width with words, as a table's short cells do not."""
    rows = 0
    floor = side[0].top + 1
    for segment in side:
        if (segment.top + segment.bottom) / 2 < floor:
            rows += 1
            floor = segment.bottom
    words = sum(len(segment.words) for segment in side)
    filled = sum(segment.right - segment.left for segment in side)
    # Words that are no longer than three letters on average are cells, not prose.
    letters = sum(word.end - word.start for segment in side for word in segment.words)
    return (
        rows >= _LEAST_ROWS
        and filled > _FULL * width * rows
        and words > _WORDS_A_ROW * rows
        and letters > 3 * words
        and len(side) < 2.5 * rows
    )


def _lines(segments: Sequence[Segment], raw: str) -> list[Line]:
    lines: list[Line] = []
    for segment in segments:
        last = lines[-1].segments[-1] if lines else None
        if last and beside(last, segment) and segment.left > last.right - 0.5 * last.height:
            lines[-1].segments.append(segment)
        else:
            lines.append(Line([segment], segment.words[0].breaks > 1))
    return _join_rows(lines, raw)


def _join_rows(lines: list[Line], raw: str) -> list[Line]:
    """Numbers that stand alone put back on the line on which they are printed."""
    loose = {id(line) for line in lines if is_numeric(line.words, raw)}
    short = [line for line in lines if id(line) in loose or _is_short(line)]
    if not short or len(short) > _MOST_LOOSE:
        return lines
    order = {id(line): number for number, line in enumerate(lines)}
    near: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        near[int((line.top + line.bottom) // 16)].append(line)
    gone: set[int] = set()
    for line in short:
        key = int((line.top + line.bottom) // 16)
        for other in (found for k in (key, key - 1, key + 1) for found in near.get(k, ())):
            if other is line or id(other) in gone or id(line) in gone:
                continue
            # Heads of columns are drawn one after the other, their lines side by side.
            if id(line) not in loose and (
                not _is_short(other) or not 0 < order[id(line)] - order[id(other)] <= _NEARBY
            ):
                continue
            if beside(line.segments[0], other.segments[0]) and _is_free(other, line):
                other.segments = sorted(other.segments + line.segments, key=lambda s: s.left)
                gone.add(id(line))
    kept = [line for line in lines if id(line) not in gone]
    return _put_back(kept, loose) if gone else kept


def _put_back(lines: list[Line], loose: set[int]) -> list[Line]:
    """Years of a table drawn column by column, which come after its rows, put above them."""
    kept = [line for line in lines if id(line) not in loose or len(line.segments) < 2]
    for line in lines:
        if id(line) in loose and len(line.segments) > 1:
            below = (n for n, other in enumerate(kept) if other.top < line.bottom + 1)
            kept.insert(next(below, len(kept)), line)
    return kept


def _is_short(line: Line) -> bool:
    return all(len(segment.words) <= _SHORT for segment in line.segments)


def _is_free(line: Line, other: Line) -> bool:
    return not any(
        min(one.right, two.right) - max(one.left, two.left) > 1
        for one in line.segments
        for two in other.segments
    )


_LOOSE = re.compile(
    rf"{_NUMBER.pattern}|(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?|\d\d?,",
    re.IGNORECASE,
)


def is_numeric(words: Iterable[Word], raw: str) -> bool:
    """Whether all words are numbers, signs and dates, as cells and heads of a table are."""
    return all(_LOOSE.fullmatch(raw, word.start, word.end) for word in words)
