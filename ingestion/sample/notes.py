"""Item 5 and the notes to the financial statements, with roll-forwards that tie to the statements."""

from __future__ import annotations

from ingestion.sample.blocks import Block, Heading, Para, Row, Table
from ingestion.sample.companies import Company, long_date
from ingestion.sample.figures import amount, before, eps, fill
from ingestion.sample.model import Statements, model_of
from ingestion.sample.pools import pick, pool, version
from ingestion.sample.statements import headings


def notes(company: Company, period: str, original: bool) -> list[Block]:
    """Notes to the statements; an annual report has roll-forwards and more policies."""
    annual = period.endswith("FY")
    blocks: list[Block] = [Heading("Notes to Consolidated Financial Statements", 2)]
    basis = version("notes", "basis" if annual else "interim", company.key)
    blocks.append(Para(basis, "body", "1. Basis of presentation."))
    blocks.append(_policy(company, "revenue", "2. Revenue."))
    blocks.append(_policy(company, "inventory", "3. Inventories."))
    blocks.append(inventory_table(company, period, original))
    debt = pick(pool("sentences")["debt"], "debt", company.key)
    blocks.append(Para(fill(debt, company.key, period, original), "body", "4. Debt."))
    blocks.append(_standing(company, "claims", "5. Commitments and contingencies."))
    if not annual:
        return blocks
    blocks.append(_policy(company, "estimates", "6. Use of estimates."))
    blocks.append(_standing(company, "property", "7. Property, plant and equipment."))
    blocks.append(property_table(company, period, original))
    blocks.append(_standing(company, "goodwill", "8. Goodwill and intangible assets."))
    blocks.append(intangible_table(company, period, original))
    blocks.append(_standing(company, "leases", "9. Leases."))
    blocks.append(_standing(company, "pay", "10. Stock-based compensation and retirement plans."))
    tax = (
        "The provision for income taxes was {tax_rate} of income before taxes. The rate differs "
        "from the federal statutory rate of 21% because of state taxes, credits for research and "
        "the mix of income among countries."
    )
    blocks.append(Para(fill(tax, company.key, period, original), "body", "11. Income taxes."))
    blocks.append(Para(EARNINGS, "body", "12. Earnings per share."))
    blocks.append(share_table(company, period, original))
    blocks.append(_standing(company, "segments", "13. Segment information."))
    blocks.append(_standing(company, "events", "14. Subsequent events."))
    return blocks


EARNINGS = (
    "Earnings per share are net income divided by the weighted average number of diluted shares. "
    "Options that would have increased earnings per share are left out; their number was small."
)


def _policy(company: Company, name: str, lead: str) -> Para:
    return Para(version("filings", f"policies.{name}", company.key), "body", lead)


def _standing(company: Company, name: str, lead: str) -> Para:
    return Para(version("notes", name, company.key), "body", lead)


def _two_years(company: Company, period: str, original: bool) -> tuple[Statements, Statements]:
    model = model_of(company.key, original)
    return model.of(period), model.of(before(period))


def inventory_table(company: Company, period: str, original: bool) -> Table:
    """Inventories at the end of the period by stage of completion."""
    ends = (period, f"{int(period[:4]) - 1}FY")
    totals = [model_of(company.key, original).of(p).inv for p in ends]
    raw = [round(t * 0.37) for t in totals]
    work = [round(t * 0.21) for t in totals]
    done = [t - r - w for t, r, w in zip(totals, raw, work, strict=True)]
    rows = [
        Row(label, tuple(amount(v) for v in values), kind)
        for label, values, kind in (
            ("Raw materials and components", raw, "indent"),
            ("Work in process", work, "indent"),
            ("Finished goods", done, "indent"),
            ("Total inventories", totals, "total"),
        )
    ]
    columns = ("", *(long_date(company.period_end(p)) for p in ends))
    return Table("Inventories", columns, tuple(rows), "in millions")


def _roll(
    caption: str, lines: list[tuple[str, tuple[int, int]]], columns: tuple[str, str]
) -> Table:
    """A roll-forward whose first line opens and whose last line closes the account."""
    rows = [
        Row(label, tuple(amount(v) for v in pair), "total" if index == len(lines) - 1 else "indent")
        for index, (label, pair) in enumerate(lines)
        if any(pair)
    ]
    return Table(caption, ("", *columns), tuple(rows), "in millions")


def property_table(company: Company, period: str, original: bool) -> Table:
    """Property, plant and equipment from opening to closing balance."""
    now, then = _two_years(company, period, original)
    lines = [
        ("Net balance at beginning of year", (then.ppe, then.ppe - then.capex + then.dep)),
        ("Capital expenditures", (now.capex, then.capex)),
        ("Depreciation", (-now.dep, -then.dep)),
        ("Net balance at end of year", (now.ppe, then.ppe)),
    ]
    return _roll("Property, plant and equipment, net", lines, headings(company, period))


def intangible_table(company: Company, period: str, original: bool) -> Table:
    """Goodwill and intangible assets from opening to closing balance."""
    now, then = _two_years(company, period, original)
    lines = [
        (
            "Net balance at beginning of year",
            (then.intang, then.intang - then.acquired + then.amort),
        ),
        ("Acquisitions", (now.acquired, then.acquired)),
        ("Amortization", (-now.amort, -then.amort)),
        ("Net balance at end of year", (now.intang, then.intang)),
    ]
    return _roll("Goodwill and intangible assets, net", lines, headings(company, period))


def share_table(company: Company, period: str, original: bool) -> Table:
    """The computation of diluted earnings per share."""
    parts = _two_years(company, period, original)
    rows = (
        Row("Net income", tuple(amount(p.net) for p in parts)),
        Row("Weighted average diluted shares", tuple(amount(p.shares) for p in parts)),
        Row("Diluted earnings per share", tuple(eps(p) for p in parts), "total"),
    )
    columns = ("", *headings(company, period))
    return Table(
        "Computation of earnings per share", columns, rows, "in millions, except per share"
    )


def equity_item(company: Company, period: str, original: bool) -> list[Block]:
    """Item 5: listing, holders, dividends and repurchases by quarter."""
    model = model_of(company.key, original)
    year = period[:4]
    quarters = [model.of(f"{year}Q{n}") for n in (1, 2, 3, 4)]
    whole = model.of(period)
    pays = bool(whole.dividends or whole.buybacks)
    text = (
        f"Our common stock is listed on the {company.raw['exchange']} under the symbol "
        f"{company.ticker}. {version('notes', 'holders' if pays else 'growth', company.key)}"
    )
    title = "Item 5. Market for Registrant's Common Equity and Related Stockholder Matters"
    blocks: list[Block] = [Heading(title), Para(text)]
    if not pays:
        return blocks
    rows = tuple(
        Row(label, tuple(amount(v) for v in [*(pick_(q) for q in quarters), pick_(whole)]))
        for label, pick_ in (
            ("Dividends paid", lambda s: s.dividends),
            ("Repurchases of common stock", lambda s: s.buybacks),
        )
    )
    columns = ("", "First", "Second", "Third", "Fourth", "Year")
    caption = f"Distributions to shareholders, fiscal {year}"
    return [*blocks, Table(caption, columns, rows, "in millions")]
