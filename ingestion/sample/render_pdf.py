"""PDF rendering with reportlab: running heads, page numbers, ruled tables, small charts."""

from __future__ import annotations

import io
from html import escape
from typing import Any, Literal

from reportlab.graphics.charts.barcharts import VerticalBarChart
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import Color, HexColor, black
from reportlab.lib.pagesizes import letter
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import inch
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Frame,
    HRFlowable,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
)
from reportlab.platypus import PageBreak as NewPage
from reportlab.platypus import Table as Grid

from ingestion.sample.blocks import Bullets, Chart, Doc, Heading, PageBreak, Para, Table

SERIF = ("Times-Roman", "Times-Bold", "Times-Italic")
SANS = ("Helvetica", "Helvetica-Bold", "Helvetica-Oblique")
GREY, SHADE = HexColor("#555555"), HexColor("#eef2f6")
ACCENTS = {"note": HexColor("#14406b"), "announcement": HexColor("#1d5c4d")}


class _Whole(Paragraph):
    """A paragraph that moves to the next page rather than break across two."""

    def split(self, *_room: float) -> list[Any]:
        return []


class _Look:
    """Fonts, accent and paragraph styles of one kind of document."""

    def __init__(self, look: str) -> None:
        self.fonts = SERIF if look in {"filing", "call"} else SANS
        self.accent: Color = ACCENTS.get(look, black)
        size = 10 if look in {"filing", "call"} else 9.3
        self.styles = {"body": self._style(size, after=7, align=4 if look == "filing" else 0)}
        self.styles["speech"] = self._style(size, after=8)
        self.styles["small"] = self._style(8, after=5, color=GREY, font=2)
        self.styles["cover"] = self._style(10, after=6, align=1)
        self.styles["cover-name"] = self._style(21, before=8, after=10, align=1, font=1)
        self.styles["cover-form"] = self._style(15, before=6, after=8, align=1, font=1)
        self.styles["bullet"] = self._style(size, after=4, indent=14)
        self.styles["caption"] = self._style(size, before=8, after=2, font=1, color=self.accent)
        self.styles["unit"] = self._style(8.2, after=3, font=2, color=GREY)

    def _style(
        self,
        size: float,
        before: float = 0,
        after: float = 0,
        align: Literal[0, 1, 2, 4] = 0,
        font: int = 0,
        indent: float = 0,
        color: Color = black,
    ) -> ParagraphStyle:
        return ParagraphStyle(
            f"s{size}{before}{after}{align}{font}{indent}", fontName=self.fonts[font], fontSize=size,
            leading=size * 1.27, spaceBefore=before, spaceAfter=after, alignment=align,
            leftIndent=indent, textColor=color, splitLongWords=0,
        )  # fmt: skip

    def heading(self, level: int) -> ParagraphStyle:
        """Headings from 14 points down, in the accent color."""
        size = {1: 14.0, 2: 11.5, 3: 10.0}[level]
        style = self._style(size, before=14 - 2 * level, after=5, font=1, color=self.accent)
        style.keepWithNext = 1
        return style


def render_pdf(doc: Doc, password: str = "") -> bytes:
    """A US letter PDF, byte-identical for the same document; encrypted if a password is given."""
    out, look = io.BytesIO(), _Look(doc.look)
    guard = StandardEncryption(password, ownerPassword=password) if password else None
    template = BaseDocTemplate(
        out, pagesize=letter, leftMargin=inch, rightMargin=inch, topMargin=0.95 * inch,
        bottomMargin=0.9 * inch, title=doc.title, author=doc.company, invariant=1, encrypt=guard,
    )  # fmt: skip
    frame = Frame(inch, 0.9 * inch, 6.5 * inch, letter[1] - 1.85 * inch, 0, 0, 0, 0)
    pages = PageTemplate(id="all", frames=[frame], onPage=_page_furniture(doc, look))
    template.addPageTemplates([pages])
    story: list[Any] = []
    for block in doc.blocks:
        story.extend(_flow(block, look))
    template.build(story)
    return out.getvalue()


def _page_furniture(doc: Doc, look: _Look) -> Any:
    """Draws the running head (not on a filing's cover) and the page number."""

    def draw(canvas: Canvas, _template: BaseDocTemplate) -> None:
        page, width = canvas.getPageNumber(), letter[0]
        canvas.saveState()
        canvas.setFont(look.fonts[0], 8)
        canvas.setFillColor(GREY)
        if page > 1 or doc.look == "note":
            canvas.drawString(inch, letter[1] - 0.62 * inch, doc.running or doc.company)
            canvas.drawRightString(
                width - inch, letter[1] - 0.62 * inch, f"{doc.day:%B} {doc.day.year}"
            )
            canvas.setStrokeColor(look.accent)
            canvas.setLineWidth(0.6)
            canvas.line(inch, letter[1] - 0.68 * inch, width - inch, letter[1] - 0.68 * inch)
        canvas.drawCentredString(width / 2, 0.55 * inch, str(page))
        canvas.restoreState()

    return draw


def _flow(block: object, look: _Look) -> list[Any]:
    """The flowables of one block."""
    if isinstance(block, Heading):
        rule = [HRFlowable(width="100%", thickness=0.5, color=look.accent, spaceAfter=6)]
        head = Paragraph(escape(block.text), look.heading(block.level))
        return [CondPageBreak(1.3 * inch), head] + (rule if block.level == 1 else [])
    if isinstance(block, Para) and block.style == "gap":
        return [Spacer(1, 1.1 * inch)]
    if isinstance(block, Para):
        lead = f"<font name='{look.fonts[1]}'>{escape(block.lead)}</font> " if block.lead else ""
        if block.lead and block.style == "speech":
            lead = f"{lead}<br/>"
        style = look.styles.get(block.style, look.styles["body"])
        return [_Whole(lead + escape(block.text), style)]
    if isinstance(block, Bullets):
        return [_Whole(escape(i), look.styles["bullet"], bulletText="\u2022") for i in block.items]
    if isinstance(block, Table):
        return _table(block, look)
    if isinstance(block, Chart):
        return [KeepTogether(_chart(block, look))]
    return [NewPage()] if isinstance(block, PageBreak) else []


def _table(table: Table, look: _Look) -> list[Any]:
    """Caption, unit and a ruled grid that stay together on a page."""
    data = [list(table.columns)] + [[r.label, *r.cells] for r in table.rows]
    widths = [
        max(62.0, *(stringWidth(text, look.fonts[1], 9) + 16 for text in column))
        for column in list(zip(*data, strict=True))[1:]
    ]
    grid = Grid(data, [6.5 * inch - sum(widths), *widths])
    rules: list[Any] = [
        ("FONT", (0, 0), (-1, -1), look.fonts[0], 9),
        ("FONT", (0, 0), (-1, 0), look.fonts[1], 8.5),
        ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
        ("LINEBELOW", (1, 0), (-1, 0), 0.6, look.accent),
        ("TOPPADDING", (0, 0), (-1, -1), 1.6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1.6),
    ]
    if not any(table.columns):
        rules.append(("FONTSIZE", (0, 0), (-1, 0), 1))
        rules.append(("LEADING", (0, 0), (-1, 0), 2))
    for index, row in enumerate(table.rows, start=1):
        rules += _row_rules(index, row.kind, look)
    grid.setStyle(rules)
    head: list[Any] = [Paragraph(escape(table.caption), look.styles["caption"])]
    if table.unit:
        head.append(Paragraph(escape(f"({table.unit})"), look.styles["unit"]))
    return [KeepTogether([*head, grid, Spacer(1, 10)])]


def _row_rules(index: int, kind: str, look: _Look) -> list[Any]:
    """Rules and shading that a row's kind asks for."""
    rules: list[Any] = []
    if index % 2 == 0:
        rules.append(("BACKGROUND", (0, index), (-1, index), SHADE))
    if kind in {"head", "total", "grand"}:
        rules.append(("FONT", (0, index), (-1, index), look.fonts[1], 9))
    if kind in {"total", "grand"}:
        rules.append(("LINEABOVE", (1, index), (-1, index), 0.5, black))
    if kind == "grand":
        rules.append(("LINEBELOW", (1, index), (-1, index), 0.5, black, None, None, None, 2, 1.2))
    if kind == "indent":
        rules.append(("LEFTPADDING", (0, index), (0, index), 18))
    return rules


def _chart(chart: Chart, look: _Look) -> list[Any]:
    """A bar chart under its title."""
    drawing, bars = Drawing(6.5 * inch, 128), VerticalBarChart()
    bars.x, bars.y, bars.width, bars.height = 30, 18, round(6.5 * inch - 50), 100
    bars.data = [chart.values]
    bars.categoryAxis.categoryNames = list(chart.labels)
    bars.bars[0].fillColor, bars.bars[0].strokeColor = look.accent, None
    bars.barLabelFormat = "%.1f"
    bars.barLabels.nudge = 6
    spread = max(chart.values) - min(chart.values)
    bars.valueAxis.valueMin = max(0.0, round(min(chart.values) - spread * 0.8 - 1))
    bars.valueAxis.valueMax = round(max(chart.values) + spread * 0.25 + 1)
    for part in (bars.categoryAxis.labels, bars.valueAxis.labels, bars.barLabels):
        part.fontName, part.fontSize = look.fonts[0], 7.5
    drawing.add(bars)
    return [Paragraph(escape(chart.title), look.styles["caption"]), drawing, Spacer(1, 8)]
