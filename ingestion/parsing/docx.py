"""Word documents to text in reading order: headings as sections, a table row as one line."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docx import Document
from docx.oxml.ns import qn
from lxml import etree

from ingestion.parsing import detect, headings, transcripts, unseen_characters
from ingestion.parsing.docx_tables import Line, table_of, written
from ingestion.parsing.parsed import (
    Parsed,
    Section,
    Table,
    Unreadable,
    clean,
    refuse_if_too_long,
)

# A Word file compresses about tenfold; an archive that grows far more is a bomb.
_MOST_BYTES = 512 * 1_048_576
_HIGHEST_RATIO = 200
_HEADING = re.compile(r"^(?:heading ?(\d)|(title))$", re.IGNORECASE)
_PARAGRAPH, _TABLE, _RUN = qn("w:p"), qn("w:tbl"), qn("w:r")
_TEXT, _TAB, _BREAKS = qn("w:t"), qn("w:tab"), (qn("w:br"), qn("w:cr"))
_STYLE, _VALUE, _OUTLINE = qn("w:pStyle"), qn("w:val"), qn("w:outlineLvl")
_CONTAINERS = frozenset(
    map(qn, ("w:sdt", "w:sdtContent", "w:ins", "w:customXml", "w:smartTag", "w:moveTo"))
)
_SKIPPED = frozenset(
    [
        qn("w:del"),
        qn("w:moveFrom"),
        "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
    ]
)


def parse(path: Path, max_characters: int) -> Parsed:
    """The body as one page; raises Unreadable for damaged, empty and exploding archives."""
    _refuse_bomb(path)
    try:
        document = Document(str(path))
        body = document.element.body
        levels = _heading_levels(document)
        metadata = _metadata(document)
    except (KeyError, ValueError, AttributeError, zipfile.BadZipFile, etree.LxmlError) as error:
        raise Unreadable("The Word document is damaged.") from error
    lines: list[str] = []
    sections: list[Section] = []
    tables: list[Table] = []
    length = 0
    hiding = _hiding_styles(document)
    for item in _blocks(body, levels, hiding):
        if isinstance(item, list):
            above = [" ".join(line.split()) for line in reversed(lines[-6:]) if line.strip()]
            found, block = written(item, length, above[:3])
            tables += found
        else:
            line, level = item
            if level and line.strip():
                title = " ".join(line.split())[:300]
                sections.append({"title": title, "level": level, "start": length})
            block = [line]
        lines += block
        length += sum(len(line) + 1 for line in block)
        refuse_if_too_long(length, max_characters)
    text = "\n".join(lines)
    if not text.strip():
        raise Unreadable("The Word document holds no text.")
    sections = transcripts.with_turns(text, headings.merge(sections, headings.recognise(text)))
    return Parsed(
        text=text, media_type=detect.DOCX, sections=sections, tables=tables, metadata=metadata
    )


def _refuse_bomb(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise Unreadable("The Word document is damaged.") from error
    if any(entry.flag_bits & 1 for entry in entries):
        raise Unreadable("The Word document is encrypted and needs a password.")
    total = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries) or 1
    if total > _MOST_BYTES or (total > 16 * 1_048_576 and total / packed > _HIGHEST_RATIO):
        raise Unreadable(
            f"The Word document unpacks to {total // 1_048_576:,} MB and is refused as unsafe."
        )


def _heading_levels(document: Any) -> dict[str, int]:
    """Outline level by style id, for styles that are or derive from Word's headings."""
    levels: dict[str, int] = {}
    for style in document.styles:
        ancestor = style
        for _ in range(10):
            match = _HEADING.match(ancestor.name or "")
            if match:
                levels[style.style_id] = int(match[1] or 1)
                break
            ancestor = getattr(ancestor, "base_style", None)
            if ancestor is None:
                break
    return levels


def _hiding_styles(document: Any) -> frozenset[str]:
    """The ids of styles whose words Word does not show."""
    return frozenset(
        style.style_id
        for style in document.styles
        if (marks := style.element.find(qn("w:rPr"))) is not None and _is_unseen(marks, frozenset())
    )


def _blocks(
    parent: Any, levels: dict[str, int], hiding: frozenset[str]
) -> Iterator[tuple[str, int] | list[Line]]:
    """In reading order lines with their heading level, 0 for ordinary text, and tables."""
    for child in parent.iterchildren():
        if child.tag == _PARAGRAPH:
            yield _words(child, hiding), _level(child, levels)
        elif child.tag == _TABLE:
            yield "", 0
            yield table_of(child, lambda paragraph: _words(paragraph, hiding))
            yield "", 0
        elif child.tag in _CONTAINERS:
            yield from _blocks(child, levels, hiding)


def _is_unseen(marks: Any, hiding: frozenset[str]) -> bool:
    """Whether these marks of a run hide it: vanished, a size of a point, white on no shade."""
    style = marks.find(qn("w:rStyle"))
    if style is not None and style.get(_VALUE) in hiding:
        return True
    vanish = marks.find(qn("w:vanish"))
    if vanish is not None and vanish.get(_VALUE) not in ("0", "false", "off"):
        return True
    size = marks.find(qn("w:sz"))
    if size is not None and (size.get(_VALUE) or "").isdigit() and int(size.get(_VALUE)) <= 2:
        return True
    color = marks.find(qn("w:color"))
    white = color is not None and (color.get(_VALUE) or "").upper() == "FFFFFF"
    return white and not any(_is_shaded(element) for element in [marks, *marks.iterancestors()])


def _is_shaded(element: Any) -> bool:
    """Whether white words are legible on this run, paragraph, cell or table."""
    if element.find(qn("w:highlight")) is not None or element.tag == qn("w:txbxContent"):
        return True
    # A table's style may shade its cells.
    if element.tag in (_TABLE, qn("w:style")):
        return True
    shades = [element.find(qn("w:shd"))]
    shades += [element.find(f"{name}/{qn('w:shd')}") for name in (qn("w:pPr"), qn("w:tcPr"))]
    return any(
        shade is not None and (shade.get(qn("w:fill")) or "auto").upper() not in ("AUTO", "FFFFFF")
        for shade in shades
    )


def _words(paragraph: Any, hiding: frozenset[str]) -> str:
    """The text of a paragraph as it reads: insertions in, deletions and hidden words out."""
    style = paragraph.find(f"{qn('w:pPr')}/{_STYLE}")
    if style is not None and style.get(_VALUE) in hiding:
        return ""
    parts: list[str] = []
    walk = etree.iterwalk(paragraph, events=("start",))
    for _, element in walk:
        if element.tag in _SKIPPED:
            walk.skip_subtree()
        elif element.tag == _RUN:
            marks = element.find(qn("w:rPr"))
            if marks is not None and _is_unseen(marks, hiding):
                walk.skip_subtree()
        elif element.tag == _TEXT:
            parts.append(element.text or "")
        elif element.tag == _TAB and element.getparent().tag == qn("w:r"):
            parts.append("\t")
        elif element.tag in _BREAKS:
            parts.append("\n")
    return unseen_characters.drop(clean("".join(parts))).rstrip()


def _level(paragraph: Any, levels: dict[str, int]) -> int:
    style = paragraph.find(f"{qn('w:pPr')}/{_STYLE}")
    outline = paragraph.find(f"{qn('w:pPr')}/{_OUTLINE}")
    if style is not None and style.get(_VALUE) in levels:
        return levels[style.get(_VALUE)]
    if outline is not None and (outline.get(_VALUE) or "").isdigit():
        level = int(outline.get(_VALUE)) + 1
        return level if level <= 6 else 0
    return 0


def _metadata(document: Any) -> dict[str, Any]:
    core = document.core_properties
    found: dict[str, Any] = {}
    # Word's own template calls itself python-docx's or nothing at all.
    for name, value in (("title", core.title), ("author", core.author)):
        if value and clean(value).strip() and value not in ("python-docx", "Word Document"):
            found[name] = clean(value).strip()
    if core.created:
        found["created_on"] = core.created.date().isoformat()
    return found
