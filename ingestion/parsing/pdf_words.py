"""The words of a PDF page with their boxes, turned so that every word reads from left to right.

Positions are into the raw text of `pdf_text.read`. Two calls of the library a word, not one a
character: that is what keeps a long filing quick.
"""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium

# A hyphen that PDFium found at a line's end closes its word: the rest stands on another line.
_WORD = re.compile(r"[^\s\x00\x02]+\x02?|\x02")
_Frame = tuple[float, float, float, float]


@dataclass(slots=True)
class Word:
    """Raw text [start, end) and its box in points, y up, as if its line ran from left to right.

    `turn` is how often the line was turned by 90 degrees, clockwise; `breaks` counts the
    line ends in front of the word in PDFium's order.
    """

    start: int
    end: int
    left: float
    right: float
    bottom: float
    top: float
    turn: int
    breaks: int

    @property
    def height(self) -> float:
        return self.top - self.bottom


def read_words(textpage: Any, raw: str, indices: list[int] | None) -> list[Word]:
    """The words in PDFium's order; one without a box takes that of the word before it."""
    words: list[Word] = []
    box_of = _boxes(textpage)
    turn, before, position = 0, (0.0, 0.0, 0.0, 0.0), 0
    for match in _WORD.finditer(raw):
        start, end = match.span()
        first, last = (start, end - 1) if indices is None else (indices[start], indices[end - 1])
        box = box_of(first)
        end_box = box_of(last) if last != first else box
        if box is None or end_box is None:
            whole = box or end_box or before
        else:
            whole = (
                min(box[0], end_box[0]),
                min(box[1], end_box[1]),
                max(box[2], end_box[2]),
                max(box[3], end_box[3]),
            )
        # Whoever stands on the line of the word before is turned as it is.
        if not _beside(before, whole) or turn:
            turn = _turn(textpage, first)
        before = whole
        gap = raw[position:start]
        # A hyphen is the only line end that PDFium leaves out.
        breaks = gap.count("\n") or (position > 0 and raw[position - 1] == "\x02")
        left, bottom, right, top = _turned(whole, turn)
        words.append(Word(start, end, left, right, bottom, top, turn, int(breaks)))
        position = end
    return words


def _boxes(textpage: Any) -> Callable[[int], _Frame | None]:
    rectangle = pdfium.FS_RECTF()
    pointer = ctypes.byref(rectangle)
    call = pdfium.FPDFText_GetLooseCharBox

    def box_of(index: int) -> _Frame | None:
        if not call(textpage, index, pointer):
            return None
        left, bottom, right, top = (
            rectangle.left,
            rectangle.bottom,
            rectangle.right,
            rectangle.top,
        )
        # Damaged fonts give boxes upside down, without end or of no number at all.
        if not (-1e5 < left <= right < 1e5 and -1e5 < bottom <= top < 1e5):
            return None
        return left, bottom, right, top

    return box_of


def _beside(one: _Frame, other: _Frame) -> bool:
    shared = min(one[3], other[3]) - max(one[1], other[1])
    return shared > 0.5 * min(one[3] - one[1], other[3] - other[1])


def _turn(textpage: Any, index: int) -> int:
    angle = pdfium.FPDFText_GetCharAngle(textpage, index)
    return round(angle / (math.pi / 2)) % 4 if angle > 0 else 0


def _turned(box: _Frame, turn: int) -> _Frame:
    left, bottom, right, top = box
    if turn == 1:
        return -top, left, -bottom, right
    if turn == 2:
        return -right, -top, -left, -bottom
    if turn == 3:
        return bottom, -right, top, -left
    return box
