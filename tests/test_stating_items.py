"""Line items asked for by name stand in the answer as the year's own statement has them."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import pytest

from qa.asked import Asked
from qa.checking.evidence import Header, Source
from qa.extractive.computing_ratios import computed
from qa.extractive.stating_items import stated
from qa.offering import Offered
from qa.passages import Passage
from qa.question.asked_items import read_metrics
from qa.question.relative_periods import read_periods
from qa.verifying import Verified, verify

REPORT = """Halden Motion Corporation annual report
Selected data at constant currency
Net sales | $900.0 | $(60.2) | $839.8
Consolidated Statements of (Loss) Income
(in millions, except per share data)
2024 | 2023 | 2022
Net sales | $839.8 | $801.2 | $790.0
Cost of sales | 527.4 | 500.1 | 495.0
Operating income | 91.0 | 99.4 | (12.0)
Consolidated Balance Sheets
(in millions)
2024 | 2023
Inventories | 120.0 | 100.0
Consolidated Statements of Cash Flows
(in millions)
2024 | 2023 | 2022
Total cash provided by operating activities | 110.0 | 101.0 | 95.0
Capital expenditures | (40.0) | (38.0) | (35.0)
"""


def offered(kind: str = "annual_report", year: int = 2024) -> list[Offered]:
    header = Header("Halden Motion Corporation", (), kind, year)
    passage = Passage(1, 1, 0, len(REPORT), 1, 1, "", REPORT, 1.0)
    source = Source(1, REPORT, 0, len(REPORT), header, 1)
    return [Offered("p1", passage, source, "Report", "Annual report", str(year), 7, None)]


def understood(question: str) -> Asked:
    found: Any = SimpleNamespace(
        companies=[SimpleNamespace(id=7)], metrics=read_metrics(question), comparison=False,
        temporal=False, periods=read_periods(question, date(2025, 3, 1)),
    )  # fmt: skip
    return cast("Asked", found)


def verified(found: list[Any]) -> list[str]:
    said = []
    for each in found:
        outcome = verify(each.drafted, {one.reference: one.source for one in each.offered})
        assert isinstance(outcome, Verified), outcome
        said.append(outcome.text)
    return said


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("What was Halden's capital expenditure in fiscal 2024?",
         ["Capital expenditures | 2024: (40.0) | 2023: (38.0) | 2022: (35.0) | in millions"]),
        ("How much inventory did Halden report for FY2023?",
         ["Inventories | 2024: 120.0 | 2023: 100.0 | in millions"]),
        # Not the row of figures at constant currency, though one of them is larger.
        ("What was Halden's revenue?",
         ["Net sales | 2024: $839.8 | 2023: $801.2 | 2022: $790.0 | in millions"]),
        # Of a ratio that the question defines otherwise, its ingredients.
        ("What is Halden's FY2024 inventory turnover, defined as cost of sales over inventory?",
         ["Cost of sales | 2024: 527.4 | 2023: 500.1 | 2022: 495.0 | in millions",
          "Inventories | 2024: 120.0 | 2023: 100.0 | in millions"]),
    ],
)  # fmt: skip
def test_the_row_of_the_statement_is_quoted(question: str, rows: list[str]) -> None:
    assert sorted(verified(stated(question, understood(question), offered()))) == sorted(rows)


@pytest.mark.parametrize(
    "question",
    [
        "Why did Halden's capital expenditure fall in fiscal 2024?",
        "What was Halden's capital expenditure in fiscal 2019?",
        "What was Halden's capital expenditure in the second quarter of 2024?",
        "What was the average of Halden's capital expenditure in 2023 and 2024?",
        "What is Halden's main business?",
    ],
)
def test_nothing_is_stated_for_causes_parts_of_years_and_years_without_a_report(
    question: str,
) -> None:
    assert stated(question, understood(question), offered()) == []


def test_only_annual_reports_of_the_one_company_are_read() -> None:
    question = "What was Halden's capital expenditure in fiscal 2024?"
    assert stated(question, understood(question), offered("quarterly_report")) == []
    other = understood(question)
    other.companies[0].id = 8  # type: ignore[misc]
    assert stated(question, other, offered()) == []


def test_whether_a_margin_improved_is_computed_from_both_years() -> None:
    question = "Did Halden's gross margin improve in fiscal 2024?"
    assert verified(computed(question, understood(question), offered())) == [
        ("Computed for fiscal 2024: change of gross margin -0.4 percentage points, from 37.6% to "
         "37.2% = ((revenue 839.8 - cost of revenue 527.4) / revenue 839.8) - ((revenue of the "
         "year before 801.2 - cost of revenue of the year before 500.1) / revenue of the year "
         "before 801.2) (in millions)."),
        ("Computed for fiscal 2024: gross margin 37.2% = (revenue 839.8 - cost of revenue 527.4) / "
         "revenue 839.8 (in millions)."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (
            "Was Halden's capital expenditure higher in fiscal 2024 than in the year before?",
            "change of capital expenditure +2.0, or +5.3%",
        ),
        (
            "What was Halden's capital expenditure as a percentage of revenue in fiscal 2024?",
            "capital expenditure 40.0 / revenue 839.8 = 0.05, or 4.8%",
        ),
        (
            "Going by the P&L statement, what was Halden's gross margin in fiscal 2024?",
            "gross margin 37.2%",
        ),
        (
            "What was the CAGR of Halden's revenue from fiscal 2022 to fiscal 2024?",
            "2-year compound growth of revenue 3.1%",
        ),
        ("What was the CAGR of Halden's revenue from fiscal 2020 to fiscal 2024?", ""),
        ("Which segment of Halden had lower revenue in fiscal 2024 than in 2023?", ""),
        ("Did the revenue of Halden's Motion Control increase in fiscal 2024?", ""),
    ],
)
def test_what_is_compared_or_spelled_out_is_computed_of_the_company_only(
    question: str, said: str
) -> None:
    found = verified(computed(question, understood(question), offered()))
    assert (said in found[0]) if said else not found


@pytest.mark.parametrize(
    ("question", "mean"),
    [
        ("What was Halden's average capital expenditure in 2023 and 2024?", True),
        ("What was the average annual operating margin of Halden from 2022 to 2024?", True),
        # The averages of a definition, and what stands elsewhere in the question.
        (
            "What is Halden's FY2024 ROA: revenue over average total assets of FY2023 and FY2024?",
            False,
        ),
        ("What was the change of average prices on revenue between 2023 and 2024?", False),
    ],
)
def test_only_what_average_stands_before_is_averaged(question: str, mean: bool) -> None:
    found = verified(computed(question, understood(question), offered()))
    assert any("-year average of" in each for each in found) == mean
