"""The rules by themselves: what they find, what they leave, and the values they read."""

from __future__ import annotations

import pytest

from ingestion.recognising import amounts, dates, finding, metrics, names, people
from ingestion.recognising.known_names import KnownNames
from ingestion.recognising.matching import Entry, Matcher
from ingestion.recognising.mention import Found, disjoint


@pytest.mark.parametrize(
    ("text", "surface", "amount", "currency"),
    [
        ("about $1.2 billion in", "$1.2 billion", "1200000000", "USD"),
        ("EUR 3.4m was", "EUR 3.4m", "3400000", "EUR"),
        ("costs $ (37) and", "$ (37)", "-37", "USD"),
        ("3 million dollars", "3 million dollars", "3000000", "USD"),
        ("paid 5 cents each", "5 cents", "0.05", "USD"),
        ("Rs 475.3 crore", "Rs 475.3 crore", "4753000000", "INR"),
        ("£12bn", "£12bn", "12000000000", "GBP"),
    ],
)
def test_money(text: str, surface: str, amount: str, currency: str) -> None:
    [found] = amounts.money(text)
    assert text[found.start : found.end] == surface
    assert (found.value["amount"], found.value["currency"]) == (amount, currency)


def test_a_cell_is_money_only_where_the_scale_is_stated() -> None:
    row = "Net loss (1,577) 2,004\n"
    assert list(amounts.money(row)) == []
    found = list(amounts.money("(in millions)\n" + row))
    assert [m.value["amount"] for m in found] == ["-1577000000", "2004000000"]
    assert all(m.value["implied"] for m in found)


def test_percentages_and_basis_points() -> None:
    text = "4.5%, (0.3)%, 12 percent, 25 basis points, (451) bps and 3 of 7"
    found = [(m.value["amount"], m.value["unit"][:5]) for m in amounts.percents(text)]
    assert found == [
        ("4.5", "perce"), ("-0.3", "perce"), ("12", "perce"), ("25", "basis"), ("-451", "basis"),
    ]  # fmt: skip


def test_dates_but_no_years_in_names() -> None:
    text = "On June 30, 2024 and 1 May 2023, in March 2011 and 2018; 6/17/2023; 2024-02-29."
    found = [m.value["iso"] for m in disjoint(dates.dates(text))]
    assert found == ["2024-06-30", "2023-05-01", "2011-03", "2018", "2023-06-17", "2024-02-29"]
    text = "Act of 1933, ASU 2016-02, 2004 Omnibus Stock Plan, 2000 shares, $2019, 2020x"
    assert list(dates.dates(text)) == []


def test_fiscal_periods() -> None:
    text = "Q1 FY2024, second quarter of fiscal 2024, FY22, 2H23, YTD'23, fiscal years 2017 to 2019"
    found = [m.name for m in disjoint(dates.periods(text))]
    assert found == ["Q1 FY2024", "Q2 FY2024", "FY2022", "H2 FY2023", "YTD FY2023", "FY2017-FY2019"]


def test_metrics_by_synonym() -> None:
    assert len(metrics.known()) >= 60
    text = "Net sales and capex rose, free cash flows fell; adjusted EBITDA, SG&A. We roe a boat."
    assert [m.name for m in metrics.metrics(text)] == [
        "revenue", "capital expenditure", "free cash flow", "adjusted EBITDA",
        "selling, general and administrative expenses",
    ]  # fmt: skip


def test_names_by_form_and_what_is_none() -> None:
    text = (
        "Director of Cyntek Labs Inc. met Standard and Poor's Corporation under the Washington "
        "Business Corporation Act. The Company and Bank of America, N.A. agree."
    )
    found = [text[m.start : m.end] for m in names.companies(text, [], KnownNames())]
    assert found == ["Cyntek Labs Inc.", "Standard and Poor's Corporation", "Bank of America, N.A."]


def test_a_heading_is_no_company_even_if_tagged() -> None:
    for heading in ("Restricted Stock Units", "ASU", "Revolving Credit Agreement", "California"):
        assert names.companies(heading, [(0, len(heading))], KnownNames()) == []


def test_people_with_their_role() -> None:
    text = "Dave Kimbell, chief executive officer, and CFO Mary Chen met Mr. Deese."
    mary = text.index("Mary")
    tagged = [(0, 12), (mary, mary + 9)]
    found = {m.name: m.value.get("role") for m in people.people(text, tagged)}
    assert found["Dave Kimbell"] == "Chief Executive Officer"
    assert found["Mary Chen"] == "Chief Financial Officer"
    assert "Deese" in found


def test_no_name_spans_two_cells_of_a_row() -> None:
    row = "At Larkfield Securities | Brackwater | they met."
    tagged = (3, row.index(" | they"))
    cells = [row[slice(*cell)] for cell in finding._cells(row, *tagged)]
    assert cells == ["Larkfield Securities", "Brackwater"]


def test_a_person_is_one_wherever_the_full_name_stands() -> None:
    text = "On the call:\n- Dana\n  Whitlock, Larkfield\nDana Whitlock asked. Dana Whitlocks did."
    asked = text.index("Dana Whitlock asked")
    found = [*people.people(text, [(asked, asked + len("Dana Whitlock"))])]
    again = {(m.start, m.name) for m in people.repeated(text, found)}
    assert again == {(text.index("Dana"), "Dana Whitlock"), (asked, "Dana Whitlock")}
    # The longer of two wins, so a company called Dana is not found in her name.
    person = next(people.repeated(text, found))
    company = Found(person.start, person.start + 4, "company", "Dana")
    assert disjoint([company, person]) == [person]


def test_matching_prefers_none_to_a_guess() -> None:
    matcher = Matcher.of(
        [
            Entry(1, "Hilton Worldwide", "HLT"),
            Entry(2, "Delta Air Lines", "DAL"),
            Entry(3, "Delta Electronics"),
            Entry(4, "American Airlines Group"),
        ]
    )
    assert matcher.company("Hilton Worldwide Holdings Inc.") == 1
    assert matcher.company("Delta Airlines") == 2
    assert matcher.company("Delta") is None
    assert matcher.company("American Airways") is None
    assert matcher.company("Hilton Worldwide", "DAL") is None
    assert matcher.company("Unheard Of", "DAL") == 2
