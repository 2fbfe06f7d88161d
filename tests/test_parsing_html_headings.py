"""Headings that a page marks by its looks are sections, and lines that only look like it not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.parsing import html

PROSE = "<p>Sales rose by four percent, and the company expects the same of next year.</p>"


def titles(tmp_path: Path, body: str) -> list[tuple[int, str]]:
    path = tmp_path / "page.html"
    path.write_text(f"<html><body>{body}</body></html>")
    parsed = html.parse(path, 1_000_000)
    for section in parsed.sections:
        assert parsed.text[section["start"] :].startswith(section["title"][:40])
    return [(section["level"], section["title"]) for section in parsed.sections]


def test_bold_lines_stand_below_items_and_notes(tmp_path: Path) -> None:
    body = (
        f"<p><b>Item 7. Management’s Discussion</b></p>{PROSE}"
        f"<p align=center><b>RESULTS OF OPERATIONS</b></p>{PROSE}"
        f'<div><span style="font-weight:700">Gross margin</span></div>{PROSE}'
        f'<div style="font-weight:bold;font-style:italic">Products</div>{PROSE}'
        f'<p style="text-align:center">LIQUIDITY AND CAPITAL</p>{PROSE}'
    )
    assert titles(tmp_path, body) == [
        (2, "Item 7. Management’s Discussion"),
        (3, "RESULTS OF OPERATIONS"),
        (4, "Gross margin"),
        (5, "Products"),
        (3, "LIQUIDITY AND CAPITAL"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "<p><b>A bold sentence, which is no heading.</b></p>",
        "<p><b>Bold</b> words at the start of a line</p>",
        "<p>A plain line</p>",
        "<p><b>12,345</b></p>",
        "<p><b>(Unaudited)</b></p>",
        "<p><b>Table of Contents</b></p>",
        '<p><a href="#item7"><b>Results of operations</b></a></p>',
        "<p><b>lower case</b></p>",
        f"<p><b>{'Long words of a heading ' * 10}</b></p>",
        "<p style='text-align:center'>Page two of three</p>",
        "<p><b>/s/ Jane Doe</b></p>",
    ],
)
def test_lines_that_are_no_headings(tmp_path: Path, line: str) -> None:
    assert titles(tmp_path, PROSE + line + PROSE) == []


def test_the_lines_of_a_cover_are_no_sections(tmp_path: Path) -> None:
    cover = "".join(
        f"<p align=center><b>{line}</b></p>"
        for line in ("UNITED STATES", "SECURITIES COMMISSION", "WASHINGTON", "FORM TEN", "ACME")
    )
    assert titles(tmp_path, f"{cover}{PROSE}<p><b>Our plans</b></p>{PROSE}") == [(4, "Our plans")]


def test_a_running_head_is_no_section(tmp_path: Path) -> None:
    body = f"<p><b>Acme annual report</b></p>{PROSE}<p><b>Our plans</b></p>{PROSE}"
    running = f"<p><b>Acme annual report</b></p>{PROSE}" * 9
    assert titles(tmp_path, body + running) == [(4, "Our plans")]


def test_bold_rows_of_a_table_are_no_sections(tmp_path: Path) -> None:
    table = "<table><tr><th></th><th>2024</th></tr><tr><td><b>Assets</b></td><td></td></tr>"
    table += "<tr><td>Cash</td><td>1</td></tr><tr><td><b>Total</b></td><td>2</td></tr></table>"
    assert titles(tmp_path, PROSE + table + PROSE) == []


@pytest.mark.data
def test_a_real_filing_has_subheads_below_its_items(data: Path) -> None:
    sections = html.parse(data / "filings_html/Apple.10-K.html", 20_000_000).sections
    found = [(section["level"], section["title"]) for section in sections]
    titled = {title: level for level, title in found}
    assert found.index((titled["Gross Margin"], "Gross Margin")) > found.index((1, "PART II"))
    assert titled["Gross Margin"] > 2
    assert titled["Foreign Exchange Rate Risk"] > 2
    assert sum(title == "Apple Inc." for _, title in found) <= 2
