"""A passage cut into what can be cited by itself: sentences, and rows of tables; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from qa.checking.table_heads import Row, line_at, row_at

LONGEST = 700
SHORTEST = 12
LONGEST_HEAD = 90
_STOP = re.compile(r"[.!?][\"'”’)]*\s+(?=[\"'“‘(]?[A-Z0-9])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Inc|Corp|Co|Ltd|No|Mr|Mrs|Ms|Dr|St|vs|approx|Jr|Sr|Fig|Sec|U\.S|U\.K|e\.g|i\.e|mo|"
    r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)|\b[A-Z])\.$"
)
_BULLET = re.compile(r"^\s*(?:[•●▪◦§*\-–]|\(?\d{1,2}[.)]|\([a-z]\))\s+")
_GROUP = re.compile(r"[A-Z][^\W\d_][^|:.!?\d]{1,70}:")
_FOOTNOTE = re.compile(r"(?:\s*\((?:\d{1,2}|[a-z])\))+$")
# What adds up to a whole, or names a place: only its group says of what.
_BARE = re.compile(
    r"(?:(?:sub)?totals?|consolidated|other|net|total company|amount|company|current|basic|diluted|"
    r"united states|u\.s\.|international|domestic|americas|europe|asia(?: pacific)?|emea|canada|"
    r"(?:percent|percentage|%) of (?:net )?(?:sales|revenues?))",
    re.I,
)
_FIGURES = re.compile(r"[$€£(]?\d[\d,.]*\)?%?|[—#|]")


@dataclass(frozen=True, slots=True)
class Unit:
    """`text[start:end]` of the document; `shown` is how it reads as a sentence of an answer."""

    start: int
    end: int
    shown: str
    row: Row | None = None
    # Where the line stands that says what a group of rows is about ("Net sales:").
    group: tuple[int, int] | None = None


def units(text: str, start: int, end: int) -> list[Unit]:
    """Those that lie wholly in `text[start:end]`, in order."""
    found: list[Unit] = []
    block: tuple[int, int] | None = None
    group: tuple[int, int] | None = None
    offset = start
    while offset < end:
        low, high = line_at(text, offset)
        low, high = max(low, start), min(high, end)
        row = row_at(text, low) if high > low else None
        if row is not None and (row.start < start or row.end > end):
            row = None
        if row is not None or not text[low:high].strip():
            found.extend(_sentences(text, block))
            block = None
            if row is not None and row.cells:
                shown = show_row(row, text[slice(*group)] if group else "")
                found.append(Unit(row.start, row.end, shown, row, group))
        elif _GROUP.fullmatch(text[low:high].strip()):
            found.extend(_sentences(text, block))
            block, group = None, (low, high)
        elif block is not None and _breaks(text[low:high], text[block[0] : low]):
            found.extend(_sentences(text, block))
            block = (low, high)
        else:
            block = (block[0] if block else low, high)
            if high - low > LONGEST_HEAD:
                group = None
        offset = high + 1
    found.extend(_sentences(text, block))
    return [unit for unit in found if unit.row is not None or _is_whole(unit)]


def _is_whole(unit: Unit) -> bool:
    """Whether it begins a sentence, as a passage's first may not, and is no rest of a table."""
    return not unit.shown[:1].islower() and not _is_table_rest(unit.shown)


def _is_table_rest(shown: str) -> bool:
    tokens = shown.split()
    figures = sum(bool(_FIGURES.fullmatch(token)) for token in tokens)
    return (figures >= 5 and figures >= 0.3 * len(tokens)) or " | " in shown


def _breaks(line: str, before: str) -> bool:
    """Whether a line begins anew: a bullet, or after a short line that ends no sentence."""
    last = before.rstrip("\n").rsplit("\n", 1)[-1].strip()
    heading = len(last) < 60 and not re.search(r"[.!?:;,]$", last) and last[:1].isupper()
    return bool(_BULLET.match(line)) or (heading and line.strip()[:1].isupper())


def _sentences(text: str, block: tuple[int, int] | None) -> list[Unit]:
    if block is None:
        return []
    low, high = block
    cuts = [low]
    for match in _STOP.finditer(text, low, high):
        head = text[max(low, match.start() - 12) : match.start() + 1]
        if not _ABBREVIATION.search(head):
            cuts.append(match.end())
    cuts.append(high)
    found = []
    for begin, finish in pairwise(cuts):
        span = text[begin:finish]
        start, end = begin + len(span) - len(span.lstrip()), finish - len(span) + len(span.rstrip())
        shown = " ".join(_BULLET.sub("", text[start:end]).split())
        shown = re.sub(r"\*\*|__", "", re.sub(r"(?<=[a-z])- (?=[a-z])", "-", shown))
        if SHORTEST <= len(shown) <= LONGEST and re.search(r"[.!?][\"'”’)]*$", shown):
            found.append(Unit(start, end, shown))
    return found


def show_row(row: Row, group: str = "") -> str:
    """ "Capital expenditures | 2022: 1,749 | 2021: 1,373 | in millions".

    A label that says nothing by itself has its group's before it.
    """
    label = _FOOTNOTE.sub("", row.label.strip()).rstrip(" .:*")
    if group and _BARE.fullmatch(label):
        label = f"{group.strip()} {label}"
    parts = [label]
    parts += [
        f"{cell.column.strip(' |')}: {cell.text}" if cell.column.strip(" |") else cell.text
        for cell in row.cells
    ]
    named = re.search(r"%|percent|growth", f"{group} {label}", re.I)
    shares = named or all("%" in cell.text for cell in row.cells)
    if row.scale and row.unit_power and not shares:
        parts.append(row.scale.lower())
    return " | ".join(" ".join(part.split()) for part in parts)
