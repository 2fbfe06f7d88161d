"""A line of a PDF page read as a row of a table: its label and the cells of numbers at its end."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ingestion.parsing.pdf_layout import Line
from ingestion.parsing.pdf_words import Word

_VALUE = re.compile(
    r"[$€£¥(+\-–—]*\d[\d,.]*(?<=\d)[)%]*(?:\(\w\))?|[$€£¥]?[-–—]{1,2}[)%]*|(?:n/?a|n\.?m\.?)",
    re.IGNORECASE,
)
_OPENING = re.compile(r"[$€£¥(]{1,3}")
_CLOSING = re.compile(r"[)%]{1,2}")
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(slots=True)
class ReadLine:
    """A line and how it reads as a row: its label's segments and its cells of words."""

    line: Line
    text: str
    label: list[list[Word]] = field(default_factory=list)
    cells: list[list[Word]] = field(default_factory=list)
    years: bool = False

    @property
    def ends(self) -> list[float]:
        return [cell[-1].right for cell in self.cells]


def read_line(line: Line, raw: str) -> ReadLine:
    read = ReadLine(line, " ".join(raw[s.start : s.end] for s in line.segments))
    words = line.words
    first = len(words)
    while first and _is_cell(raw, words[first - 1]):
        first -= 1
    begins = {id(segment.words[0]) for segment in line.segments}
    while first < len(words) and id(words[first]) not in begins:
        first += 1
    cells: list[list[Word]] = []
    glue = False
    for word in words[first:]:
        closing = _CLOSING.fullmatch(raw, word.start, word.end)
        if cells and (glue or closing):
            cells[-1].append(word)
        else:
            cells.append([word])
        glue = bool(_OPENING.fullmatch(raw, word.start, word.end))
    if not any(any(char.isdigit() for char in raw[c[0].start : c[-1].end]) for c in cells):
        # Dashes alone are a rule, unless more than one cell of a table is empty.
        cells = cells if len(cells) > 1 and first else []
    if not cells:
        return read
    ends = {id(word) for word in words[first:]}
    label = [[w for w in s.words if id(w) not in ends] for s in line.segments]
    read.label, read.cells = [part for part in label if part], cells
    read.years = all(_YEAR.fullmatch(raw, c[0].start, c[-1].end) for c in cells)
    return read


def _is_cell(raw: str, word: Word) -> bool:
    return bool(
        _VALUE.fullmatch(raw, word.start, word.end)
        or _OPENING.fullmatch(raw, word.start, word.end)
        or _CLOSING.fullmatch(raw, word.start, word.end)
    )
