"""Figures derived from quoted rows: right where all agrees, and never where anything is amiss."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest

from qa.checking.deriving import Derivation, value_of
from qa.checking.evidence import Header, Source
from qa.verifying import Drafted, Dropped, Verified, verify

REPORT = """Halden Motion Corporation annual report
Net sales by segment (in millions)
2024 | 2023 | 2022
Aerospace | $412.5 | $380.0 | $310.2
Marine products (1) | 144.1 | 156.7 | (20.0)
Other | 10.0 | 9.0 | 8.0
Total net sales | 566.6 | 545.7 | 298.2
Return on plan assets | 4.50% | 3.75% | 3.00%
Net cash used in financing | (200.0) | (100.0) | —
Leases by term (in thousands)
Total | Within one year | Later
Operating leases | 98,389 | 37,427 | 60,962
"""
ROWS = {
    "aerospace": "Aerospace | $412.5 | $380.0 | $310.2",
    "marine": "Marine products (1) | 144.1 | 156.7 | (20.0)",
    "other": "Marine products (1) | 144.1 | 156.7 | (20.0)\nOther | 10.0 | 9.0 | 8.0",
    "total": "Total net sales | 566.6 | 545.7 | 298.2",
    "return": "Return on plan assets | 4.50% | 3.75% | 3.00%",
    "cash": "Net cash used in financing | (200.0) | (100.0) | —",
    "leases": "Operating leases | 98,389 | 37,427 | 60,962",
}
RIGHT = [
    ("change", ["marine"], ("2023", "2024"),
     "Computed: Marine products: 156.7 (2023) to 144.1 (2024) = -12.6, or -8.04% (in millions)."),
    ("change", ["marine"], ("2022", "2024"),
     "Computed: Marine products: (20.0) (2022) to 144.1 (2024) = +164.1 (in millions)."),
    ("change", ["cash"], ("2023", "2024"),
     ("Computed: Net cash used in financing: (100.0) (2023) to (200.0) (2024) = -100, or +100% in "
      "size (in millions).")),
    ("change", ["return"], ("2023", "2024"),
     ("Computed: Return on plan assets: 3.75% (2023) to 4.50% (2024) = +0.75 percentage points.")),
    ("average", ["aerospace"], ("2022", "2023", "2024"),
     ("Computed: Aerospace: average of $310.2 (2022), $380.0 (2023) and $412.5 (2024) = 367.567 "
      "(in millions).")),
    ("sum", ["other"], ("2023", "2024"),
     "Computed: Other: sum of 9.0 (2023) and 10.0 (2024) = 19 (in millions)."),
    ("difference", ["aerospace", "marine"], ("2024",),
     ("Computed: 2024: $412.5 (Aerospace) less 144.1 (Marine products) = 268.4 (in millions).")),
    ("share", ["marine", "total"], ("2023",),
     ("Computed: 2023: 156.7 (Marine products) as a percentage of 545.7 (Total net sales) = 28.72% "
      "(in millions).")),
    ("ratio", ["aerospace", "marine"], ("2024",),
     ("Computed: 2024: ratio of $412.5 (Aerospace) to 144.1 (Marine products) = 2.86 "
      "(in millions).")),
    ("highest", ["total"], ("2022", "2023", "2024"),
     ("Computed: Total net sales: highest is 566.6 (2024), compared with 298.2 (2022) and 545.7 "
      "(2023) (in millions).")),
    ("lowest", ["aerospace", "marine", "other"], ("2024",),
     ("Computed: 2024: lowest is 10.0 (Other), compared with $412.5 (Aerospace) and 144.1 (Marine "
      "products) (in millions).")),
    ("change", ["leases"], ("Within one year", "Later"),
     ("Computed: Operating leases: 37,427 (Within one year) to 60,962 (Later) = +23,535, or "
      "+62.88% (in thousands).")),
]  # fmt: skip


def source(text: str = REPORT, document: int = 1) -> Source:
    header = Header("Halden Motion Corporation", (), "annual_report", 2024)
    return Source(document, text, 0, len(text), header)


def draft(operation: str, rows: list[str], columns: tuple[str, ...], text: str) -> Drafted:
    quotes = tuple(("p1", ROWS.get(row, row)) for row in rows)
    return Drafted(text, quotes, Derivation(operation, columns))


def refused(drafted: Drafted, report: Source | None = None, **more: Source) -> str:
    found = verify(drafted, {"p1": report or source(), **more})
    assert isinstance(found, Dropped), drafted.text
    return found.reason


@pytest.mark.parametrize(("operation", "rows", "columns", "text"), RIGHT)
def test_what_follows_from_the_cells_is_verified_and_nothing_else(
    operation: str, rows: list[str], columns: tuple[str, ...], text: str
) -> None:
    right = draft(operation, rows, columns, text)
    found = verify(right, {"p1": source()})
    assert isinstance(found, Verified), found
    assert [cited.quote for cited in found.citations] == [ROWS[row] for row in rows]
    chance = random.Random(text)
    for match in re.finditer(r"[\w%$(]", text):
        other = chance.choice([c for c in "0123456789abcz" if c != match[0].lower()])
        spoiled = text[: match.start()] + other + text[match.end() :]
        refused(replace(right, text=spoiled))
    for name, _, heads, _ in RIGHT:
        if (name, heads) != (operation, columns):
            refused(draft(name, rows, heads, text))


@pytest.mark.parametrize(
    ("operation", "rows", "columns", "reason"),
    [
        ("product", ["marine"], ("2023", "2024"), "no operation"),
        ("change", ["marine"], ("2023", "2023"), "twice"),
        ("change", ["marine"], ("2021", "2024"), "not one column"),
        ("change", ["marine", "aerospace"], ("2023", "2024"), "neither one row"),
        ("change", ["marine"], ("2024",), "two figures"),
        ("change", ["cash"], ("2022", "2024"), "no plain figure"),
        ("share", ["aerospace", "cash"], ("2024",), "negative"),
        ("difference", ["aerospace", "return"], ("2024",), "percentages"),
        ("difference", ["aerospace", "leases"], ("2024",), "scale"),
        ("sum", ["Marine products (1) | 144.1"], ("2023", "2024"), "whole row"),
        ("change", ["Marine products (1) | 999.1 | 156.7 | (20.0)"], ("2023", "2024"), "operands"),
    ],
)
def test_what_does_not_agree_is_refused(
    operation: str, rows: list[str], columns: tuple[str, ...], reason: str
) -> None:
    said = "Computed: Marine products: 156.7 (2023) to 144.1 (2024) = -12.6."
    found = refused(draft(operation, rows, columns, said))
    assert reason in found or "no citation holds" in found


def test_rows_of_two_documents_and_of_two_currencies_are_refused() -> None:
    _, rows, columns, text = RIGHT[6]
    other = source(REPORT.replace("144.1", "154.1"), 2)
    quotes = (("p1", ROWS["aerospace"]), ("p2", ROWS["marine"].replace("144.1", "154.1")))
    drafted = Drafted(text, quotes, Derivation("difference", columns))
    assert "one document" in refused(drafted, p2=other)
    euros = REPORT.replace("| 144.1 |", "| €144.1 |")
    rows = [rows[0], ROWS["marine"].replace("144.1", "€144.1")]
    assert "currency" in refused(draft("difference", rows, columns, text), source(euros))


def test_a_column_named_twice_in_the_table_gives_nothing() -> None:
    text = REPORT.replace("2024 | 2023 | 2022\nAero", "2024 | 2024 | 2022\nAero")
    _, rows, columns, said = RIGHT[6]
    assert "not one column" in refused(draft("difference", rows, columns, said), source(text))


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("$(5,625)", -5625), ("( 12 )", -12), ("−136", -136), ("$ 160", 160), ("-$7", -7),
        (".5", 0.5), ("1,2", None), ("—", None), ("12x", None), ("", None),
    ],
)  # fmt: skip
def test_amounts_are_read_as_written(cell: str, amount: float | None) -> None:
    read = value_of(cell)
    assert (float(read[0]) if read else None) == amount
