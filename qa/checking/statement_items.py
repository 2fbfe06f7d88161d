"""Rows of a document's consolidated statements, recognised by heading and exact label; pure.

The labels are in statement_labels.toml. Trap: what is called otherwise is not found.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from qa.checking.quoting import fold
from qa.checking.table_heads import Row, line_at, row_at

_LABELS = Path(__file__).with_name("statement_labels.toml")
_NOTE = re.compile(
    r"\(\s*(?:see\s+)?notes?\b[^)]*\)|\bnotes?\s+\d+.*$|\(\s*[\da-z]{1,2}\s*\)", re.I
)
# "Accounts receivable, net of allowances of $174 and $189"
_NET_OF = re.compile(r"[,\s—–-]*\b(?:net of|less)\s.*", re.I)
# "Net income attributable to Halden Corporation", not what others have of it.
_ATTRIBUTABLE = re.compile(r"\sattributable to (?!.*(?:noncontrolling|non-controlling|minority)).*")
_CONSOLIDATED = re.compile(
    r"\bconsolidated\s+(?:condensed\s+)?(?:(?P<balance_sheet>balance\s+sheets?|statements?\s+of\s+"
    r"financial\s+(?:position|condition))|(?P<cash_flow>statements?\s+of\s+cash\s+flows?)|"
    r"(?P<income_statement>statements?\s+of\s+(?:\(loss\)\s+)?(?:income|operations|earnings)\b"
    r"(?!\s+and))|"
    r"(?P<other>statements?))",
    re.I,
)
LINES_UP = 110
LONGEST_HEADING = 160


@dataclass(frozen=True, slots=True)
class Item:
    """`outflow`: only its size is meant; `signed`: it may be below zero."""

    name: str
    statement: str
    outflow: bool = False
    signed: bool = False


def item_of(label: str) -> Item | None:
    """None for a label that is not exactly one of the lists."""
    plain = _NET_OF.sub("", _NOTE.sub(" ", fold(label).lower().replace("'", "")))
    plain = _ATTRIBUTABLE.sub("", plain)
    return _by_label().get(" ".join(re.findall(r"[a-z]+", plain)))


def statement_of(text: str, row: Row) -> str:
    """The consolidated statement under whose heading a row stands, with only a table between."""
    return heading_of(text, row)[1]


def heading_of(text: str, row: Row) -> tuple[int, str]:
    """Where that heading begins, and which statement it names; "" where there is none."""
    low = row.start
    for _ in range(LINES_UP):
        if low <= 0:
            break
        low, high = line_at(text, low - 1)
        line = text[low:high]
        found = _CONSOLIDATED.search(line) if high - low <= LONGEST_HEADING else None
        if found and not re.search(r"[a-z]\.\s*$|\bnotes\s+to\b", line):
            return low, str(found.lastgroup or "")
        if high - low > LONGEST_HEADING and " | " not in line and row_at(text, low) is None:
            break
    return 0, ""


def rows_of(text: str, item: str) -> Iterator[Row]:
    """Every row of the text whose label is exactly this item's, of whatever table."""
    for match in _lines_of(item).finditer(text):
        row = row_at(text, match.start())
        found = item_of(row.label) if row is not None else None
        if row is not None and found is not None and found.name == item:
            yield row


def names() -> frozenset[str]:
    """All items that can be recognised."""
    return frozenset(item.name for item in _by_label().values())


@cache
def _lines_of(item: str) -> re.Pattern[str]:
    """Lines that begin with the first word of one of its labels and go on with a figure."""
    first = {label.split()[0] for label, each in _by_label().items() if each.name == item}
    second = "|".join(sorted(map(re.escape, first)))
    return re.compile(rf"^[ \t]*(?:{second})\b[^\n]*\d", re.I | re.M)


@cache
def _by_label() -> dict[str, Item]:
    rows = tomllib.loads(_LABELS.read_text(encoding="utf-8"))["item"]
    found = {}
    for row in rows:
        item = Item(
            row["name"], row["statement"], row.get("outflow", False), row.get("signed", False)
        )
        found.update(dict.fromkeys(row["labels"], item))
    return found
