"""HTML renderings: plain news pages and filings with inline XBRL tags and a hidden dei header."""

from __future__ import annotations

from html import escape

from ingestion.sample.blocks import Bullets, Chart, Doc, Heading, Para, Row, Table

NAMESPACES = (
    'xmlns:ix="http://www.xbrl.org/2013/inlineXBRL" '
    'xmlns:xbrli="http://www.xbrl.org/2003/instance" '
    'xmlns:dei="http://xbrl.sec.gov/dei/2024" xmlns:us-gaap="http://fasb.org/us-gaap/2024"'
)
CSS = """body{font:15px/1.5 Georgia,'Times New Roman',serif;max-width:50rem;margin:2rem auto;
padding:0 1rem;color:#1b1b1b}h1,h2,h3{line-height:1.25}table{border-collapse:collapse;width:100%;
margin:1rem 0}th,td{padding:.15rem .4rem;text-align:right}th:first-child,td:first-child{
text-align:left}tr.total td{border-top:1px solid #333;font-weight:bold}tr.grand td{
border-top:1px solid #333;border-bottom:3px double #333;font-weight:bold}.center{text-align:center}
.small{font-size:.85em;color:#555}caption{text-align:left;font-weight:bold}"""


def render_html(doc: Doc) -> bytes:
    """A complete UTF-8 page; filings with ``facts`` become inline XBRL."""
    body = "\n".join(_block(block, bool(doc.facts)) for block in doc.blocks)
    header = _hidden(doc.facts) if doc.facts else ""
    spaces = f" {NAMESPACES}" if doc.facts else ""
    meta = f'<meta name="date" content="{doc.day.isoformat()}">' if doc.look == "news" else ""
    return (
        f'<!DOCTYPE html>\n<html lang="en"{spaces}>\n<head><meta charset="utf-8">{meta}'
        f"<title>{escape(doc.title)}</title>\n<style>{CSS}</style></head>\n"
        f"<body>\n{header}{body}\n</body>\n</html>\n"
    ).encode()


def _hidden(facts: dict[str, str]) -> str:
    """The ix:header that a browser never shows, with the dei facts and the contexts."""
    items = "".join(
        f'<ix:nonNumeric contextRef="c-1" name="{name}">{escape(value)}</ix:nonNumeric>\n'
        for name, value in facts.items()
        if name.startswith("dei:")
    )
    return (
        f'<div style="display:none"><ix:header><ix:hidden>\n{items}</ix:hidden><ix:resources>'
        '<xbrli:context id="c-1"><xbrli:entity><xbrli:identifier scheme="http://www.sec.gov/CIK">'
        f"{facts['dei:EntityCentralIndexKey']}</xbrli:identifier></xbrli:entity><xbrli:period>"
        f"<xbrli:startDate>{facts['start']}</xbrli:startDate><xbrli:endDate>"
        f"{facts['dei:DocumentPeriodEndDate']}</xbrli:endDate></xbrli:period></xbrli:context>"
        '<xbrli:unit id="usd"><xbrli:measure>iso4217:USD</xbrli:measure></xbrli:unit>'
        "</ix:resources></ix:header></div>\n"
    )


def _block(block: object, tagged: bool) -> str:
    """One block as HTML."""
    if isinstance(block, Heading):
        return f"<h{block.level}>{escape(block.text)}</h{block.level}>"
    if isinstance(block, Para):
        lead = f"<b>{escape(block.lead)}</b> " if block.lead else ""
        name = "center" if block.style.startswith("cover") else block.style
        mark = f' class="{name}"' if name in {"center", "small"} else ""
        return f"<p{mark}>{lead}{escape(block.text)}</p>"
    if isinstance(block, Bullets):
        return "<ul>" + "".join(f"<li>{escape(i)}</li>" for i in block.items) + "</ul>"
    if isinstance(block, Table):
        return _table(block, tagged)
    if isinstance(block, Chart):
        return ""
    return "<hr>"


def _table(table: Table, tagged: bool) -> str:
    """A table with a caption, its numbers tagged when the row names a concept."""
    unit = f' <span class="small">({escape(table.unit)})</span>' if table.unit else ""
    head = "".join(f"<th>{escape(c)}</th>" for c in table.columns)
    rows = "\n".join(_row(row, tagged) for row in table.rows)
    return (
        f"<table><caption>{escape(table.caption)}{unit}</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>"
    )


def _row(row: Row, tagged: bool) -> str:
    """A table row; the first number of a tagged row becomes an ix:nonFraction."""
    cells = [escape(c) for c in row.cells]
    if tagged and row.tag and cells and cells[0]:
        number = cells[0].strip("$() ")
        sign = ' sign="-"' if "(" in cells[0] else ""
        cells[0] = cells[0].replace(
            number,
            f'<ix:nonFraction contextRef="c-1" name="{row.tag}" unitRef="usd" decimals="-5" '
            f'scale="6"{sign} format="ixt:num-dot-decimal">{number}</ix:nonFraction>',
        )
    tds = "".join(f"<td>{c}</td>" for c in cells)
    return f'<tr class="{row.kind}"><td>{escape(row.label)}</td>{tds}</tr>'
