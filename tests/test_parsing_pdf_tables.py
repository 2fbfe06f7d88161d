"""Tables on PDF pages keep a number with its label, its column's head and its scale."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from ingestion.parsing import Parsed, pdf
from ingestion.parsing.parsed import Table

LIMIT = 20_000_000
STATEMENT = re.compile(
    r"consolidated (?:condensed )?(?:balance sheets?|statements? of (?:consolidated )?"
    r"(?:cash flows?|income|operations|earnings))",
    re.IGNORECASE,
)
TOTALS = re.compile(r"total (?:current )?assets|net (?:cash|increase|income|earnings)", re.I)


def rows_of(parsed: Parsed, table: Table) -> list[str]:
    rows = [parsed.text[start:end] for start, end in table["rows"]]
    assert all("\n" not in row for row in rows)
    return rows


class Page:
    """Draws lines downwards; a line is a label at the left and cells ending at their columns."""

    def __init__(self, path: Path, ends: Sequence[float] = (360, 440, 520)) -> None:
        self.canvas = Canvas(str(path))
        self.canvas.setFont("Helvetica", 10)
        self.ends, self.y = ends, 760.0

    def row(self, label: str, *cells: str, raised: float = 0) -> None:
        self.canvas.drawString(60, self.y, label)
        for end, cell in zip(self.ends, cells, strict=False):
            number = cell.lstrip("$ ")
            if number != cell:
                self.canvas.drawString(end - 55, self.y + raised, "$")
            # A closing bracket hangs over the edge at which the digits end.
            hang = self.canvas.stringWidth(")", "Helvetica", 10) if number.endswith(")") else 0
            self.canvas.drawRightString(end + hang, self.y + raised, number)
        self.y -= 14

    def centre(self, x: float, words: str) -> None:
        self.canvas.drawCentredString(x, self.y, words)

    def down(self) -> None:
        self.y -= 14

    def save(self) -> None:
        self.canvas.save()


def cash_flows(path: Path) -> Path:
    page = Page(path)
    page.centre(300, "Consolidated Statements of Cash Flows")
    page.down()
    page.centre(300, "(in millions, except per share amounts)")
    page.down()
    page.centre(420, "Year Ended December 31,")
    page.down()
    page.row("", "2022", "2021", "2020")
    page.row("Operating activities:")
    page.row("Net income", "$ 1,204", "$ 998", "$ 871")
    page.row("Adjustments to reconcile net income to net cash")
    page.row("provided by operating activities", "312", "290", "(15)")
    page.row("Purchases of property, plant and equipment (Note 9)", "(427)", "—", "(388)")
    page.row("Proceeds from the sale of businesses, net of cash sold and of", "12", "7", "31")
    page.row("the costs of the sale")
    page.row("Other", "5", "(2)", "1")
    page.row("Cash at end of year", "$ 1,106", "$ 1,293", "$ 500", raised=5)
    page.save()
    return path


def test_a_row_is_one_line_with_its_label_and_cells(tmp_path: Path) -> None:
    parsed = pdf.parse(cash_flows(tmp_path / "a.pdf"), LIMIT)
    (table,) = parsed.tables
    assert rows_of(parsed, table) == [
        "Operating activities:",
        "Net income | $1,204 | $998 | $871",
        (
            "Adjustments to reconcile net income to net cash provided by operating activities"
            " | 312 | 290 | (15)"
        ),
        "Purchases of property, plant and equipment (Note 9) | (427) | — | (388)",
        (
            "Proceeds from the sale of businesses, net of cash sold and of the costs of the sale"
            " | 12 | 7 | 31"
        ),
        "Other | 5 | (2) | 1",
        "Cash at end of year | $1,106 | $1,293 | $500",
    ]
    assert table["start"] <= table["rows"][0][0]
    assert table["end"] == table["rows"][-1][1]


def test_heads_caption_and_scale_are_read(tmp_path: Path) -> None:
    (table,) = pdf.parse(cash_flows(tmp_path / "a.pdf"), LIMIT).tables
    assert table["heads"] == "Year Ended December 31, | 2022 | 2021 | 2020"
    assert table["scale"] == "in millions, except per share amounts"
    assert table["caption"] == "Consolidated Statements of Cash Flows"


def test_heads_of_several_lines_are_joined_by_column(tmp_path: Path) -> None:
    page = Page(tmp_path / "a.pdf", (320, 390, 460, 530))
    page.row("The segments did as follows (dollars in thousands):")
    page.centre(355, "Three Months Ended")
    page.centre(495, "Six Months Ended")
    page.down()
    page.row("", "June 30,", "July 1,", "June 30,", "July 1,")
    page.row("", "2023", "2022", "2023", "2022")
    page.row("Tools", "1,000", "900", "2,100", "1,800")
    page.row("Parts", "200", "150.5%", "410", "300")
    page.row("Total", "1,200", "1,050", "2,510", "2,100")
    page.save()
    parsed = pdf.parse(tmp_path / "a.pdf", LIMIT)
    (table,) = parsed.tables
    assert table["heads"].split(" | ") == [
        "Three Months Ended June 30, 2023",
        "Three Months Ended July 1, 2022",
        "Six Months Ended June 30, 2023",
        "Six Months Ended July 1, 2022",
    ]
    assert table["scale"] == "dollars in thousands"
    assert rows_of(parsed, table)[1] == "Parts | 200 | 150.5% | 410 | 300"


def test_a_table_drawn_column_by_column_has_whole_rows(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"))
    labels = ["Cash and cash equivalents", "Receivables", "Inventories", "Total current assets"]
    canvas.drawString(60, 750, "(In thousands)")
    for row, label in enumerate(labels):
        canvas.drawString(60, 710 - 20 * row, label)
    for column, year in enumerate(("2021", "2020")):
        canvas.drawRightString(400 + 100 * column, 730, year)
        for row in range(4):
            number = f"{1000 * (column + 1) + row:,}"
            canvas.drawRightString(400 + 100 * column, 710 - 20 * row, number)
    canvas.save()
    parsed = pdf.parse(tmp_path / "a.pdf", LIMIT)
    (table,) = parsed.tables
    assert rows_of(parsed, table) == [
        f"{label} | {1000 + row:,} | {2000 + row:,}" for row, label in enumerate(labels)
    ]
    assert (table["heads"], table["scale"]) == ("2021 | 2020", "In thousands")


def test_prose_with_numbers_and_contents_are_no_tables(tmp_path: Path) -> None:
    page = Page(tmp_path / "a.pdf", (520,))
    for year in range(2015, 2020):
        page.row(
            f"Sales of the northern plant rose in the year {year} by 4.5% to $ 1,2{year % 100}"
        )
    page.down()
    page.row("Part I")
    page.row("Item 1. Business", "4")
    page.row("Item 1A. Risk Factors", "9")
    page.row("Item 2. Properties", "17")
    page.save()
    parsed = pdf.parse(tmp_path / "a.pdf", LIMIT)
    assert parsed.tables == []
    assert "Item 1A. Risk Factors 9" in parsed.text


def test_new_years_begin_a_new_table(tmp_path: Path) -> None:
    page = Page(tmp_path / "a.pdf", (400, 500))
    for first in (2022, 2019):
        page.row("(in millions)", str(first), str(first - 1))
        for label in ("Sales", "Cost of sales", "Gross profit"):
            page.row(label, "12,345", "(1,234)")
    page.save()
    tables = pdf.parse(tmp_path / "a.pdf", LIMIT).tables
    assert [table["heads"] for table in tables] == ["2022 | 2021", "2019 | 2018"]
    assert [len(table["rows"]) for table in tables] == [3, 3]


def find_row(parsed: Parsed, words: str, cells: str) -> tuple[str, Table]:
    return next(
        (row, table)
        for table in parsed.tables
        for row in rows_of(parsed, table)
        if row.startswith(words) and cells in row
    )


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "words", "cells", "scale"),
    [
        ("3M_2018_10K", "Purchases of property, plant and equipment", "(1,577) | (1,373)", "Mill"),
        ("NETFLIX_2022_10K", "Purchases of property and equipment", "(407,729)", "thousands"),
        ("AMCOR_2022_10K", "Purchase of property, plant, and equipment", "(527) | (468)", "$ in m"),
        ("COSTCO_2015_10K", "Merchandise inventories", "8,908 | 8,456", "amounts in millions"),
        ("PEPSICO_2015_10K", "Accounts and notes receivable", "6,437 | 6,651", "in millions"),
    ],
)
def test_rows_of_real_statements_are_whole(
    data: Path, name: str, words: str, cells: str, scale: str
) -> None:
    parsed = pdf.parse(data / f"financebench/pdfs/{name}.pdf", LIMIT)
    row, table = find_row(parsed, words, cells)
    assert row.count(" | ") >= 2
    assert scale.casefold() in table["scale"].casefold()
    assert re.search(r"20\d\d", table["heads"])


@pytest.mark.data
def test_statements_of_real_filings_are_tables_with_years_and_scale(data: Path) -> None:
    pages = found = 0
    for path in sorted((data / "financebench/pdfs").glob("*.pdf"))[3::16]:
        parsed = pdf.parse(path, LIMIT)
        ends = [*parsed.pages[1:], len(parsed.text) + 1]
        for start, end in zip(parsed.pages, ends, strict=True):
            text = parsed.text[start:end]
            numbers = len(re.findall(r"\b\d[\d,.]*\b", text))
            if not (STATEMENT.search(text[:350]) and numbers > 40 and TOTALS.search(text)):
                continue
            tables = [table for table in parsed.tables if start <= table["start"] < end]
            pages += 1
            found += any(
                len(table["rows"]) > 4 and table["scale"] and re.search(r"20\d\d", table["heads"])
                for table in tables
            )
    assert pages >= 15
    assert found >= 0.85 * pages
