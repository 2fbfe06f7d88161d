"""The neutral document that writers produce and renderers turn into PDF, HTML, DOCX, text or Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 opens a part or an Item, level 3 is the smallest."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Para:
    """One paragraph; ``lead`` is set in bold in front of the text (a speaker, a risk's title)."""

    text: str
    style: str = "body"
    lead: str = ""


@dataclass(frozen=True)
class Bullets:
    """A bulleted list, one string per item."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A table row; ``kind`` is plain, indent, head, total or grand; ``tag`` an XBRL concept."""

    label: str
    cells: tuple[str, ...]
    kind: str = "plain"
    tag: str = ""


@dataclass(frozen=True)
class Table:
    """A table with a caption above; cells are already formatted strings."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    unit: str = ""


@dataclass(frozen=True)
class Chart:
    """A small bar chart; renderers without graphics show it as a table."""

    title: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    unit: str = "%"


@dataclass(frozen=True)
class PageBreak:
    """A forced page break; ignored by formats that have no pages."""


Block = Heading | Para | Bullets | Table | Chart | PageBreak


@dataclass(frozen=True)
class Doc:
    """One document before rendering; ``file`` is relative to the corpus root, its suffix the format."""

    file: str
    kind: str
    title: str
    company: str
    period: str
    day: date
    blocks: tuple[Block, ...]
    running: str = ""
    look: str = "filing"
    facts: dict[str, str] = field(default_factory=dict)


def texts(doc: Doc) -> list[str]:
    """Every run of text of the document in reading order, as a renderer puts it on the page."""
    out: list[str] = []
    for block in doc.blocks:
        if isinstance(block, Heading):
            out.append(block.text)
        elif isinstance(block, Para):
            out.append(f"{block.lead} {block.text}".strip())
        elif isinstance(block, Bullets):
            out.extend(block.items)
        elif isinstance(block, Table):
            out.append(block.caption)
            out.extend(" ".join((row.label, *row.cells)) for row in block.rows)
    return out
