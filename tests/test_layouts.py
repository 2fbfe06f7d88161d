"""Where sentences, rows and columns are, and what rules of tables make of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from extraction.layouts import Layout, Place, layout_of, layout_of_text
from extraction.ml.spans import FoundSpan
from extraction.relating import relate
from extraction.schema import SchemaSpec, read
from ingestion.parsing import html


@dataclass
class Paper:
    text: str
    pages: list[int] = field(default_factory=lambda: [0])
    sections: list[Any] = field(default_factory=list)
    tables: list[Any] = field(default_factory=list)


def sentences(text: str) -> list[str]:
    return [text[span.start : span.end] for span in layout_of_text(text).sentences]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Acme Inc. paid 5. It rose.", ["Acme Inc. paid 5.", "It rose."]),
        ("In the U.S. it fell. J. Smith left.", ["In the U.S. it fell.", "J. Smith left."]),
        ("The U.S . economy grew . It did .", ["The U.S . economy grew .", "It did ."]),
        ("Up 3.5 percent. 4 more.", ["Up 3.5 percent.", "4 more."]),
        ("He said “no.” She left.", ["He said “no.”", "She left."]),
        (
            "A line that\ngoes on.\n\nA heading\n\nMore",
            ["A line that\ngoes on.", "A heading", "More"],
        ),
        ("See No. 5. Then go.", ["See No. 5.", "Then go."]),
        ("  \n\n ", []),
        ("", []),
    ],
)
def test_sentences_end_where_people_end_them(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_place_is_found_by_its_offset() -> None:
    layout = layout_of_text("One. Two.")
    assert [layout.sentence_of(offset) for offset in (0, 3, 4, 5, 8, 9)] == [0, 0, None, 1, 1, None]
    assert layout.place_of(0) is None
    assert Layout().sentence_of(0) is None


ROWS = (
    "Results follow.\n"
    "Three months | Six months\n"
    "2024 | 2023 | 2024 | 2023\n"
    "Net sales | 10 | 20 | 30 | 40\n"
    "By region:\n"
    "Europe | 1 | 2\n"
    "Costs | 5 | 6 | 7 | 8\n"
    "So it was. Next."
)


@pytest.fixture
def paper() -> Paper:
    rows = []
    for line in ROWS.splitlines()[3:7]:
        start = ROWS.index(line)
        rows.append((start, start + len(line)))
    start = ROWS.index("Three")
    table = {"start": start, "end": rows[-1][1], "caption": "", "heads": "", "scale": ""}
    return Paper(ROWS, tables=[{**table, "rows": rows}], sections=[{"start": 16}])


def test_lines_of_a_table_are_rows_of_cells(paper: Paper) -> None:
    layout = layout_of(paper)
    at = ROWS.index
    assert layout.place_of(at("Net")) == Place(0, 2, 0)
    assert layout.place_of(at("40")) == Place(0, 2, 4)
    assert layout.place_of(at("So it")) is None
    assert layout.columns_of(Place(0, 2, 4)) == (4, 5)
    # Heads without one over the first column, and heads over two columns each.
    assert layout.columns_of(Place(0, 1, 0)) == (1, 2)
    assert layout.columns_of(Place(0, 0, 1)) == (3, 5)
    # Three cells in a table of five: nobody can tell under which heads they stand.
    assert layout.columns_of(Place(0, 4, 1)) is None
    assert [layout.is_head(Place(0, line, 0)) for line in range(3)] == [True, True, False]
    assert layout.section_of(at("Net")) == 1
    texts = [ROWS[span.start : span.end] for span in layout.sentences]
    assert texts[0] == "Results follow."
    assert "Europe | 1 | 2" in texts
    assert texts[-2:] == ["So it was.", "Next."]


def spec_of(choose: str, same: str, head: str = "value", tail: str = "name") -> SchemaSpec:
    rule = {"name": "x", "relation": "r", "head": head, "tail": tail, "choose": choose}
    labels = [{"name": name} for name in ("value", "name", "period")]
    return read({"name": "s", "labels": labels, "rules": [{**rule, "same": same}]})


def span(words: str, label: str, number: int = 0) -> FoundSpan:
    start = -1
    for _ in range(number + 1):
        start = ROWS.index(words, start + 1)
    return FoundSpan(start, start + len(words), label, 1.0)


def test_a_value_belongs_to_the_heads_of_its_row_and_column(paper: Paper) -> None:
    layout = layout_of(paper)
    spans = [
        span("Net sales", "name"),
        span("Costs", "name"),
        span("30", "value"),
        span("6", "value"),
        span("So it", "value"),
        span("2024", "period"),
        span("2023", "period"),
        span("2024", "period", 1),
        span("Six months", "period"),
        span("2", "value", ROWS[: ROWS.index("Europe")].count("2")),
    ]
    rows = relate(ROWS, spans, layout, spec_of("row_head", "row"))
    assert [(row.head, row.tail) for row in rows] == [(2, 0), (3, 1)]
    columns = relate(ROWS, spans, layout, spec_of("column_head", "column", tail="period"))
    assert [(row.head, row.tail) for row in columns] == [(2, 7), (3, 6)]
    # Without the year over it, the head over both columns is the nearest.
    without = [*spans[:7], *spans[8:]]
    columns = relate(ROWS, without, layout, spec_of("column_head", "column", tail="period"))
    assert (2, 7) in [(row.head, row.tail) for row in columns]
    within = relate(ROWS, spans, layout, spec_of("nearest", "table"))
    assert {row.head for row in within} == {2, 3, 9}


@pytest.mark.parametrize(
    "tables",
    [
        [{"start": 5, "end": 5, "rows": [(5, 5)]}],
        [{"start": 0, "end": 10_000, "rows": [(0, 9)]}],
        [{"start": 0, "end": 12, "rows": []}],
        [{"start": 0, "end": 20, "rows": [(0, 9)]}, {"start": 9, "end": 30, "rows": [(9, 15)]}],
    ],
)
def test_odd_tables_do_no_harm(tables: list[Any]) -> None:
    layout = layout_of(Paper(ROWS, pages=[0, 3, 3, 99_999], tables=tables))
    for offset in range(len(ROWS) + 1):
        place = layout.place_of(offset)
        if place:
            layout.columns_of(place)
    assert layout.page_of(5) == 1


def test_the_tables_of_a_real_report_have_rows_and_columns(data: Path) -> None:
    parsed = html.parse(data / "filings_html" / "Apple.10-Q.html", max_characters=10_000_000)
    layout = layout_of(parsed)
    assert len(layout.tables) == len(parsed.tables)
    at = parsed.text.index("Products | $61,564") + len("Products | $")
    place = layout.place_of(at)
    assert place is not None
    assert layout.columns_of(place) == (1, 2)
    number, line = place.table, place.line
    heads = [
        parsed.text[cell.start : cell.end]
        for row in range(layout.tables[number].heads)
        for cell, columns in zip(
            layout.tables[number].lines[row], layout.tables[number].columns[row], strict=True
        )
        if columns[0] <= 1 < columns[1]
    ]
    assert line > layout.tables[number].heads
    assert heads == ["Three Months Ended", "June 29, 2024"]
    for sentence, following in zip(layout.sentences, layout.sentences[1:], strict=False):
        assert sentence.end <= following.start
