"""Which leading rows of a table are its heads, what stands over each column, and the scale."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ingestion.parsing.table_rows import Value

_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
_NUMBER = re.compile(
    r"^(?:US|CA|A|C|HK)?[\s$€£¥(+−–-]*\d[\d,.\s]*(?:[)%x*]|bps|pts?|\(?\d?[a-z]\)|\(\d\)|\s)*$"
    r"|^[$€£¥(\s]*(?:[—–−-]{1,3}|n/?[am]|nm)[)%\s]*$",
    re.IGNORECASE,
)
_YEAR = re.compile(
    r"^(?:fy|fiscal|cy)?\s*['’]?(?:19|20)\d\d\s*[EA]?(?:\s*\(\w{1,2}\))?\*?$", re.IGNORECASE
)
_PERIOD = re.compile(
    rf"\b(?:19|20)\d\d\b|\b{_MONTH}\s+\d{{1,2}}\b|\b(?:three|six|nine|twelve)\s+months\b"
    r"|\b(?:year|quarter|month|week|period)s?\s+end(?:ed|ing)\b|\b[1-4]?Q[1-4]?\s?'?\d\d\b"
    r"|\b(?:first|second|third|fourth)\s+quarter\b|\bFY\s?'?\d\d|\b\d+\s+months\s+ended\b",
    re.IGNORECASE,
)
_UNIT = r"(?:thousands?|millions?|billions?|trillions?|crores?|lakhs?|000s?)"
_MONEY = r"(?:U\.?S\.?\s+|Canadian\s+)?(?:dollars|euros?|pounds|yen|shares|RMB)"
_SCALE = re.compile(
    rf"(?:(?:amounts?|dollars?|figures?|shares?|numbers|currency|expressed|stated|presented|all"
    rf"|U\.?S\.?D?|CDN|EUR|euros?|GBP|RMB|[$€£¥])\s+)*\bin\s+(?:\S+\s+){{0,4}}?{_UNIT}\b"
    rf"(?:\s+of\s+{_MONEY}\b)?"
    r"(?:[,;]?\s*(?:except|other than|unless)[^)|:]{0,120})?"
    rf"|^\(?(?:[$€£¥]\s?)?{_UNIT}(?=[,;:)]|$)(?:[,;] (?:except|unless)[^)|:]{{0,60}}?amounts?)?"
    r"|\(\s*[$€£¥]?\s*['’]?000['’]?s?(?:\s+omitted)?\s*\)|[$€£¥]\s?['’]?000['’]?s?\b"
    rf"|(?:[$€£¥]|U\.?S\.?\s?\$|EUR|USD|GBP)\s?(?:thousands?|millions?|billions?|mn|bn|m)\b(?!\s*\d)"
    rf"|\b{_UNIT}\s+of\s+{_MONEY}\b",
    re.IGNORECASE,
)
_MOST_HEADS, _LONGEST_HEAD, _LONGEST_SCALE, _LONGEST_NUMBER = 8, 160, 200, 60


@dataclass(frozen=True, slots=True)
class GridRow:
    """The values of a row; `head` where the file marks it as one, `bold` where all of it is."""

    values: list[Value]
    head: bool = False
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Heads:
    """`count` leading rows are no body; all words have single spaces and may be empty."""

    count: int
    heads: str
    caption: str
    scale: str


def is_number(words: str) -> bool:
    """Whether a cell holds an amount, a share, a dash for none; a year is no amount."""
    return len(words) <= _LONGEST_NUMBER and bool(_NUMBER.match(words)) and not _YEAR.match(words)


def is_period(words: str) -> bool:
    """Whether a cell names a year, a date or a span of months, as heads of columns do."""
    return len(words) < _LONGEST_HEAD and bool(_PERIOD.search(words))


def scale_in(words: str) -> str:
    """What the words say numbers are in, empty where they do not."""
    if len(words) > 2_000:
        return ""
    match = _SCALE.search(words)
    if match is None:
        return ""
    # Mostly in brackets, where all of it belongs together.
    left, right = words.rfind("(", 0, match.start() + 1), words.find(")", match.end() - 1)
    inner = words[left + 1 : right]
    if left >= 0 and right >= 0 and ")" not in inner and len(inner) <= _LONGEST_SCALE:
        return " ".join(inner.split())
    return " ".join(match[0].strip(" ()").split())[:_LONGEST_SCALE]


def recognise(rows: Sequence[GridRow]) -> Heads:
    """The heads of a table from its rows, which all hold at least one value."""
    width = max((value.last for row in rows for value in row.values), default=0)
    titles: list[str] = []
    above: list[GridRow] = []
    scale = ""
    count = 0
    for index, row in enumerate(rows[:_MOST_HEADS]):
        kind = _kind(row, rows, index, width, begun=bool(above))
        if not kind:
            break
        count += 1
        scale = scale or next((s for value in row.values if (s := scale_in(value.words))), "")
        if kind == "title":
            titles += [value.words for value in row.values]
        else:
            above.append(row)
    if count == len(rows) or not above:
        # A table of heads alone has none; titles alone are lines of the body like any other.
        titles = titles if titles and count < len(rows) else []
        count = len(titles) if titles else 0
        return Heads(count, "", _caption(titles), scale)
    return Heads(count, _columns(above), _caption(titles), scale)


def _caption(titles: Sequence[str]) -> str:
    return " ".join(title for title in titles if scale_in(title).strip("() ") != title.strip("() "))


def _kind(row: GridRow, rows: Sequence[GridRow], index: int, width: int, *, begun: bool) -> str:
    """ "head", "title", or empty for a row of the body."""
    words = [value.words for value in row.values]
    if row.head:
        wide = len(words) == 1 and row.values[0].first == 0 and width > 1 and not begun
        return "title" if wide and not is_period(words[0]) else "head"
    if any(len(word) > _LONGEST_HEAD for word in words):
        return ""
    others = row.values if row.values[0].first > 0 else row.values[1:]
    if any(is_number(value.words) for value in others) or is_number(words[0]):
        return ""
    if len(words) == 1:
        return _kind_alone(row, rows, index, width, begun=begun)
    if any(is_period(value.words) for value in others):
        return "head"
    if begun:
        full = len(words) >= len(rows[index - 1].values) and _numbers_follow(rows, index)
        return "head" if row.bold or row.values[0].first > 0 or full else ""
    return "head" if row.bold or _numbers_follow(rows, index) else ""


def _kind_alone(
    row: GridRow, rows: Sequence[GridRow], index: int, width: int, *, begun: bool
) -> str:
    value = row.values[0]
    if scale_in(value.words) and len(value.words) < _LONGEST_SCALE:
        return "head" if begun and value.first > 0 else "title"
    if value.first > 0:
        return "head"
    if begun:
        return ""
    wide = value.last - value.first > 0.6 * width > 1
    if is_period(value.words) and wide:
        return "head"
    # A name over the heads, not the first group of rows under none.
    following = [later for later in rows[index + 1 : index + 4] if len(later.values) > 1]
    heads_follow = bool(following) and not any(
        is_number(value.words) for value in following[0].values[1:]
    )
    return "title" if heads_follow and (wide or index < 2) else ""


def _numbers_follow(rows: Sequence[GridRow], index: int) -> bool:
    """Whether the next rows hold amounts, as those under a row of heads do."""
    return any(
        is_number(value.words) for row in rows[index + 1 : index + 4] for value in row.values[1:]
    )


def _columns(above: Sequence[GridRow]) -> str:
    """The heads column by column, those over several columns repeated over each."""
    columns: list[Value] = []
    for row in reversed(above):
        added: list[Value] = []
        for value in row.values:
            if value.first == 0 and scale_in(value.words) == value.words.strip("() "):
                continue
            under = [
                place
                for place, column in enumerate(columns)
                if column.first < value.last and value.first < column.last
            ]
            for place in under:
                column = columns[place]
                columns[place] = Value(f"{value.words} {column.words}", column.first, column.last)
            if not under:
                added.append(value)
        columns = sorted([*columns, *added], key=lambda column: column.first)
        if len(columns) > 1_000:
            break
    return " | ".join(" ".join(column.words.split()) for column in columns)
