"""Questions for changes, means, shares and extremes: drafted from the right row, or not at all."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import pytest

from qa.asked import Asked
from qa.checking.evidence import Header, Source
from qa.extractive.asked_operations import asked_operation
from qa.extractive.deriving_figures import derived
from qa.offering import Offered
from qa.passages import Passage
from qa.question.relative_periods import read_periods
from qa.verifying import Verified, verify

REPORT = """Segments of Halden Motion
Net sales by segment were as follows (in millions):
2024 | 2023 | 2022
Aerospace | 412.5 | 380.0 | 310.2
Marine products | 144.1 | 156.7 | 120.0
Other | 10.0 | 9.0 | 8.0
Total net sales | 566.6 | 545.7 | 438.2

The following table shows our debt (in millions):
2024 | 2023
Senior notes | 120.0 | 100.0
Improvements of leaseholds | 3.0 | 5.0
Weighted average shares | 50.0 | 40.0

Deferred taxes of the parent (in millions):
2024 | 2023
Senior notes | 12.0 | 10.0
"""


def offered(text: str = REPORT, kind: str = "annual_report", year: int = 2024) -> list[Offered]:
    header = Header("Halden Motion", (), kind, year)
    passage = Passage(1, 1, 0, len(text), 1, 1, "", text, 1.0)
    source = Source(1, text, 0, len(text), header, 1)
    return [Offered("p1", passage, source, "Report", "Annual report", str(year), 7, None)]


def understood(question: str) -> Asked:
    found: Any = SimpleNamespace(
        companies=[SimpleNamespace(id=7)], metrics=[], comparison=False, temporal=False,
        periods=read_periods(question, date(2025, 3, 1)),
    )  # fmt: skip
    return cast("Asked", found)


def said(question: str, passages: list[Offered] | None = None) -> str:
    """The verified sentence, or nothing."""
    found = derived(question, understood(question), passages or offered())
    assert len(found) <= 1
    for each in found:
        outcome = verify(each.drafted, {one.reference: one.source for one in each.offered})
        assert isinstance(outcome, Verified), outcome
        return outcome.text
    return ""


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("What was the change in total net sales from 2023 to 2024?", "= +20.9, or +3.83%"),
        ("By how much did total net sales grow in 2024?", "= +20.9, or +3.83%"),
        ("What was the percentage change in Marine products between 2023 and 2024?",
         "156.7 (2023) to 144.1 (2024) = -12.6, or -8.04%"),
        ("Did Aerospace net sales decline in 2024?", "380.0 (2023) to 412.5 (2024) = +32.5"),
        ("What was the average of Aerospace net sales from 2022 to 2024?", "= 367.567"),
        ("What is the sum of Aerospace net sales in 2023 and 2024?", "= 792.5"),
        ("What was Marine products as a percentage of total net sales in 2023?", "= 28.72%"),
        ("What percentage of total net sales came from Aerospace in 2024?", "= 72.8%"),
        ("What is the ratio of Aerospace to Marine products in 2024?", "= 2.86"),
        ("What was the difference in net sales between Aerospace and Marine products in 2024?",
         "= 268.4"),
        ("In which year were Aerospace net sales the highest?", "highest is 412.5 (2024)"),
        ("Which year had the lowest Marine products?", "lowest is 120.0 (2022)"),
        ("What was the average of Improvements of leaseholds in 2023 and 2024?", "= 4"),
    ],
)  # fmt: skip
def test_what_is_asked_for_is_derived(question: str, part: str) -> None:
    assert part in said(question)


@pytest.mark.parametrize(
    "question",
    [
        # Two rows of that name differ, a segment that no row or heading names, no such year.
        "What was the change in Senior notes from 2023 to 2024?",
        "What was the change in Robotics net sales from 2023 to 2024?",
        "What was the change in total net sales from 2019 to 2020?",
        # Parts of years, causes, lists, and figures as they stand.
        "What was the change in total net sales in the third quarter of 2024?",
        "What was the change in total net sales for the six months to June 2024?",
        "Why did total net sales increase from 2023 to 2024?",
        "How is the growth of total net sales calculated in 2024?",
        "What were total net sales in 2023 and 2024, respectively?",
        "What were total net sales in 2024?",
        "What were the weighted average shares in 2024?",
    ],
)
def test_what_is_not_asked_for_or_not_certain_is_left(question: str) -> None:
    assert not said(question)


def test_only_a_company_s_own_annual_reports_are_used() -> None:
    question = "What was the change in total net sales from 2023 to 2024?"
    assert not said(question, offered(kind="quarterly_report"))
    other = understood(question)
    other.companies[0].id = 8  # type: ignore[misc]
    assert derived(question, other, offered()) == []


def test_a_year_that_ends_in_january_is_named_by_its_fiscal_year() -> None:
    heads = "February 1, 2025 | February 3, 2024 | January 28, 2023\nAero"
    text = REPORT.replace("2024 | 2023 | 2022\nAero", heads)
    found = said("What was the change in Marine products in fiscal 2024?", offered(text))
    assert "156.7 (February 3, 2024) to 144.1 (February 1, 2025)" in found


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("How did revenue change between 2021 and 2022?", "change"),
        ("What share of revenue was services in 2022?", "share"),
        ("Has gross margin improved?", None),
        ("What improvements were made to the store in 2022 and 2023?", None),
    ],
)
def test_the_operation_is_read_from_the_wording(question: str, name: str | None) -> None:
    periods = {year for period in understood(question).periods for year in period.years}
    found = asked_operation(question, len(periods))
    assert (found.name if found else None) == name
