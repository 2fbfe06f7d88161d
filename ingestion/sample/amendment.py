"""The amended annual report of Averline: explanatory note, restated figures, adverse controls."""

from __future__ import annotations

import copy
from dataclasses import replace

from ingestion.sample.blocks import Block, Doc, Heading, Para, Row, Table
from ingestion.sample.companies import load_companies
from ingestion.sample.figures import amount, eps, money
from ingestion.sample.model import model_of
from ingestion.sample.write_filings import FilingWriter

DATE = "2024-04-30"


def amended_report() -> Doc:
    """Form 10-K/A for fiscal 2023, filed after the original had been disowned."""
    company = load_companies()["averline"]
    raw = copy.deepcopy(company.raw)
    raw["people"]["cfo"] = "Warren Ito"
    raw["f"]["2023FY"]["sales"] = raw["restated"]["sales"]
    signed = replace(company, raw=raw)
    return FilingWriter(signed, "2023FY").doc(DATE, explanatory_note())


def explanatory_note() -> list[Block]:
    """Why the report was amended, and what changed, line by line."""
    now, was = model_of("averline").of("2023FY"), model_of("averline", True).of("2023FY")
    lines = (
        ("Instruments revenue", was.segments[0], now.segments[0]),
        ("Total revenue", was.revenue, now.revenue),
        ("Gross profit", was.gross, now.gross),
        ("Operating income", was.operating, now.operating),
        ("Net income", was.net, now.net),
        ("Accounts receivable, net", was.recv, now.recv),
        ("Inventories", was.inv, now.inv),
        ("Cash and cash equivalents", was.cash, now.cash),
    )
    rows = [Row(n, (amount(a), amount(b - a), amount(b))) for n, a, b in lines]
    change = f"${now.eps - was.eps:.2f}".replace("$-", "$(") + ")"
    rows.append(Row("Diluted earnings per share", (eps(was), change, eps(now))))
    columns = ("", "As reported", "Adjustment", "As restated")
    return [
        Heading("Explanatory Note"),
        Para(
            "Averline Diagnostics, Inc. is filing this Amendment No. 1 on Form 10-K/A to its Annual "
            "Report for the fiscal year ended December 31, 2023, originally filed on February 28, "
            "2024, to restate its consolidated financial statements for that year."
        ),
        Para(
            "In the fourth quarter of 2023 the Company recognized revenue from 43 analyzers that "
            "had been invoiced to two distributors but not delivered. Side letters allowed the "
            "distributors to defer delivery and payment. The conditions for recognizing revenue "
            f"before delivery were not met. Restated revenue for fiscal 2023 is {money(now.revenue)}"
            f", compared with {money(was.revenue)} as originally reported, and restated diluted "
            f"earnings per share are {eps(now)}, compared with {eps(was)}."
        ),
        Table("Effect of the restatement on fiscal 2023", columns, tuple(rows), "in millions"),
        Para(
            "This Amendment presents the report in full. Except for the restatement, Items 7, 8 and "
            "9A, it does not reflect events after the date of the original filing."
        ),
    ]
