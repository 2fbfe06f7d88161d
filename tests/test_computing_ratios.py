"""Ratios computed from quoted rows: right where all agrees, and never where anything is amiss."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest

from qa.checking import computing
from qa.checking.evidence import Header, Source
from qa.checking.formulas import formula
from qa.checking.statement_items import item_of
from qa.verifying import Drafted, Dropped, Verified, verify

REPORT = """Halden Motion Corporation annual report
Consolidated Statements of Income
(in millions, except per share data)
2024 | 2023 | 2022
Net sales | $839.8 | $801.2 | $790.0
Cost of sales | 527.4 | 500.1 | 495.0
Gross profit | 312.4 | 301.1 | 295.0
Operating income | 91.0 | 99.4 | (12.0)
Income tax expense | (3.0) | 20.0 | 19.0
Income before income taxes | 80.0 | 90.0 | 88.0
Consolidated Balance Sheets
(in millions)
2024 | 2023
Inventories | 120.0 | 100.0
Total current assets | 400.0 | 380.0
Total current liabilities | 200.0 | 0.0
Consolidated Statements of Cash Flows
(in millions)
2024 | 2023 | 2022
Net cash provided by operating activities | 110.0 | 101.0 | 95.0
Capital expenditures | (40.0) | (38.0) | (35.0)
"""
HALDEN = Header("Halden Motion Corporation", (), "annual_report", 2024)
ROWS = {
    "sales": "Net sales | $839.8 | $801.2 | $790.0",
    "cost": "Cost of sales | 527.4 | 500.1 | 495.0",
    "gross": "Gross profit | 312.4 | 301.1 | 295.0",
    "operating": "Operating income | 91.0 | 99.4 | (12.0)",
    "tax": "Income tax expense | (3.0) | 20.0 | 19.0",
    "before": "Income before income taxes | 80.0 | 90.0 | 88.0",
    "inventory": "Inventories | 120.0 | 100.0",
    "assets": "Total current assets | 400.0 | 380.0",
    "liabilities": "Total current liabilities | 200.0 | 0.0",
    "cash": "Net cash provided by operating activities | 110.0 | 101.0 | 95.0",
    "capex": "Capital expenditures | (40.0) | (38.0) | (35.0)",
}
RIGHT = [
    ("gross margin", 2024, ["gross", "sales"],
     ("Computed for fiscal 2024: gross margin 37.2% = gross profit 312.4 / revenue 839.8 "
     "(in millions).")),
    ("gross margin", 2022, ["gross", "sales"],
     ("Computed for fiscal 2022: gross margin 37.3% = gross profit 295.0 / revenue 790.0 "
     "(in millions).")),
    ("operating margin", 2022, ["operating", "sales"],
     ("Computed for fiscal 2022: operating margin -1.5% = operating income (12.0) / revenue 790.0 "
     "(in millions).")),
    ("inventory turnover", 2024, ["cost", "inventory"],
     ("Computed for fiscal 2024: inventory turnover 4.79 = cost of revenue 527.4 / average "
     "inventory of 120.0 and 100.0 (in millions).")),
    ("free cash flow", 2024, ["cash", "capex"],
     ("Computed for fiscal 2024: free cash flow 70.0 = operating cash flow 110.0 - capital "
     "expenditure 40.0 (in millions).")),
    ("revenue growth", 2024, ["sales"],
     ("Computed for fiscal 2024: revenue growth 4.8% = revenue 839.8 / revenue of the year before "
     "801.2 - 1 (in millions).")),
    ("change of operating income", 2024, ["operating"],
     ("Computed for fiscal 2024: change of operating income -8.4, or -8.5% = operating income 91.0 "
     "- operating income of the year before 99.4 (in millions).")),
    # Of a loss there is no percentage.
    ("change of operating income", 2023, ["operating"],
     ("Computed for fiscal 2023: change of operating income +111.4 = operating income 99.4 "
     "- operating income of the year before (12.0) (in millions).")),
    ("365 x average inventory / (cost of revenue + (inventory - inventory of the year before))",
     2024, ["inventory", "cost"],
     ("Computed for fiscal 2024: 365 x average inventory of 120.0 and 100.0 / (cost of revenue "
     "527.4 + (inventory 120.0 - inventory of the year before 100.0)) = 73.3 days "
     "(in millions).")),
    ("2-year compound growth of revenue", 2024, ["sales"],
     ("Computed for fiscal 2024: 2-year compound growth of revenue 3.1% = (revenue 839.8 / revenue "
     "of two years before 790.0) ^ 0.5 - 1 (in millions).")),
    ("capital expenditure / revenue", 2024, ["capex", "sales"],
     ("Computed for fiscal 2024: capital expenditure 40.0 / revenue 839.8 = 0.05, or 4.8% "
     "(in millions).")),
    ("gross margin", 2023, ["cost", "sales"],
     ("Computed for fiscal 2023: gross margin 37.6% = (revenue 801.2 - cost of revenue 500.1) / "
     "revenue 801.2 (in millions).")),
    ("3-year average of operating margin", 2024, ["operating", "sales"],
     ("Computed for fiscal 2024: 3-year average of operating margin 7.2% = (operating income 91.0 "
     "/ revenue 839.8 + operating income of the year before 99.4 / revenue of the year before "
     "801.2 + operating income of two years before (12.0) / revenue of two years before 790.0) / "
     "3 (in millions).")),
    ("2-year average of capital expenditure", 2024, ["capex"],
     ("Computed for fiscal 2024: 2-year average of capital expenditure 39.0 = (capital expenditure "
     "40.0 + capital expenditure of the year before 38.0) / 2 (in millions).")),
    ("change of gross margin", 2024, ["gross", "sales"],
     ("Computed for fiscal 2024: change of gross margin -0.4 percentage points, from 37.6% to "
     "37.2% = (gross profit 312.4 / revenue 839.8) - (gross profit of the year before 301.1 / "
     "revenue of the year before 801.2) (in millions).")),
]  # fmt: skip


def source(text: str = REPORT, document: int = 1, header: Header = HALDEN) -> Source:
    return Source(document, text, 0, len(text), header)


def draft(ratio: str, year: int, rows: list[str], text: str) -> Drafted:
    quotes = tuple(("p1", ROWS.get(row, row)) for row in rows)
    return Drafted(text, quotes, computing.Asked(ratio, year))


def refused(drafted: Drafted, report: Source | None = None, **more: Source) -> str:
    found = verify(drafted, {"p1": report or source(), **more})
    assert isinstance(found, Dropped), drafted.text
    return found.reason


@pytest.mark.parametrize(("ratio", "year", "rows", "text"), RIGHT)
def test_what_follows_from_the_rows_is_verified(
    ratio: str, year: int, rows: list[str], text: str
) -> None:
    found = verify(draft(ratio, year, rows, text), {"p1": source()})
    assert isinstance(found, Verified), found
    assert [cited.quote for cited in found.citations] == [ROWS[row] for row in rows]


@pytest.mark.parametrize(("ratio", "year", "rows", "text"), RIGHT)
def test_no_digit_and_no_word_can_be_changed(
    ratio: str, year: int, rows: list[str], text: str
) -> None:
    chance = random.Random(text)
    for match in re.finditer(r"[\w%]", text):
        other = chance.choice([c for c in "0123456789abcz" if c != match[0].lower()])
        spoiled = text[: match.start()] + other + text[match.end() :]
        refused(draft(ratio, year, rows, spoiled))


def test_another_year_or_ratio_than_it_says_is_refused() -> None:
    for ratio, year, rows, text in RIGHT:
        for other in (2021, 2022, 2023, 2024, 2025):
            if other != year:
                refused(draft(ratio, other, rows, text))
        for name, *_ in RIGHT:
            if name != ratio:
                refused(draft(name, year, rows, text))


def test_other_rows_missing_rows_and_more_rows_are_refused() -> None:
    ratio, year, rows, text = RIGHT[0]
    assert "not the rows" in refused(draft(ratio, year, ["gross"], text))
    assert "not the rows" in refused(draft(ratio, year, ["operating", "sales"], text))
    assert "not the rows" in refused(draft(ratio, year, [*rows, "cost"], text))
    invented = "Net sales | $900.0 | $801.2 | $790.0"
    assert "not all of its operands" in refused(draft(ratio, year, ["gross", invented], text))
    assert "whole row" in refused(draft(ratio, year, ["gross", "Net sales | $839.8"], text))


def test_rows_of_two_companies_or_two_reports_are_refused() -> None:
    ratio, year, _, text = RIGHT[0]
    other = source(REPORT.replace("839.8", "939.8"), 2, replace(HALDEN, company="Orrin Peak"))
    quotes = (("p1", ROWS["gross"]), ("p2", "Net sales | $939.8 | $801.2 | $790.0"))
    for said in (text, text.replace("839.8", "939.8"), text.replace("37.2", "33.3")):
        drafted = Drafted(said, quotes, computing.Asked(ratio, year))
        assert "several documents" in refused(drafted, p2=other)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        # Scales, currencies and periods that do not agree.
        ("(in millions)\n2024 | 2023\nInventories", "(in thousands)\n2024 | 2023\nInventories",
         "scale"),
        ("(in millions)\n2024 | 2023\nInventories", "2024 | 2023\nInventories", "scale"),
        ("Inventories | 120.0 | 100.0", "Inventories | €120.0 | €100.0", "currency"),
        ("2024 | 2023\nInventories", "Three months ended\n2024 | 2023\nInventories", "a part"),
        ("2024 | 2023\nInventories", "3 mo. Mar 2024 | 3 mo. Mar 2023\nInventories", "part"),
        ("2024 | 2023\nInventories", "2024 | 2024\nInventories", "not one column"),
        ("2024 | 2023\nInventories", "2022 | 2021\nInventories", "fiscal year"),
        # Tables of a part of the company.
        ("Consolidated Balance Sheets", "Consolidated Balance Sheets\nParent company only", "part"),
        ("Consolidated Balance Sheets", "Balance Sheets of the Guarantors", "no row of a primary"),
        ("Consolidated Balance Sheets", "Motion Control segment", "no row of a primary"),
        ("Net cash provided", ("Note 5. Inventories, in millions\n2024 | 2023\n"
         "Total inventories | 180.0 | 150.0\nNet cash provided"), "larger figure"),
    ],
)  # fmt: skip
def test_what_does_not_agree_is_refused(old: str, new: str, reason: str) -> None:
    ratio, year, rows, text = RIGHT[3]
    assert old in REPORT
    spoiled = REPORT.replace(old, new)
    quotes = re.findall(r"^(?:Cost of sales|Inventories) .*$", spoiled, re.M)
    assert reason in refused(draft(ratio, year, quotes, text), source(spoiled)), rows


def test_a_larger_figure_of_a_company_that_is_not_contradicts_nothing() -> None:
    ratio, year, rows, text = RIGHT[3]
    rows_of_both = "2024 | 2023\nInventory | 180.0 | 150.0\n"
    pro_forma = f"Acquisitions, unaudited pro forma, in millions\n{rows_of_both}"
    found = verify(draft(ratio, year, rows, text), {"p1": source(REPORT + pro_forma)})
    assert isinstance(found, Verified), found
    stated = pro_forma.replace("unaudited pro forma", "Note 5")
    assert "larger figure" in refused(draft(ratio, year, rows, text), source(REPORT + stated))


def test_what_stands_above_the_heading_is_of_another_table() -> None:
    ratio, year, rows, text = RIGHT[0]
    heading = "Consolidated Statements of Income"
    above = REPORT.replace(heading, f"Adjusted results by segment\n{heading}")
    found = verify(draft(ratio, year, rows, text), {"p1": source(above)})
    assert isinstance(found, Verified), found


def test_a_larger_figure_of_a_year_that_is_not_read_contradicts_nothing() -> None:
    ratio, year, rows, text = RIGHT[0]
    subsidiary = "Note 9. Affiliates, in millions\n2024 | 2023\nGross profit | 180.0 | 350.0\n"
    found = verify(draft(ratio, year, rows, text), {"p1": source(REPORT + subsidiary)})
    assert isinstance(found, Verified), found
    larger = subsidiary.replace("180.0", "380.0")
    assert "larger figure" in refused(draft(ratio, year, rows, text), source(REPORT + larger))


def test_a_quarterly_report_and_a_report_without_a_year_give_nothing() -> None:
    ratio, year, rows, text = RIGHT[0]
    for header in (
        replace(HALDEN, kind="quarterly_report"),
        replace(HALDEN, fiscal_year=None),
        replace(HALDEN, fiscal_year=2019),
    ):
        refused(draft(ratio, year, rows, text), source(header=header))


def test_a_year_that_ends_in_january_is_named_by_its_fiscal_year() -> None:
    text = REPORT.replace("2024 | 2023 | 2022", "Jan 28, 2025 | Jan 29, 2024 | Jan 30, 2023")
    said = RIGHT[0][3]
    found = verify(draft("gross margin", 2024, ["gross", "sales"], said), {"p1": source(text)})
    assert isinstance(found, Verified), found


def test_a_negative_tax_and_a_zero_denominator_give_nothing() -> None:
    text = "Computed for fiscal 2024: effective tax rate 3.8% = income tax 3.0 / income before"
    assert "negative" in refused(draft("effective tax rate", 2024, ["tax", "before"], text))
    text = "Computed for fiscal 2023: current ratio 1.0 = current assets 380.0 / current"
    assert "nothing" in refused(draft("current ratio", 2023, ["assets", "liabilities"], text))


def test_only_exact_labels_count() -> None:
    assert item_of("Accounts receivable, net of allowances of $174 and $189 (Note 4)") is not None
    for label in (
        "Segment net sales",
        "Net sales growth",
        "Other inventories",
        "Cost of sales, %x",
    ):
        assert item_of(label) is None, label
    assert formula("price to earnings") is None
    assert formula("change of weather") is None
    assert formula("change of inventory turnover") is None
