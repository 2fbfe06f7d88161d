"""Title, kind, company, period and date come from the most trusted source that names them."""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from pathlib import Path

import pytest

from ingestion.metadata import Description, company_key, describe
from ingestion.models import Document
from ingestion.parsing import Parsed, html, pdf
from ingestion.parsing.file_names import facts as name_facts
from ingestion.parsing.first_page import facts as page_facts
from ingestion.parsing.periods import find_date, fiscal_period

COVER = """UNITED STATES
SECURITIES AND EXCHANGE COMMISSION
Washington, D.C. 20549
FORM {form}
{purpose}
Commission File Number 001-38932
NORTHWIND TOOLS CORPORATION
(Exact name of registrant as specified in its charter)
Ohio 98-1455367
Northwind Tools Corporation makes tools. {more}
"""
ANNUAL = COVER.format(
    form="10-K",
    purpose="ANNUAL REPORT PURSUANT TO SECTION 13 OR 15(d)\nFor the fiscal year ended May 31, 2019",
    more="",
)
QUARTERLY = COVER.format(
    form="10-Q",
    purpose="QUARTERLY REPORT\nFor the quarterly period ended December 31, 2022",
    more="Three Months Ended December 31, Six Months Ended December 31,",
)
CURRENT = COVER.format(
    form="8-K",
    purpose="CURRENT REPORT\nDate of Report (Date of earliest event reported): August 9, 2023",
    more="",
)
RELEASE = """NEWS RELEASE
Northwind Tools Reports Second Quarter Fiscal 2024 Results
AKRON, Ohio, Feb. 1, 2024 /PRNewswire/ -- Northwind Tools Corporation (NYSE: NWT) today announced
results for the quarter ended December 30, 2023."""


def described(text: str = "words", name: str = "file.txt", **given: object) -> Description:
    pushed = given.pop("pushed", {})
    metadata = given.pop("metadata", {})
    parsed = Parsed(text=text, media_type="text/plain", metadata=metadata)
    return describe(parsed, name, pushed, str(given.pop("default_kind", "")))


def test_the_push_is_trusted_most_then_the_file_then_its_name_then_its_page() -> None:
    pushed = {"company": "Pushed Ltd", "fiscal_year": 2021, "published_on": "2022-02-03"}
    metadata = {"company": "Filed Inc.", "fiscal_year": "2020", "fiscal_period": "Q1"}
    result = described(QUARTERLY, "Named_2018Q3_10Q.pdf", pushed=pushed, metadata=metadata)
    assert (result.company_name, result.fiscal_year, result.fiscal_quarter) == (
        "Pushed Ltd",
        2021,
        1,
    )
    assert result.published_on == dt.date(2022, 2, 3)
    assert result.kind == "quarterly_report"
    assert result.provenance == {
        "kind": "name",
        "company": "push",
        "fiscal_year": "push",
        "fiscal_quarter": "file",
        "published_on": "push",
        "title": "push",
    }
    assert described(QUARTERLY, "Named_2018Q3_10Q.pdf").fiscal_year == 2018
    assert described(QUARTERLY, "upload.pdf").fiscal_year == 2023


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ANNUAL, ("annual_report", "Northwind Tools Corporation 10-K FY2019", 2019, None, None)),
        (
            QUARTERLY,
            ("quarterly_report", "Northwind Tools Corporation 10-Q Q2 FY2023", 2023, 2, None),
        ),
        (
            CURRENT,
            (
                "current_report",
                "Northwind Tools Corporation 8-K, August 9, 2023",
                2023,
                None,
                dt.date(2023, 8, 9),
            ),
        ),
        (
            RELEASE,
            (
                "announcement",
                "Northwind Tools Reports Second Quarter Fiscal 2024 Results",
                2024,
                2,
                dt.date(2024, 2, 1),
            ),
        ),
    ],
)
def test_a_first_page_says_what_it_is(
    text: str, expected: tuple[str, str, int, int | None, dt.date | None]
) -> None:
    result = described(text, "0001558370-19-000470.pdf")
    assert expected == (
        result.kind,
        result.title,
        result.fiscal_year,
        result.fiscal_quarter,
        result.published_on,
    )
    assert result.company_name == "Northwind Tools Corporation"
    assert set(result.provenance.values()) == {"page"}


@pytest.mark.parametrize(
    "name",
    ["NORTHWIND_2024Q2_EARNINGS.pdf", "2024-02-01_Northwind_appoints_CFO.txt", "upload.pdf"],
)
def test_documents_of_a_company_agree_on_its_name(name: str) -> None:
    text = "At Northwind Tools we do. Northwind Tools Corporation (NYSE: NWT) today announced"
    assert described(text, name).company_name == "Northwind Tools Corporation"


def test_a_news_item_is_not_about_the_words_of_its_name() -> None:
    text = "AKRON, Jan. 3 (Reuters) - A fire at the Ellery furnace. The Ellery furnace burned."
    result = described(text, "2024-01-10_ellery-furnace.txt", default_kind="news")
    assert (result.company_name, result.kind) == ("", "news")


def test_words_of_results_do_not_make_an_announcement_of_a_news_source() -> None:
    result = described(RELEASE, "2024-05-01_northwind-results.txt", default_kind="news")
    assert result.kind == "news"
    assert described(RELEASE, "2024-05-01_northwind-results.txt").kind == "announcement"


def test_a_periodic_report_is_dated_by_its_signature() -> None:
    signature = "the registrant has duly caused this report to be signed\nDate: July 23, 2019"
    assert described(ANNUAL + signature).published_on == dt.date(2019, 7, 23)


def test_an_amended_filing_says_so() -> None:
    assert described(ANNUAL, "NORTHWIND_FY2019_10KA.pdf").title.endswith(" 10-K/A FY2019")


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ("決算短信", True),
        ("年报", True),
        ("매출", True),
        ("Q2", False),
        ("doc1", False),
        ("年", False),
    ],
)
def test_a_short_title_counts_where_characters_are_words(title: str, kept: bool) -> None:
    parsed = Parsed(text="text", media_type="text/html", metadata={"title": title})
    assert (describe(parsed, "file.html", {}, "other").title == title) is kept


def test_a_headline_in_capitals_is_toned_down() -> None:
    text = "NORTHWIND TOOLS, INC. (NWT) Q2 2024 EARNINGS CALL TRANSCRIPT\nOperator: Good morning"
    assert described(text).title == "Northwind Tools, Inc. (NWT) Q2 2024 Earnings Call Transcript"


def test_a_release_names_its_ticker() -> None:
    assert described(RELEASE).ticker == "NWT"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("3M_2018_10K.pdf", ("3M", "annual_report", 2018, None)),
        ("BESTBUY_2023Q4_EARNINGS.pdf", ("BESTBUY", "announcement", 2023, 4)),
        ("AAT_q1_2020.txt", ("AAT", None, 2020, 1)),
        (
            "Northwind Tools Annual Report FY24.pdf",
            ("Northwind Tools", "annual_report", 2024, None),
        ),
        ("northwind-q3-2024-earnings-call-transcript.txt", ("northwind", "earnings_call", 2024, 3)),
        ("Northwind 1Q24 results.pdf", ("Northwind", "announcement", 2024, 1)),
        ("10-K 2022 Northwind.docx", ("Northwind", "annual_report", 2022, None)),
        ("../../2024/Northwind_10-Q_Q2_2024.pdf", ("Northwind", "quarterly_report", 2024, 2)),
        ("0001558370-19-000470.pdf", (None, None, None, None)),
        ("scan0001.pdf", (None, None, None, None)),
        ("budget of the household.pdf", (None, None, None, None)),
    ],
)
def test_a_file_name_says_what_it_is(name: str, expected: tuple[object, ...]) -> None:
    found = name_facts(name)
    keys = ("company", "kind", "fiscal_year", "fiscal_quarter")
    assert tuple(found.get(key) for key in keys) == expected


def test_the_date_in_a_name_is_the_day_and_no_fiscal_year() -> None:
    found = name_facts("AMCOR_2022_8K_dated-2022-07-01.pdf")
    assert found["published_on"] == dt.date(2022, 7, 1)
    assert found["kind"] == "current_report"
    assert found["company"] == "AMCOR"
    assert "fiscal_year" not in name_facts("ibm-20241231.htm")


def test_a_name_in_capitals_is_spelled_as_the_document_spells_it() -> None:
    text = "BEST BUY CO., INC.\nAt Best Buy we sell. Best Buy grew."
    assert described(text, "BESTBUY_2019_10K.pdf").company_name == "Best Buy Co., Inc."
    assert described("At Best Buy we sell.", "BESTBUY_2019_10K.pdf").company_name == "Best Buy"
    assert described("no mention", "BESTBUY_2019_10K.pdf").company_name == "Bestbuy"
    assert described("IBM is IBM", "IBM_2019_10K.pdf").company_name == "IBM"


def test_a_ticker_in_a_name_is_the_company_that_the_document_gives_it_to() -> None:
    call = "HALDEN MOTION CORPORATION ({}HLDN) Q1 2024 EARNINGS CALL TRANSCRIPT\n\nHalden grew."
    for exchange in ("", "NYSE: ", "NASDAQ:"):
        found = described(call.format(exchange), "HLDN 1Q24 transcript.txt")
        assert found.company_name == "Halden Motion Corporation"
        assert found.provenance["company"] == "page"
    for label in ("Coverage | ", "Coverage ", "| Rating | Buy | Coverage | "):
        row = f"{label}Halden Motion Corporation (HLDN)"
        note = described(f"Told you\n{row}\nHalden Motion fell.", "HLDN note FINAL v2.docx")
        assert note.company_name == "Halden Motion Corporation"
    # Another company's ticker says nothing of who this is.
    other = described("Rivals (XYZ) of HLDN", "HLDN 1Q24 transcript.txt")
    assert other.company_name != "Rivals"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Coca-Cola Company", "COCA COLA CO"),
        ("Amazon.com, Inc.", "AMAZON"),
        ("LOCKHEED MARTIN CORPORATION", "LOCKHEEDMARTIN"),
        ("Wells Fargo & Company/MN", "Wells Fargo & Co."),
        ("Nestlé S.A.", "NESTLE SA"),
        ("3M COMPANY", "3M"),
        ("Amcor plc", "Amcor PLC"),
        ("Macy's, Inc.", "Macys"),
        ("Koninklijke Philips N.V.", "koninklijke philips nv"),
    ],
)
def test_spellings_of_a_company_share_a_key(one: str, other: str) -> None:
    assert company_key(one) == company_key(other) != ""


@pytest.mark.parametrize(
    ("one", "other"), [("Ford", "Fortive"), ("Group", "Holdings"), ("トヨタ", "ホンダ")]
)
def test_different_companies_have_different_keys(one: str, other: str) -> None:
    assert company_key(one) != company_key(other)


@pytest.mark.parametrize(
    ("end", "quarter", "expected"),
    [
        (dt.date(2022, 12, 31), 2, (2, 2023)),
        (dt.date(2023, 4, 30), 1, (1, 2024)),
        (dt.date(2023, 7, 29), 2, (2, 2024)),
        (dt.date(2022, 6, 30), 2, (2, 2022)),
        (dt.date(2022, 10, 1), 3, (3, 2022)),
        (dt.date(2022, 10, 1), None, (3, 2022)),
        (dt.date(2024, 3, 31), None, (1, 2024)),
    ],
)
def test_a_quarter_end_gives_the_fiscal_period(
    end: dt.date, quarter: int | None, expected: tuple[int, int]
) -> None:
    assert fiscal_period(end, quarter) == expected


def test_a_year_of_53_weeks_may_end_in_january() -> None:
    text = ANNUAL.replace("May 31, 2019", "January 2, 2022")
    assert described(text).fiscal_year == 2021
    assert described(ANNUAL.replace("May 31, 2019", "January 28, 2023")).fiscal_year == 2023


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("on March 5, 2024 we", dt.date(2024, 3, 5)),
        ("5 March 2024", dt.date(2024, 3, 5)),
        ("Sept. 30, 2023", dt.date(2023, 9, 30)),
        ("2023-02-29", None),
        ("12/8/2022", dt.date(2022, 12, 8)),
        ("February 31, 2022", None),
        ("nothing", None),
    ],
)
def test_dates_are_read_and_impossible_ones_are_not(words: str, day: dt.date | None) -> None:
    assert find_date(words) == day


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            "Northwind Tools Q3 2024 Earnings Call Transcript\nOperator: Good morning",
            "earnings_call",
        ),
        ("Northwind Tools\nRating: Buy\nPrice target $40\nMargins will recover", "research_note"),
        ("AKRON, March 3 (Reuters) - Northwind Tools said on Sunday it would", "news"),
        ("Dear diary, nothing happened today", "other"),
    ],
)
def test_kinds_without_a_form_are_told_by_their_words(text: str, kind: str) -> None:
    assert described(text).kind == kind


def test_the_default_kind_of_the_source_is_used_when_nothing_says_it() -> None:
    result = described("words", default_kind="news")
    assert result.kind == "news"
    assert "kind" not in result.provenance
    assert described("words", default_kind="nonsense").kind == "other"


@pytest.mark.parametrize(
    ("metadata_title", "title", "origin"),
    [
        (
            "Microsoft Word - Northwind raises its outlook.docx",
            "Northwind raises its outlook",
            "file",
        ),
        ("untitled", "A headline of some words", "page"),
        ("0000909832-23-000034", "A headline of some words", "page"),
        ("northwind-20240930.htm", "A headline of some words", "page"),
    ],
)
def test_meaningless_titles_are_passed_over(metadata_title: str, title: str, origin: str) -> None:
    result = described("A headline of some words\nText", metadata={"title": metadata_title})
    assert (result.title, result.provenance["title"]) == (title, origin)


def test_a_title_is_never_empty() -> None:
    assert described("x", "my_notes.txt").title == "my notes"
    assert described("x", "").title == "Untitled document"


@pytest.mark.parametrize(
    "pushed",
    [
        {"fiscal_year": "soon", "fiscal_quarter": 9, "published_on": "yesterday", "kind": "poem"},
        {"fiscal_year": None, "title": "", "company": 5, "published_on": dt.datetime(2024, 5, 1)},
        {"title": "a\0b" * 400, "ticker": "X" * 50},
    ],
)
def test_odd_pushes_do_no_harm(pushed: dict[str, object]) -> None:
    result = described(ANNUAL, pushed=pushed)
    assert result.kind == "annual_report"
    assert len(result.title) <= 500
    assert len(result.ticker) <= 16
    assert "\0" not in result.title


def test_kinds_are_those_of_the_documents_table() -> None:
    from ingestion.metadata import KINDS

    assert list(KINDS.items()) == list(Document.Kind.choices)


def test_the_first_page_of_an_empty_text_says_nothing() -> None:
    assert page_facts("") == {}


def gold(data: Path) -> list[dict[str, object]]:
    lines = (data / "financebench/documents.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


KINDS_OF_SET = {
    "10k": "annual_report",
    "10q": "quarterly_report",
    "8k": "current_report",
    "Earnings": "announcement",
}


@functools.cache
def parsed_pdf(path: Path) -> Parsed:
    return pdf.parse(path, 20_000_000)


def accuracy(data: Path, name: str = "") -> dict[str, float]:
    """Share of right answers per field over every ninth filing."""
    right = dict.fromkeys(("company", "kind", "year", "quarter"), 0)
    rows = gold(data)[::9]
    for row in rows:
        file_name = f"{row['doc_name']}.pdf"
        parsed = parsed_pdf(data / "financebench/pdfs" / file_name)
        result = describe(parsed, name or file_name, {}, "")
        quarter = re.search(r"Q(\d)_", file_name)
        right["company"] += company_key(result.company_name).startswith(
            company_key(str(row["company"]))
        )
        right["kind"] += result.kind == KINDS_OF_SET[str(row["doc_type"])]
        right["year"] += result.fiscal_year == row["doc_period"]
        right["quarter"] += result.fiscal_quarter == (int(quarter[1]) if quarter else None)
    return {field: count / len(rows) for field, count in right.items()}


@pytest.mark.data
def test_real_filings_are_told_by_their_names(data: Path) -> None:
    assert min(accuracy(data).values()) == 1.0


@pytest.mark.data
def test_real_filings_are_told_by_their_first_page_alone(data: Path) -> None:
    found = accuracy(data, name="upload.pdf")
    assert found["company"] >= 0.9
    assert found["kind"] >= 0.9
    assert found["year"] >= 0.9
    assert found["quarter"] >= 0.9


@pytest.mark.data
def test_inline_xbrl_names_company_and_period(data: Path) -> None:
    path = data / "filings_html/unp-10-q-2025-07-24.html"
    result = describe(html.parse(path, 20_000_000), "filing.html", {}, "")
    assert result.company_name == "Union Pacific Corporation"
    assert (result.kind, result.fiscal_year, result.fiscal_quarter) == ("quarterly_report", 2025, 2)
    assert result.ticker == "UNP"
    assert result.provenance["fiscal_year"] == "file"
