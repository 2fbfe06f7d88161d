"""The largest part of a whole and the one that grew most: from all its rows, or not at all."""

from __future__ import annotations

import pytest

from qa.checking.comparing_parts import Comparison, compare
from qa.checking.computing import CannotCompute
from qa.checking.evidence import Evidence, Header, Source
from qa.extractive.comparing_segments import asked_comparison
from qa.verifying import Drafted, Dropped, Verified, verify

ROWS = {
    "aerospace": "Aerospace | $412.5 | $380.0 | $310.2",
    "marine": "Marine products (1) | 144.1 | 156.7 | (20.0)",
    "other": "Marine products (1) | 144.1 | 156.7 | (20.0)\nOther | 10.0 | 9.0 | 8.0",
    "total": "Total net sales | 566.6 | 545.7 | 298.2",
    "margin": "Aerospace margin | 4.0% | 3.0% | 2.0%",
}
REPORT = f"""Halden Motion Corporation annual report
Net sales by segment (in millions)
2024 | 2023 | 2022
{ROWS["aerospace"]}
{ROWS["other"]}
{ROWS["total"]}
{ROWS["margin"]}
"""
ALL = ["aerospace", "marine", "other", "total"]
LARGEST = (
    "Computed: 2024: of the parts of 566.6 (Total net sales) the largest is $412.5 (Aerospace), "
    "compared with 144.1 (Marine products) and 10.0 (Other) (in millions)."
)
GREW = (
    "Computed: 2023 to 2024: of the parts of Total net sales that which grew most is Other, 9.0 to "
    "10.0 = +11.1%, compared with Aerospace +8.6%, Marine products -8% (in millions)."
)


def said(rows: list[str], columns: tuple[str, ...], text: str, *, largest: bool = True) -> object:
    header = Header("Halden Motion Corporation", (), "annual_report", 2024)
    source = Source(1, REPORT, 0, len(REPORT), header)
    quotes = tuple(("p1", ROWS[row]) for row in rows)
    return verify(Drafted(text, quotes, Comparison(largest, columns)), {"p1": source})


def test_the_largest_part_and_the_fastest_growth_are_verified() -> None:
    assert isinstance(said(ALL, ("2024",), LARGEST), Verified)
    assert isinstance(said(ALL, ("2023", "2024"), GREW), Verified)


@pytest.mark.parametrize(
    ("rows", "columns", "reason"),
    [
        # A part is missing, or the whole is.
        (["aerospace", "marine", "total"], ("2024",), "do not add up"),
        (["aerospace", "marine", "other"], ("2024",), "do not add up"),
        (["aerospace", "total"], ("2024",), "no whole"),
        (["aerospace", "marine", "margin"], ("2024",), "not of one scale"),
        (ALL, ("2025",), "not one column"),
        (ALL, ("2024", "2024"), "one column or two"),
        (ALL, (), "one column or two"),
        (ALL, ("2023",), "not what follows"),
    ],
)
def test_what_is_no_whole_with_all_its_parts_is_refused(
    rows: list[str], columns: tuple[str, ...], reason: str
) -> None:
    found = said(rows, columns, LARGEST)
    assert isinstance(found, Dropped)
    assert reason in found.reason


def growth(rows: str) -> str:
    report = f"Halden Motion Corporation annual report (in millions)\n2024 | 2023\n{rows}"
    header = Header("Halden Motion Corporation", (), "annual_report", 2024)
    source = Source(1, report, 0, len(report), header)
    places = [(report.index(row), row) for row in rows.splitlines()]
    evidence = [Evidence(source, at, at + len(row)) for at, row in places]
    return compare(Comparison(True, ("2023", "2024")), evidence)


def test_parts_of_one_name_keep_their_own_growth() -> None:
    said = growth(
        "Services | 120.0 | 100.0\nProducts | 30.0 | 20.0\nServices | 10.0 | 40.0\n"
        "Total sales | 160.0 | 160.0\n"
    )
    assert "is Products, 20.0 to 30.0 = +50%, compared with Services +20%, Services -75%" in said


@pytest.mark.parametrize("row", ["Robots | 90.0 | 0.0", "Robots | 90.0 | (5.0)"])
def test_what_grew_from_nothing_lets_nothing_be_said(row: str) -> None:
    before = 125.0 - 5.0 * ("(5.0)" in row)
    with pytest.raises(CannotCompute, match="from nothing"):
        growth(f"Marine | 20.0 | 25.0\nAir | 140.0 | 100.0\n{row}\nSales | 250.0 | {before}\n")
    # What is taken off in both years is beside the question.
    assert "grew most is Air" in growth(
        "Marine | 20.0 | 25.0\nAir | 140.0 | 100.0\nEliminations | (10.0) | (5.0)\n"
        "Sales | 150.0 | 120.0\n"
    )


def test_no_word_of_it_can_be_changed() -> None:
    for old, new in (
        ("largest", "smallest"), ("412.5", "421.5"), ("Marine", "Maritime"), ("2024", "2023"),
        ("in millions", "in thousands"),
    ):  # fmt: skip
        assert isinstance(said(ALL, ("2024",), LARGEST.replace(old, new)), Dropped)
    assert isinstance(said(ALL, ("2024",), LARGEST, largest=False), Dropped)


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("Which segment had the highest net sales in 2024?", (False, True)),
        ("Which of its business segments was the smallest by revenue in 2024?", (False, False)),
        ("Which region grew the most in 2024?", (True, True)),
        ("Which product line's sales declined the most in 2024?", (True, False)),
        ("What segment has dragged down growth?", (True, False)),
        ("Which segment's sales fell the least in 2024?", (True, True)),
        ("Which region grew the slowest in 2024?", (True, False)),
        ("Which segment had the worst decline in 2024?", (True, False)),
        ("Which segment had the weakest sales in 2024?", (False, False)),
        ("What was the highest net sales of a year?", None),
        ("Which segments are reported?", None),
    ],
)
def test_what_is_asked_is_read(question: str, asked: tuple[bool, bool] | None) -> None:
    assert asked_comparison(question) == asked
