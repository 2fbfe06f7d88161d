"""Printed financial statements and small tables of a company's period, built from the model."""

from __future__ import annotations

from collections.abc import Callable

from ingestion.sample.blocks import Row, Table
from ingestion.sample.companies import Company, long_date
from ingestion.sample.figures import amount, before, eps
from ingestion.sample.model import Model, Statements, model_of

UNIT = "in millions, except per share data; unaudited"
Line = tuple[str, Callable[[Statements], int], str, str]

INCOME: tuple[Line, ...] = (
    ("Net sales", lambda s: s.revenue, "plain", "us-gaap:Revenues"),
    ("Cost of sales", lambda s: s.cogs, "plain", "us-gaap:CostOfRevenue"),
    ("Gross profit", lambda s: s.gross, "total", "us-gaap:GrossProfit"),
    ("Selling, general and administrative", lambda s: s.sga, "indent", ""),
    ("Research and development", lambda s: s.rd, "indent", ""),
    ("Amortization of intangible assets", lambda s: s.amort, "indent", ""),
    ("Restructuring and other special charges", lambda s: s.special, "indent", ""),
    ("Operating income", lambda s: s.operating, "total", "us-gaap:OperatingIncomeLoss"),
    ("Interest expense", lambda s: s.interest, "indent", ""),
    ("Income before income taxes", lambda s: s.pretax, "plain", ""),
    ("Provision for income taxes", lambda s: s.tax, "indent", ""),
    ("Net income", lambda s: s.net, "grand", "us-gaap:NetIncomeLoss"),
)
BALANCE: tuple[Line, ...] = (
    ("Cash and cash equivalents", lambda s: s.cash, "indent", "us-gaap:Cash"),
    ("Accounts receivable, net", lambda s: s.recv, "indent", ""),
    ("Inventories", lambda s: s.inv, "indent", "us-gaap:InventoryNet"),
    ("Prepaid expenses and other current assets", lambda s: s.other_ca, "indent", ""),
    ("Total current assets", lambda s: s.current_assets, "total", ""),
    ("Property, plant and equipment, net", lambda s: s.ppe, "indent", ""),
    ("Goodwill and intangible assets, net", lambda s: s.intang, "indent", ""),
    ("Total assets", lambda s: s.assets, "grand", "us-gaap:Assets"),
    ("Accounts payable", lambda s: s.pay, "indent", ""),
    ("Accrued compensation and other liabilities", lambda s: s.accr, "indent", ""),
    ("Total current liabilities", lambda s: s.pay + s.accr, "total", ""),
    ("Long-term debt", lambda s: s.debt, "indent", "us-gaap:LongTermDebt"),
    ("Other long-term liabilities", lambda s: s.other_ll, "indent", ""),
    ("Total liabilities", lambda s: s.liabilities, "total", ""),
    ("Stockholders' equity", lambda s: s.equity, "indent", "us-gaap:StockholdersEquity"),
    ("Total liabilities and stockholders' equity", lambda s: s.liabilities + s.equity, "grand", ""),
)
CASH: tuple[Line, ...] = (
    ("Net income", lambda s: s.net, "indent", ""),
    ("Depreciation", lambda s: s.dep, "indent", ""),
    ("Amortization of intangible assets", lambda s: s.amort, "indent", ""),
    ("Stock-based compensation", lambda s: s.sbc, "indent", ""),
    ("Change in accounts receivable", lambda s: -s.d_recv, "indent", ""),
    ("Change in inventories", lambda s: -s.d_inv, "indent", ""),
    ("Change in accounts payable", lambda s: s.d_pay, "indent", ""),
    ("Change in accrued and other liabilities", lambda s: s.d_accr, "indent", ""),
    ("Net cash provided by operating activities", lambda s: s.cfo, "total", ""),
    ("Capital expenditures", lambda s: -s.capex, "indent", ""),
    ("Acquisition of businesses", lambda s: -s.acquired, "indent", ""),
    ("Net cash used in investing activities", lambda s: s.cfi, "total", ""),
    ("Proceeds from borrowings", lambda s: s.borrowed, "indent", ""),
    ("Dividends paid", lambda s: -s.dividends, "indent", ""),
    ("Repurchases of common stock", lambda s: -s.buybacks, "indent", ""),
    ("Net cash provided by (used in) financing activities", lambda s: s.cff, "total", ""),
    ("Increase (decrease) in cash", lambda s: s.cfo + s.cfi + s.cff, "plain", ""),
    ("Cash at end of period", lambda s: s.cash, "grand", ""),
)


def _rows(lines: tuple[Line, ...], parts: list[Statements]) -> list[Row]:
    """One row per line, skipping lines that are zero throughout."""
    rows: list[Row] = []
    for index, (label, value, kind, tag) in enumerate(lines):
        values = [value(part) for part in parts]
        if not any(values):
            continue
        sign = "$ " if index == 0 or kind == "grand" else ""
        rows.append(Row(label, tuple(sign + amount(v) for v in values), kind, tag))
    return rows


def income_table(company: Company, period: str, original: bool = False) -> Table:
    """Consolidated statements of income of the period and the one a year before."""
    model = model_of(company.key, original)
    parts = [model.of(period), model.of(before(period))]
    rows = _rows(INCOME, parts)
    rows.append(Row("Diluted earnings per share", tuple(eps(p) for p in parts), "plain"))
    shares = tuple(amount(p.shares) for p in parts)
    rows.append(Row("Weighted average diluted shares", shares, "plain"))
    return Table(
        "Consolidated Statements of Income",
        ("", *headings(company, period)),
        tuple(rows),
        "in millions, except per share data" + audited(period),
    )


def audited(period: str) -> str:
    """The remark that tells an interim statement from an annual one."""
    return "" if period.endswith("FY") else "; unaudited"


def headings(company: Company, period: str) -> tuple[str, str]:
    """Column headings of a flow statement."""
    names = {"Q": "Three months ended", "Y": "Year to date", "F": "Fiscal year"}
    kind = names[period[4]]
    if kind == "Fiscal year":
        return f"Fiscal {period[:4]}", f"Fiscal {before(period)[:4]}"
    last = period.replace("Y", "Q")
    ends = (company.period_end(last), company.period_end(before(last)))
    short = "3 mo." if period[4] == "Q" else f"{3 * int(period[5])} mo."
    return f"{short} {ends[0]:%b} {ends[0].year}", f"{short} {ends[1]:%b} {ends[1].year}"


def balance_table(company: Company, period: str, original: bool = False) -> Table:
    """Consolidated balance sheets at the period's end and at the preceding year end."""
    model = model_of(company.key, original)
    prior = f"{int(period[:4]) - 1}FY"
    ends = [company.period_end(p) for p in (period, prior)]
    return Table(
        "Consolidated Balance Sheets",
        ("", *(f"{e:%b} {e.day}, {e.year}" for e in ends)),
        tuple(_rows(BALANCE, [model.of(period), model.of(prior)])),
        "in millions" + audited(period),
    )


def cash_table(company: Company, period: str, original: bool = False) -> Table:
    """Consolidated statements of cash flows for the year (to date) and the year before."""
    model = model_of(company.key, original)
    when = period.replace("Q", "Y")
    return Table(
        "Consolidated Statements of Cash Flows",
        ("", *headings(company, when)),
        tuple(_rows(CASH, [model.of(when), model.of(before(when))])),
        "in millions" + audited(period),
    )


def segment_table(company: Company, period: str, original: bool = False) -> Table:
    """Net sales by segment with the change in percent."""
    model = model_of(company.key, original)
    now, then = model.of(period), model.of(before(period))
    rows = []
    for index, segment in enumerate(company.raw["model"]["segments"]):
        rows.append(_change(segment["name"], now.segments[index], then.segments[index]))
    rows.append(_change("Total net sales", now.revenue, then.revenue, "total"))
    columns = ("", *headings(company, period), "Change")
    return Table("Net sales by segment", columns, tuple(rows), "in millions")


def _change(label: str, now: int, then: int, kind: str = "plain") -> Row:
    """A row with both amounts and the signed change."""
    change = f"{100 * (now - then) / then:+.1f}%" if then else "n/m"
    return Row(label, (amount(now), amount(then), change), kind)


def quarters_table(company: Company, year: str, original: bool = False) -> Table:
    """Selected quarterly figures of one fiscal year, with the year as a last column."""
    model: Model = model_of(company.key, original)
    parts = [model.of(f"{year}Q{n}") for n in (1, 2, 3, 4)] + [model.of(f"{year}FY")]
    rows = (
        Row("Net sales", tuple(amount(p.revenue) for p in parts)),
        Row("Gross profit", tuple(amount(p.gross) for p in parts)),
        Row("Gross margin", tuple(f"{100 * p.gross / p.revenue:.1f}%" for p in parts)),
        Row("Operating income", tuple(amount(p.operating) for p in parts)),
        Row("Net income", tuple(amount(p.net) for p in parts)),
        Row("Capital expenditures", tuple(amount(p.capex) for p in parts)),
    )
    return Table(
        f"Quarterly results of fiscal {year}",
        ("", "First", "Second", "Third", "Fourth", "Year"),
        rows,
        "in millions; unaudited",
    )


def period_words(company: Company, period: str) -> str:
    """The sentence of a cover page that names the period."""
    if period.endswith("FY"):
        return f"For the fiscal year ended {long_date(company.period_end(period))}"
    return f"For the quarterly period ended {long_date(company.period_end(period))}"
