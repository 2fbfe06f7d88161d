"""Calls, releases, notes and stories get the period and day they are about, or none."""

from __future__ import annotations

import datetime as dt

import pytest

from ingestion.metadata import Description, describe
from ingestion.parsing import Parsed
from ingestion.parsing.company_names import first_legal_name
from ingestion.parsing.first_page import facts as page_facts
from ingestion.parsing.periods import find_date, may_be_reported, year_of_recent_quarter

NOTE = """{heading}
Jo Ames, Larch Securities - Equity Research - May 3, 2024
At a glance
Coverage Northwind Tools Corporation (NWT)
Rating Neutral
Price target $41
Sales were fine and profitability was not, as we had feared when the furnace broke in January.
Quarterly results of fiscal 2023
First Second Third Fourth Year
Q1 2023 Q2 2023 Q3 2023 Q4 2023
Net sales 1 2 3 4 10
Northwind Tools said in the second quarter of fiscal 2023 that it would wait.
"""
CALL = """Northwind Tools Corporation (NWT) {period} Earnings Call Transcript
{day}, 8:30 a.m. Eastern Time
Operator: Good morning, and welcome to the call.
"""


def described(text: str, name: str, **pushed: object) -> Description:
    return describe(Parsed(text=text, media_type="text/plain"), name, pushed, "")


def period(result: Description) -> tuple[int | None, int | None]:
    return result.fiscal_year, result.fiscal_quarter


@pytest.mark.parametrize(
    ("heading", "name", "expected"),
    [
        ("Northwind: told you", "2024-05-03_Larch_Northwind_note.docx", (None, None)),
        ("Northwind: told you", "2024-05-03_Larch_Northwind_Q1_note.docx", (2024, 1)),
        ("Northwind: a fine Q1 2024", "upload.docx", (2024, 1)),
        ("Northwind: a fine first quarter", "upload.docx", (2024, 1)),
        # The third quarter of the calendar is long past: its fiscal year is another.
        ("Northwind: a fine third quarter", "upload.docx", (None, None)),
        ("Northwind: a fine third quarter, FY24", "upload.docx", (2024, 3)),
        ("Northwind: Q1 2023 was better", "upload.docx", (None, None)),
        ("Northwind: what we expect of fiscal 2025", "upload.docx", (None, None)),
        ("Northwind: Q3 2024", "2024-05-03_Northwind_Q1_2019_note.docx", (2024, 3)),
        ("Northwind: a fine first quarter", "2024-05-03_Northwind_FY2019_note.docx", (None, None)),
    ],
)
def test_a_note_is_about_what_its_name_or_heading_says(
    heading: str, name: str, expected: tuple[int | None, int | None]
) -> None:
    result = described(NOTE.format(heading=heading), name)
    assert (result.kind, period(result)) == ("research_note", expected)
    assert result.published_on == dt.date(2024, 5, 3)


def test_a_pushed_year_stays_and_a_comparison_gives_it_no_quarter() -> None:
    assert period(described(NOTE.format(heading="Told you"), "x.txt", fiscal_year=2019)) == (
        2019,
        None,
    )
    result = described(NOTE.format(heading="Told you after Q1"), "x.txt", fiscal_year=2024)
    assert period(result) == (2024, 1)
    assert result.provenance["fiscal_year"] == "push"
    assert result.provenance["fiscal_quarter"] == "page"


def test_a_year_that_follows_from_the_day_has_the_origin_of_the_day() -> None:
    result = described(NOTE.format(heading="Told you"), "2024-05-03_Northwind_Q1_note.docx")
    assert result.provenance["fiscal_year"] == "name"


@pytest.mark.parametrize(
    ("named", "day", "expected"),
    [
        ("Q2 2024", "May 1, 2024", (2024, 2)),
        ("Q4 2024", "November 11, 2024", (2024, 4)),
        ("Q4 2023", "February 13, 2024", (2023, 4)),
        ("Q4 2022", "February 13, 2024", (None, None)),
        ("", "May 1, 2024", (None, None)),
    ],
)
def test_the_fiscal_year_of_a_call_need_not_be_the_calendars(
    named: str, day: str, expected: tuple[int | None, int | None]
) -> None:
    assert period(described(CALL.format(period=named, day=day), "call.txt")) == expected


def test_a_release_says_its_period_in_its_first_sentence() -> None:
    text = (
        "NEWS RELEASE\nNorthwind grows again\nAKRON, Ohio, May 25, 2023 /PRNewswire/ -- Northwind"
        " Tools today announced results for the first quarter ended April 29, 2023."
    )
    assert period(described(text, "upload.txt")) == (2024, 1)


def test_a_quarter_never_stands_alone() -> None:
    assert described("words", "Northwind_Q3_letter.txt").fiscal_quarter is None
    assert described("words", "Northwind.txt", fiscal_quarter=3).fiscal_quarter is None


@pytest.mark.parametrize(
    ("year", "quarter", "possible"),
    [
        (2024, 1, True),
        (2023, 1, False),
        (2023, 4, True),
        (2023, None, True),
        (2022, None, False),
        (2025, None, False),
        (2025, 1, True),
        (2025, 3, False),
    ],
)
def test_a_period_fits_the_day(year: int, quarter: int | None, possible: bool) -> None:
    assert may_be_reported(year, quarter, dt.date(2024, 5, 20)) is possible


@pytest.mark.parametrize(
    ("quarter", "day", "year"),
    [
        (1, dt.date(2024, 4, 20), 2024),
        (4, dt.date(2024, 2, 1), 2023),
        (4, dt.date(2024, 11, 11), None),
        (1, dt.date(2024, 5, 30), None),
        (2, dt.date(2024, 1, 25), None),
        (1, dt.date(2024, 3, 31), None),
    ],
)
def test_a_quarter_takes_its_year_from_the_day_only_right_after_it(
    quarter: int, day: dt.date, year: int | None
) -> None:
    assert year_of_recent_quarter(quarter, day) == year


@pytest.mark.parametrize(
    "line",
    [
        "Thursday, May 2, 2024, 8:30 a.m. ET",
        "May 2, 2024",
        "**May 2, 2024**",
        "*Jo Ames, Larch & Co.  -  Equity Research  -  May 2, 2024*",
        "| Published | May 2, 2024 |",
        "Published May 2, 2024",
        "AKRON, Ohio, May 2, 2024 - Northwind Tools Corporation today named a chief.",
        "AKRON, Ohio--(BUSINESS WIRE)--May 2, 2024--Northwind Tools said",
        "AKRON (May 2, 2024) Northwind Tools said",
        "Date: 2024-05-02",
    ],
)
def test_the_day_is_read_where_documents_put_it(line: str) -> None:
    text = f"Northwind Tools\n{line}\nThe plan was made on June 1, 2019 and changed."
    assert page_facts(text).get("published_on") == dt.date(2024, 5, 2)


def test_a_day_in_running_text_is_not_the_documents() -> None:
    text = "Northwind Tools\nIt will pay the dividend of June 1, 2019 to its holders."
    assert "published_on" not in page_facts(text)


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("Shares outstanding: 4 million. Filed May 9, 2024.", dt.date(2024, 5, 9)),
        (
            "As filed with the Securities and Exchange Commission on May 9, 2024",
            dt.date(2024, 5, 9),
        ),
        ("This amends the report originally filed on May 9, 2024.", None),
        ("duly\ncaused his report to be signed on this 9th day of May, 2024", dt.date(2024, 5, 9)),
    ],
)
def test_a_report_is_dated_by_its_signature_or_its_cover(words: str, day: dt.date | None) -> None:
    text = f"1\nFORM 10-K\nANNUAL REPORT\nFor the fiscal year ended May 31, 2023\n{words}\n"
    found = page_facts(text)
    assert (found["form"], found["fiscal_year"]) == ("10-K", 2023)
    assert found.get("published_on") == day


def test_a_day_in_front_of_a_name_needs_no_dashes() -> None:
    assert described("words", "20240502 Northwind.txt").published_on == dt.date(2024, 5, 2)
    assert find_date("this 2nd day of May, 2024") == dt.date(2024, 5, 2)


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ("Coverage Northwind Tools Corporation (NWT)", "Northwind Tools Corporation"),
        ("Company Name Northwind Tools Corporation", "Northwind Tools Corporation"),
        ("Emittent Northwind Tools Corporation", "Northwind Tools Corporation"),
        ("Coverage | Northwind Tools Corporation", "Northwind Tools Corporation"),
        ("Target Hospitality Corp.", "Target Hospitality Corp."),
        ("Best Buy Co., Inc.", "Best Buy Co., Inc."),
        ("He met Eastern Northwind Tools Corporation", "Eastern Northwind Tools Corporation"),
    ],
)
def test_a_label_is_no_part_of_the_name_behind_it(row: str, name: str) -> None:
    text = f"Northwind Tools: told you\n{row}\nNorthwind Tools grew. Best clients. Buy shares."
    assert first_legal_name(text, text) == name


def test_words_that_come_first_tell_the_kind() -> None:
    release = "Northwind Reports Fourth Quarter Results\nSee our annual report for more."
    assert page_facts(release)["kind"] == "announcement"
    current = "FORM 8-K\nDate of report: May 2, 2024\nNorthwind Tools Corporation\nAnnual report"
    found = page_facts(current)
    assert (found["kind"], found["company"]) == ("current_report", "Northwind Tools Corporation")
