"""Formulas that a question defines or spells out; none where a word of one is not understood."""

from __future__ import annotations

import pytest

from qa.extractive.reading_formulas import formula_of

TURNOVER = (
    "What was the turnover? It is defined as FY2021 revenue / (average PP&E between FY2020 and "
    "FY2021)."
)
PAYABLE = (
    "Take payable days as 365 x the mean accounts payable / (cost of sales plus the increase in "
    "inventory). What were they in FY2019?"
)
PAYABLE_READ = (
    "365 x average accounts payable / ( cost of revenue + (inventory - inventory of the year "
    "before) )"
)
CYCLE = (
    "The cycle is defined as DIO - DPO. DIO is calculated as 365 * average inventory / COGS. DPO "
    "is taken as 365 x average accounts payable / COGS."
)
CYCLE_READ = (
    "(365 x average inventory / cost of revenue) - (365 x average accounts payable / cost of "
    "revenue)"
)
EBITDA = (
    "What is EBITDA less capital expenditures in FY2021, taking EBITDA as operating income plus "
    "depreciation and amortization?"
)
FREE_CASH = (
    "EBITDA is calculated as operating income + depreciation and amortization. Free cash flow is "
    "defined as EBITDA - capex. What was {}?"
)
RETURNS = (
    "ROA is defined as net income / total assets. ROE is defined as net income / total equity. "
    "What was {} in 2020?"
)
FREE_CASH_READ = "(operating income + depreciation and amortization) - capital expenditure"


@pytest.mark.parametrize(
    ("question", "formula"),
    [
        (TURNOVER, "revenue / ( average property, plant and equipment )"),
        (PAYABLE, PAYABLE_READ),
        (CYCLE, CYCLE_READ),
        (EBITDA, "(operating income + depreciation and amortization) - capital expenditure"),
        (FREE_CASH.format("free cash flow / revenue"), f"({FREE_CASH_READ}) / revenue"),
        (FREE_CASH.format("free cash flow"), FREE_CASH_READ),
        (RETURNS.format("ROA"), "net income / total assets"),
        (RETURNS.format("ROE"), "net income / shareholders' equity"),
        (
            "What was growth, calculated as FY2021 revenue / FY2020 revenue - 1?",
            "revenue / revenue of the year before - 1",
        ),
        ("What share of revenue did R&D expenses take in 2019?",
         "research and development expenses / revenue"),
        ("What was the ratio of goodwill to total assets at the end of 2020?",
         "goodwill / total assets"),
        ("What was net income as a percentage of average total equity?",
         "net income / average shareholders' equity"),
        ("What is the FY2016 - FY2018 3 year average of capex as a % of revenue?",
         "3-year average of capital expenditure / revenue"),
        ("What was the average cost of sales as a percentage of net sales in 2017 and 2018?",
         "2-year average of cost of revenue / revenue"),
    ],
)  # fmt: skip
def test_a_formula_is_read(question: str, formula: str) -> None:
    assert formula_of(question) == formula


@pytest.mark.parametrize(
    "question",
    [
        "What was revenue in 2019?",
        "How is the operating margin defined?",
        "How much of operating income is Aeronautics as a percentage of total operating income?",
        "What were tractors sold divided by revenue?",
        "Revenue is defined in note 2 as net of returns. What was it?",
        "What is the margin, defined as operating income of the segment / revenue?",
        "What is the multiple, defined as 2019 / 2018?",
        "Divide revenue by (total assets. What is it defined as?",
        "The ratio is defined as revenue / / total assets.",
        RETURNS.format("ROE").replace("/ total equity", "/ equity of the owners"),
        "Net income is defined as profit of all owners. What is operating income / net income?",
    ],
)
def test_what_is_half_understood_is_no_formula(question: str) -> None:
    assert formula_of(question) is None


def test_a_long_question_takes_no_long_time() -> None:
    assert formula_of("defined as " * 180 + "(" * 500) is None
    assert formula_of("a as a % of " * 160) is None
