"""What a parser returns and the two ways it may refuse."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict

# Control characters that no reader needs; Postgres refuses NUL, UTF-8 refuses lone surrogates.
_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\ufffe\uffff]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


class Section(TypedDict):
    """A heading: its words, depth from 1, and where it starts in the text.

    `speaker` is true where it is not printed as a heading but names who speaks from here on.
    """

    title: str
    level: int
    start: int
    speaker: NotRequired[bool]


class Table(TypedDict):
    """A table as it stands in the text: one line per row.

    `rows` are the (start, end) of the body's lines, ascending, inside (start, end) of the table;
    `heads` are the words of its column heads and `scale` what its numbers are in ("in millions,
    except per share data"), both as written with single spaces, empty where there are none.
    """

    start: int
    end: int
    caption: str
    heads: str
    scale: str
    rows: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Parsed:
    """The frozen text of a file; `pages`, `sections` and `tables` hold offsets into it.

    `metadata` is what the file says of itself (title, author, company, ticker, published_on,
    period_end, fiscal_year, fiscal_quarter, document_type), all as text or whole numbers.
    """

    text: str
    media_type: str
    pages: list[int] = field(default_factory=lambda: [0])
    sections: list[Section] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Unreadable(Exception):
    """The file itself is the reason and trying again will not help; says why in words."""


class ParserFailed(Exception):
    """The parser crashed or ran out of time or memory; another try may succeed."""


def clean(text: str) -> str:
    """The text without control characters and lone surrogates, lines ended by one newline."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n")
    return _SURROGATES.sub("\ufffd", _UNWANTED.sub("", text))


def refuse_if_too_long(length: int, max_characters: int) -> None:
    """Raises Unreadable when a text of `length` characters is over the limit."""
    if length > max_characters:
        raise Unreadable(
            f"The text is too long: more than {max_characters:,} characters. "
            "Split the file and send the parts."
        )
