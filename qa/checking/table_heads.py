"""What stands above a row of a table: its columns, scale and currency, read from the text; pure.

Trap: a table whose heads take several lines, or whose row has other cells than its heads, has no
columns here, because a wrong label is worse than none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from qa.checking.quantities import quantities
from qa.checking.quoting import fold

LINES_BACK = 80
_NUMERIC = re.compile(
    r"[-−]?(?:[$€£¥]\s?)?(?:\(\s?)?[$€£¥]?\s?[-+−]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|"
    r"\d+(?:\.\d+)?|\.\d+)(?:\s?\))?(?:\s?%)?(?:\s?\))?"
)
_PLAIN_ROW = re.compile(
    r"^(?P<label>[^\W\d_].{1,110}?)(?P<cells>(?:\s+(?:[$€£¥]\s?)?(?:\(\s?)?(?:[$€£¥]\s?)?"
    r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+|[—–-](?=\s|"
    r"$))(?:\s?%)?(?:\s?\))?(?:\s?%)?){2,})\s*$"
)
_SCALE = re.compile(
    r"\bin\s+(thousands|millions|billions)\b|\b(millions|thousands)\s+of\b|"
    r"\(\s*(?:(?:US\s+)?dollars\s+)?(millions|thousands|billions)\b",
    re.I,
)
_POWER = {"thousands": 3, "millions": 6, "billions": 9}
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_PERIOD = re.compile(
    r"(?:(?:\d{1,2}|[Tt]hree|[Ss]ix|[Nn]ine|[Tt]welve)\s+(?:mo\.|months?|weeks?)\s+(?:ended\s+)?)?"
    r"(?:(?:Q[1-4]|[1-4]Q|H[12])\s*)?(?:(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|"
    r"Nov|Dec)[a-z]*\.?\s+)?"
    r"(?:\d{1,2},\s+)?(?:FY\s?|[Ff]iscal\s+)?(?:19|20)\d\d"
)
_QUARTERS = re.compile(r"\b(?:Q[1-4]|[1-4]Q|Full year|Year|FY|Total)\b")
_PROSE = re.compile(r"[a-z]{2,}[^|]{60,}[.;,]$|[a-z]\.$")
_LONGEST_WORDED_HEAD = 60
# Without one of these there is no currency; most lines have none, and reading figures takes long.
_MAY_BE_MONEY = re.compile(
    r"[$€£¥₹₩＄￡￥￦﹩]|\b(?-i:[A-Z]{3})\b|(?:dollar|euro|pound|yen|franc|rupee|yuan|renminbi|won|peso)s?\b|"
    r"cents\b|pence\b|krona|sterling",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Cell:
    """`text` of one figure at `[start, end)` of the document; `column` is empty if unknown."""

    start: int
    end: int
    text: str
    column: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table at `[start, end)`; `power` of ten by its heads, None if unsaid."""

    start: int
    end: int
    label: str
    cells: tuple[Cell, ...]
    power: int | None
    scale: str
    currency: str
    caption: str

    @property
    def unit_power(self) -> int:
        """The power of ten of its cells: none for what is per share or a percentage."""
        bare = re.search(
            r"per\s+(?:\w+\s+)?share|%|percent|margin|\brate\b|ratio|\bEPS\b", self.label
        )
        return 0 if bare else self.power or 0


def line_at(text: str, offset: int) -> tuple[int, int]:
    """The line that holds this character, without its line end."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    return start, end if end >= 0 else len(text)


def row_at(text: str, offset: int) -> Row | None:
    """The row of a table that holds this character, or None where it is none."""
    start, end = line_at(text, offset)
    line = _split(text, start, end)
    if line is None:
        return None
    above = _above(text, start, line)
    cells = tuple(
        Cell(low, high, text[low:high].strip(), column)
        for (low, high), column in zip(line.spans, _columns(above, line), strict=True)
    )
    return Row(
        start, end, line.label, cells, above.power, above.scale, above.currency, above.caption
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """A row before its heads are known: `spans` of the cells that hold figures, and `places`, which
    of its `n_parts` parts between bars they are (0 is the label); without bars there are none."""

    label: str
    spans: tuple[tuple[int, int], ...]
    places: tuple[int, ...] = ()
    n_parts: int = 0


@dataclass(slots=True)
class _Above:
    """What stands above a row: heads with periods, or else a line of words between bars."""

    heads: tuple[str, ...] = ()
    worded: tuple[str, ...] = ()
    power: int | None = None
    scale: str = ""
    currency: str = ""
    caption: str = ""


def _split(text: str, start: int, end: int) -> _Line | None:
    """None for a line that is no row."""
    line = text[start:end]
    if len(line) > 400:
        return None
    if " | " in line:
        return _split_pipes(line, start)
    match = _PLAIN_ROW.match(line)
    if match is None or _YEAR.fullmatch(match["cells"].split()[0]):
        return None
    cells = [
        (start + match.start("cells") + cell.start(), start + match.start("cells") + cell.end())
        for cell in re.finditer(_NUMERIC.pattern + r"|[—–-](?=\s|$)", match["cells"])
    ]
    return _Line(match["label"].strip(), tuple(cells))


def _split_pipes(line: str, start: int) -> _Line | None:
    low, parts = 0, []
    for part in line.split(" | "):
        parts.append((part, start + low, start + low + len(part)))
        low += len(part) + 3
    label = parts[0][0].strip()
    figures = [
        (place, a, b)
        for place, (part, a, b) in enumerate(parts[1:], start=1)
        if _NUMERIC.fullmatch(part.strip()) or part.strip() in "—–-"
    ]
    if not figures or not re.search(r"[^\W\d_]", label) or _PERIOD.fullmatch(label):
        return None
    if all(_YEAR.fullmatch(line[a - start : b - start].strip()) for _, a, b in figures):
        return None
    spans = tuple((a, b) for _, a, b in figures)
    return _Line(label, spans, tuple(place for place, *_ in figures), len(parts))


def _above(text: str, start: int, row: _Line) -> _Above:
    found = _Above()
    after_heads = 0
    low = start
    found.currency = _currency(text[slice(*line_at(text, start))])
    for _ in range(LINES_BACK):
        if low <= 0:
            break
        low, high = line_at(text, low - 1)
        line = text[low:high].strip()
        if not line:
            continue
        said = _SCALE.search(line)
        is_row = _split(text, low, high) is not None
        if not is_row and len(line) > 100 and _PROSE.search(line) and not said:
            break
        if is_row and found.worded:
            # What stands further up is another table's.
            break
        if said and found.power is None and len(line) < 300:
            unit = (said[1] or said[2] or said[3]).lower()
            found.scale, found.power = f"in {unit}", _POWER[unit]
            found.caption = found.caption or line
        found.currency = found.currency or _currency(line)
        if not after_heads and not is_row:
            heads = column_heads(line)
            if heads:
                found.heads, after_heads = tuple(heads), 1
                continue
            found.worded = found.worded or _worded_heads(line, row)
        if after_heads:
            after_heads += 1
            if found.power is not None or after_heads > 5 or is_row:
                break
            found.caption = found.caption or (line if len(line) < 120 else "")
    return found


def _worded_heads(line: str, row: _Line) -> tuple[str, ...]:
    """ "As reported | Adjustments | As adjusted" above rows of a label and three cells.

    One with a head over the labels too is left: it could be that of rows with a cell more.
    """
    parts = tuple(part.strip() for part in line.split(" | "))
    if len(parts) < 2 or len(parts) != row.n_parts - 1:
        return ()
    fit = all(re.search(r"[^\W\d_]", p) and len(p) <= _LONGEST_WORDED_HEAD for p in parts)
    return parts if fit and not any(_PROSE.search(part) for part in parts) else ()


def _columns(above: _Above, row: _Line) -> list[str]:
    """The head of each cell, empty where none is certain."""
    heads = above.heads
    over_cells = len(heads) == row.n_parts - 1
    if row.places and (over_cells or (len(heads) == row.n_parts and not _YEAR.search(heads[0]))):
        return [heads[place - over_cells] for place in row.places]
    aligned = _aligned(list(heads), len(row.spans))
    if not aligned and len(above.worded) == row.n_parts - 1 > 0:
        return [above.worded[place - 1] for place in row.places]
    return aligned or [""] * len(row.spans)


def column_heads(line: str) -> list[str]:
    """The columns of a line that has only periods, or periods and short words."""
    if len(line) > 200 or (line.endswith((".", ";")) and " | " not in line):
        return []
    if len(_QUARTERS.findall(line)) >= 2 and not _QUARTERS.sub("", line).strip(" |"):
        return [match[0] for match in _QUARTERS.finditer(line)]
    if " | " in line:
        parts = [part.strip() for part in line.split(" | ")]
        # A row of figures that holds a year is no head.
        if any(_NUMERIC.fullmatch(part) and not _YEAR.fullmatch(part) for part in parts):
            return []
        return parts if sum(bool(_YEAR.search(part)) for part in parts) >= 1 else []
    found = [match[0].strip() for match in _PERIOD.finditer(line)]
    rest = re.sub(r"[^\w]", "", _PERIOD.sub("", _SCALE.sub("", line)))
    return found if found and len(rest) <= 40 and not re.search(r"\d", rest) else []


def _aligned(heads: list[str], n_cells: int) -> list[str]:
    if len(heads) == n_cells + 1 and not _YEAR.search(heads[0]):
        return heads[1:]
    return heads if len(heads) == n_cells else []


def _currency(line: str) -> str:
    if not _MAY_BE_MONEY.search(line):
        return ""
    found = [each.currency for each in quantities(fold(line)) if each.unit == "money"]
    if found:
        return found[0]
    signs = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "dollars": "USD", "euros": "EUR"}
    return next((code for sign, code in signs.items() if sign in line), "")
