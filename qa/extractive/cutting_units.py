"""A passage cut into what can be cited by itself: sentences, items of lists, rows of tables; pure.

An item or a row that says little by itself carries the line that names its group.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise

from qa.checking.showing_rows import LONGEST_HEAD, is_group, show_row
from qa.checking.table_heads import Row, column_heads, line_at, row_at

LONGEST = 700
SHORTEST = 12
LONGEST_ITEM = 300
LONGEST_SHORT = 60
LONGEST_REST = 60
# From the title of a list to the end of the item under it; they are quoted in one piece.
LONGEST_LIST = 600
_STOP = re.compile(r"[.!?][\"'”’)]*\s+(?=[\"'“‘(]?[A-Z0-9])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Inc|Corp|Co|Ltd|No|Mr|Mrs|Ms|Dr|St|vs|approx|Jr|Sr|Fig|Sec|U\.S|U\.K|e\.g|i\.e|mo|"
    r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)|\b[A-Z])\.$"
)
_BULLET = re.compile(r"^\s*(?:[•●▪◦§*\-–]|\(?\d{1,2}[.)]|\([a-z]\))\s+")
_STOPPED = re.compile(r"[.!?][\"'”’)]*$")
_LABELLED = re.compile(r"[A-Z][^|:.!?]{2,60}: +\S")
# "Price target $16" on a line of its own.
_VALUED = re.compile(
    r"[A-Z][a-z]+(?: [A-Za-z]+){0,4}:? (?:[$€£]\d[\d,.]*\d|\d[\d,.]*(?:%| [mb]illion))"
)
_TITLE = re.compile(r"[A-Z][^|:.!?\d]{2,59}")
# "Table of Contents: Item 1A. Risk Factors": the name of a part, and nothing of what it says.
_HEADING = re.compile(
    r"(?:[^.:|]{0,40}: )?(?:Item|Part|ITEM|PART) (?:\d{1,2}[A-Z]?|[IVX]+)\b\.?[^.!?|]*"
)
_FIGURES = re.compile(r"[$€£(]?\d[\d,.]*\)?%?|[—#|]")


@dataclass(frozen=True, slots=True)
class Unit:
    """`text[start:end]` of the document; `shown` is how it reads as a sentence of an answer."""

    start: int
    end: int
    shown: str
    row: Row | None = None
    # Where the line stands that says what a group of rows or items is about ("Net sales:").
    group: tuple[int, int] | None = None
    # The last line above it that is a title; it is not shown.
    heading: str = ""


def units(text: str, start: int, end: int) -> list[Unit]:
    """Those that lie wholly in `text[start:end]`, in order."""
    cutter = _Cutter(text, start, end)
    offset = start
    while offset < end:
        low, high = line_at(text, offset)
        cutter.take(max(low, start), min(high, end))
        offset = high + 1
    cutter.close()
    return [unit for unit in cutter.found if unit.row is not None or _is_whole(unit)]


class _Cutter:
    """Takes the lines of a passage one by one."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self.found: list[Unit] = []
        self._text, self._start, self._end = text, start, end
        self._block: tuple[int, int] | None = None
        self._group: tuple[int, int] | None = None
        # The last short line that ends no sentence: what a list stands under.
        self._title: tuple[int, int] | None = None
        self._heading = ""

    def take(self, low: int, high: int) -> None:
        """One line at [low, high)."""
        line = self._text[low:high]
        row = row_at(self._text, low) if high > low else None
        if row is not None and (row.start < self._start or row.end > self._end):
            row = None
        if row is not None and row.cells:
            self.close()
            shown = show_row(row, self._text[slice(*self._group)] if self._group else "")
            self.found.append(Unit(row.start, row.end, shown, row, self._group, self._heading))
        elif row is not None or not line.strip():
            self.close()
        elif " | " in line:
            self.close()
            self._take_cells(low, high)
        elif is_group(line):
            self.close()
            self._group = self._title = (low, high)
        elif self._block is not None and _breaks(line, self._text[self._block[0] : low]):
            self.close()
            self._block = (low, high)
        else:
            self._block = (self._block[0] if self._block else low, high)
            if high - low > LONGEST_HEAD:
                self._group = None

    def close(self) -> None:
        """End the paragraph at hand."""
        block, self._block = self._block, None
        if block is None:
            return
        text = self._text[slice(*block)]
        plain = text.strip()
        if _TITLE.fullmatch(plain):
            self._title, self._heading = block, plain
        elif _VALUED.fullmatch(plain):
            low = block[0] + len(text) - len(text.lstrip())
            self.found.append(Unit(low, low + len(plain), plain, None, None, self._heading))
        elif not _STOPPED.search(plain) and _is_item(text):
            self._take_item(*block)
        else:
            self._title = None
            self.found += [
                replace(unit, heading=self._heading) for unit in _sentences(self._text, block)
            ]

    def _take_item(self, low: int, high: int) -> None:
        """ "• Net sales: $2.0 billion" under "Outlook", which then stands before it."""
        span = self._text[low:high]
        start, end = low + len(span) - len(span.lstrip()), high - len(span) + len(span.rstrip())
        shown = " ".join(_BULLET.sub("", self._text[start:end]).split())
        title = self._title
        if title is not None and end - title[0] > LONGEST_LIST:
            title = None
        if title is not None:
            named = " ".join(self._text[slice(*title)].split()).rstrip(":")
            shown = f"{named}: {shown}"
        if SHORTEST <= len(shown) <= LONGEST:
            self.found.append(Unit(start, end, shown, None, title, self._heading))

    def _take_cells(self, low: int, high: int) -> None:
        """A row of words; one of periods is the head of a table."""
        line = self._text[low:high]
        cells = [cell.strip() for cell in line.split(" | ") if cell.strip()]
        worded = [cell for cell in cells if re.search(r"[^\W\d_]{2}", cell)]
        if column_heads(line) or len(cells) < 2 or not SHORTEST <= len(line) <= LONGEST:
            return
        # Without a figure or a phrase it is the head of a table.
        if not worded or not any(re.search(r"\d|(?:\w+ ){3}", cell) for cell in cells):
            return
        span = line.rstrip(" |")
        start = low + len(span) - len(span.lstrip(" |"))
        self.found.append(Unit(start, low + len(span), " | ".join(cells)))


def _is_whole(unit: Unit) -> bool:
    """Whether it begins a sentence, as a passage's first may not, and is neither a heading nor the
    rest of a table."""
    if unit.shown[:1].islower() or _HEADING.fullmatch(unit.shown):
        return False
    return not _is_table_rest(unit.shown)


def _is_table_rest(shown: str) -> bool:
    tokens = shown.split()
    figures = sum(bool(_FIGURES.fullmatch(token)) for token in tokens)
    return figures >= 5 and figures >= 0.3 * len(tokens)


def _is_item(text: str) -> bool:
    """A line of a list, or one of the shape "label: value"."""
    plain = text.strip()
    if len(plain) > LONGEST_ITEM or plain.endswith((",", ":", "-", " and", " or")):
        return False
    return bool(_BULLET.match(text) or _LABELLED.match(plain))


def _breaks(line: str, before: str) -> bool:
    """Whether a line begins anew: a bullet, or after a short line that ends no sentence."""
    last = _BULLET.sub("", before.rstrip("\n").rsplit("\n", 1)[-1]).strip()
    ended = not re.search(r"[.!?:;,]$", last) and last[:1].isupper()
    anew = line.strip()[:1].isupper()
    if _BULLET.match(line) or (ended and anew and len(last) < LONGEST_SHORT):
        return True
    if _STOPPED.search(last) and _TITLE.fullmatch(line.strip()):
        return True
    return bool(ended and _LABELLED.match(last) and _LABELLED.match(line.strip()))


def _sentences(text: str, block: tuple[int, int]) -> list[Unit]:
    low, high = block
    cuts = [low]
    for match in _STOP.finditer(text, low, high):
        head = text[max(low, match.start() - 12) : match.start() + 1]
        if not _ABBREVIATION.search(head):
            cuts.append(match.end())
    # What follows the last sentence on its line is signed or noted there: "… then ended. Dunn LLP".
    rest = text[cuts[-1] : high]
    line, below = rest.split("\n", 1) if "\n" in rest.strip() else (rest, "")
    titled = all(_TITLE.fullmatch(other) or other[0] == "(" for other in below.split("\n") if other)
    short = len(line) <= LONGEST_REST and titled and text[cuts[-1] - 1] == " "
    signed = len(cuts) > 1 and short and cuts[-1] - cuts[-2] > LONGEST_REST
    if signed and not _STOPPED.search(rest.rstrip()):
        high = cuts.pop() + len(line)
    else:
        signed = False
    cuts.append(high)
    found = []
    for begin, finish in pairwise(cuts):
        span = text[begin:finish]
        start, end = begin + len(span) - len(span.lstrip()), finish - len(span) + len(span.rstrip())
        shown = " ".join(_BULLET.sub("", text[start:end]).split())
        shown = re.sub(r"\*\*|__", "", re.sub(r"(?<=[a-z])- (?=[a-z])", "-", shown))
        whole = _STOPPED.search(shown) or (signed and finish == high)
        if SHORTEST <= len(shown) <= LONGEST and whole and " | " not in shown:
            found.append(Unit(start, end, shown))
    return found
