"""DOCX rendering with fixed zip timestamps, so that the same document gives the same bytes."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Pt, RGBColor

from ingestion.sample.blocks import Bullets, Chart, Doc, Heading, PageBreak, Para, Table

EPOCH = (1980, 1, 1, 0, 0, 0)


def render_docx(doc: Doc) -> bytes:
    """A Word file with headings, lists and grid tables; core properties carry title and author."""
    word = Document()
    word.styles["Normal"].font.name = "Calibri"
    word.styles["Normal"].font.size = Pt(10.5)
    props = word.core_properties
    props.title, props.author, props.revision = doc.title, doc.company, 1
    when = datetime(doc.day.year, doc.day.month, doc.day.day, 7, 30, tzinfo=UTC)
    props.created = props.modified = props.last_printed = when
    for block in doc.blocks:
        _add(word, block)
    raw = io.BytesIO()
    word.save(raw)
    return _fixed(raw.getvalue())


def _add(word: Document, block: object) -> None:  # type: ignore[valid-type]
    """Append one block to the Word document."""
    if isinstance(block, Heading):
        word.add_heading(block.text, 0 if block.level == 1 else block.level - 1)  # type: ignore[attr-defined]
    elif isinstance(block, Para):
        para = word.add_paragraph()  # type: ignore[attr-defined]
        if block.lead:
            para.add_run(f"{block.lead} ").bold = True
        run = para.add_run(block.text)
        if block.style == "small":
            run.font.size, run.font.color.rgb = Pt(8.5), RGBColor(0x59, 0x59, 0x59)
        if block.style.startswith("cover"):
            para.alignment = WD_ALIGN_PARAGRAPH.CENTER
    elif isinstance(block, Bullets):
        for item in block.items:
            word.add_paragraph(item, style="List Bullet")  # type: ignore[attr-defined]
    elif isinstance(block, Table):
        _add_table(word, block)
    elif isinstance(block, (Chart, PageBreak)):
        return


def _add_table(word: Document, table: Table) -> None:  # type: ignore[valid-type]
    """Append a table below its caption."""
    word.add_paragraph().add_run(table.caption).bold = True  # type: ignore[attr-defined]
    grid = word.add_table(rows=1, cols=len(table.columns), style="Light Grid Accent 1")  # type: ignore[attr-defined]
    for cell, text in zip(grid.rows[0].cells, table.columns, strict=True):
        cell.text = text
    for row in table.rows:
        cells = grid.add_row().cells
        for cell, text in zip(cells, (row.label, *row.cells), strict=False):
            cell.text = text
    for row in grid.rows:
        for cell in row.cells[1:]:
            cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    word.add_paragraph()  # type: ignore[attr-defined]


def _fixed(data: bytes) -> bytes:
    """The same zip with members in name order and one fixed timestamp."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        names = sorted(old.namelist(), key=lambda n: (n != "[Content_Types].xml", n))
        for name in names:
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, old.read(name))
    return out.getvalue()
