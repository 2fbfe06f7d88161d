"""Periods of questions: what was written, against a day and the newest documents."""

from __future__ import annotations

from datetime import date

import pytest

from qa.question.filing_filters import fiscal_years, publication_dates, wanted_filings
from qa.question.periods import Newest, Period
from qa.question.relative_periods import read_periods

TODAY = date(2026, 11, 21)
# Question -> (key, years, quarters) of each period.
Q = tuple[tuple[int, int], ...]
WRITTEN: list[tuple[str, list[tuple[str, tuple[int, ...], Q]]]] = [
    ("capex in FY2022", [("FY2022", (2022,), ())]),
    ("capex in FY22", [("FY2022", (2022,), ())]),
    ("capex in fiscal 2022", [("FY2022", (2022,), ())]),
    ("capex in fiscal year 2022", [("FY2022", (2022,), ())]),
    ("sales in 2024", [("2024", (2024,), ())]),
    ("calendar 2024 sales", [("2024", (2024,), ())]),
    ("Q2 of FY23 margin", [("Q2-FY2023", (2023,), ((2023, 2),))]),
    ("Q2 2023 margin", [("Q2-2023", (2023,), ((2023, 2),))]),
    ("margin in 2Q23", [("Q2-2023", (2023,), ((2023, 2),))]),
    ("margin in Q2'23", [("Q2-2023", (2023,), ((2023, 2),))]),
    ("margin 2023Q2", [("Q2-2023", (2023,), ((2023, 2),))]),
    ("second quarter of fiscal 2023", [("Q2-FY2023", (2023,), ((2023, 2),))]),
    ("fiscal 2023 second quarter", [("Q2-FY2023", (2023,), ((2023, 2),))]),
    ("In 2023, what was Q2 revenue?", [("Q2-2023", (2023,), ((2023, 2),))]),
    ("the second quarter", [("Q2-2026", (2026,), ((2026, 2),))]),
    ("the fourth quarter", [("Q4-2025", (2025,), ((2025, 4),))]),
    ("H1 2022", [("H1-2022", (2022,), ((2022, 1), (2022, 2)))]),
    ("second half of 2022", [("H2-2022", (2022,), ((2022, 3), (2022, 4)))]),
    ("FY21 versus FY22", [("FY2021", (2021,), ()), ("FY2022", (2022,), ())]),
    ("Q1 and Q3 2022", [("Q1-2022", (2022,), ((2022, 1),)), ("Q3-2022", (2022,), ((2022, 3),))]),
    ("between 2019 and 2021", [("2019to2021", (2019, 2020, 2021), ())]),
    ("from 2019 to 2021", [("2019to2021", (2019, 2020, 2021), ())]),
    ("2019-21 sales", [("2019to2021", (2019, 2020, 2021), ())]),
    ("FY19–FY21 sales", [("FY2019toFY2021", (2019, 2020, 2021), ())]),
    (
        "between Q3 2022 and Q1 2023",
        [("Q3-2022-to-Q1-2023", (2022, 2023), ((2022, 3), (2022, 4), (2023, 1)))],
    ),
    ("as of December 31, 2022", [("2022-12-31", (2022,), ((2022, 4),))]),
    ("year ended June 30 2022", [("ended-2022-06-30-12m", (2022,), ())]),
    ("year ended January 28, 2023", [("ended-2023-01-28-12m", (2022, 2023), ())]),
    ("quarter ended March 31, 2023", [("ended-2023-03-31-3m", (2023,), ((2023, 1),))]),
    ("before 2020", [("before-2020", (2015, 2016, 2017, 2018, 2019), ())]),
    ("last year", [("2025", (2025,), ())]),
    ("this quarter", [("Q4-2026", (2026,), ((2026, 4),))]),
    ("latest quarter", [("Q3-2026", (2026,), ((2026, 3),))]),
    ("the last fiscal year", [("FY2025", (2025,), ())]),
    ("past three years", [("last-3-years", (2023, 2024, 2025), ())]),
    ("over the last couple of years", [("last-2-years", (2024, 2025), ())]),
    (
        "last 4 quarters",
        [("last-4-quarters", (2025, 2026), ((2025, 4), (2026, 1), (2026, 2), (2026, 3)))],
    ),
    (
        "TTM sales",
        [("last-4-quarters", (2025, 2026), ((2025, 4), (2026, 1), (2026, 2), (2026, 3)))],
    ),
    ("sales year over year", [("2024to2025", (2024, 2025), ())]),
    ("FY2022 growth year over year", [("FY2022", (2022,), ()), ("FY2021", (2021,), ())]),
    (
        "Q3 2023 versus last year",
        [("Q3-2023", (2023,), ((2023, 3),)), ("Q3-2022", (2022,), ((2022, 3),))],
    ),
    (
        "Q2 2023 sequentially",
        [("Q2-2023", (2023,), ((2023, 2),)), ("Q1-2023", (2023,), ((2023, 1),))],
    ),
    ("most recent 10-K", [("newest", (), ())]),
]


def keys(text: str, day: date = TODAY) -> list[tuple[str, tuple[int, ...], Q]]:
    return [(p.key.removeprefix("period:"), p.years, p.quarters) for p in read_periods(text, day)]


@pytest.mark.parametrize(("text", "expected"), WRITTEN, ids=[row[0] for row in WRITTEN])
def test_a_period_is_read_as_written(text: str, expected: list[object]) -> None:
    assert keys(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "redemption of the 2025 notes",
        "the 3.5% senior notes due 2030",
        "2027 convertible senior notes",
        "ISO 9001 and ISO 14001",
        "S&P 500 and Russell 2000",
        "the 10-K and the 8-K",
        "$2020 and 2,022 units",
        "2000 employees in 2019 stores",
        "COVID-19",
        "debt maturing in 2027",
        "the 2019 Equity Incentive Plan",
        "Tax Act of 2017",
        "ASU 2016-02",
        "it may rise, and they march on",
        "current ratio and current assets",
        "serial 202212345 and 1.2023",
    ],
)
def test_a_number_that_is_no_period_is_left_alone(text: str) -> None:
    assert read_periods(text, TODAY) == ()


def test_a_span_is_where_the_period_stands() -> None:
    text = "What did sales do in the second quarter of fiscal 2023, and since 2021?"
    spans = [text[p.start : p.end] for p in read_periods(text, TODAY)]
    assert spans == ["second quarter of fiscal 2023", "since 2021"]


def test_since_reaches_until_the_day() -> None:
    (march,) = read_periods("news since March", TODAY)
    assert (march.first_day, march.last_day) == (date(2026, 3, 1), TODAY)
    (december,) = read_periods("news since December", TODAY)
    assert december.first_day == date(2025, 12, 1)
    (years,) = read_periods("since 2020", date(2023, 2, 1))
    assert years.years == (2020, 2021, 2022, 2023)


def test_the_newest_documents_decide_what_is_last() -> None:
    def newest() -> Newest:
        return Newest(2023, (2024, 1))

    (quarters,) = read_periods("last 2 quarters", TODAY, newest)
    assert quarters.quarters == ((2023, 4), (2024, 1))
    (years,) = read_periods("past two years", TODAY, newest)
    assert years.years == (2022, 2023)
    (hop,) = read_periods("margin in Q2", TODAY, newest)
    assert hop.quarters == ((2023, 2),)


def test_as_of_moves_what_is_relative() -> None:
    assert keys("last year", date(2020, 1, 5)) == [("2019", (2019,), ())]
    assert keys("supply in Q1 and margins in Q2", date(2023, 5, 2)) == [
        ("Q1-2022", (2022,), ((2022, 1),)),
        ("Q2-2022", (2022,), ((2022, 2),)),
    ]


@pytest.mark.parametrize("text", ["sales in FY2031", "revenue in 2035", "next year", "Q4 2030"])
def test_a_period_to_come_is_kept_and_flagged(text: str) -> None:
    (period,) = read_periods(text, TODAY)
    assert period.future
    assert wanted_filings([period]) == ()
    assert fiscal_years([period]) == ()


def test_a_fiscal_year_may_have_begun_before_its_name() -> None:
    (period,) = read_periods("guidance for FY2027", TODAY)
    assert not period.future


def only(text: str) -> Period:
    (period,) = read_periods(text, TODAY)
    return period


def test_a_year_wants_its_report_first_and_later_columns_next() -> None:
    wanted = [(w.fiscal_year, w.fiscal_quarter, w.kind) for w in wanted_filings([only("FY2022")])]
    assert wanted[0] == (2022, None, "annual_report")
    assert wanted[1] == (2023, None, "annual_report")
    assert (2024, None, "annual_report") in wanted
    assert fiscal_years([only("FY2022")]) == (2023, 2022, 2021)
    assert fiscal_years([only("FY2022")], strict=True) == (2022,)


def test_a_quarter_may_be_answered_by_report_call_release_or_year() -> None:
    wanted = [
        (w.fiscal_year, w.fiscal_quarter, w.kind) for w in wanted_filings([only("Q2 FY2023")])
    ]
    assert wanted[0] == (2023, 2, "quarterly_report")
    assert set(wanted[1:3]) == {(2023, 2, "announcement"), (2023, 2, "earnings_call")}
    assert (2023, None, "annual_report") in wanted
    fourth = wanted_filings([only("Q4 FY2023")])
    assert (2023, None, "annual_report") in [
        (w.fiscal_year, w.fiscal_quarter, w.kind) for w in fourth if w.weight == 1.0
    ]


def test_a_named_kind_comes_first_and_excludes_nothing() -> None:
    wanted = wanted_filings([only("Q2 2023")], ("earnings_call",))
    assert wanted[0].kind == "earnings_call"
    assert {w.kind for w in wanted} > {"earnings_call", "quarterly_report"}


def test_publication_lags_what_is_reported() -> None:
    first, last = publication_dates([only("Q4 2022")])
    assert first == date(2022, 10, 1)
    assert last is not None
    assert last > date(2023, 3, 31)
