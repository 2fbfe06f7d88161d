"""The part of a report is told by headings, captions and line items."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import settings

from docintel import encoders
from ingestion.chunking import chunk
from ingestion.parsing import pdf, statements
from ingestion.parsing.statements import STATEMENT_REACH, Heading, of_title, statement_of

GOLD = Path(__file__).parent / "gold" / "statements.json"
BALANCE_SHEET = """Cash and cash equivalents 18,348 17,848
Inventories 12 14
Total current assets 4,317 4,381
Goodwill | 71 | 73
Total assets 9 8
Accounts payable 5 5
Total liabilities 4 4
Retained earnings (5) (4)
Total equity 21,476 20,647"""


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("CONSOLIDATED STATEMENTS OF CASH FLOWS", "cash_flow"),
        ("Condensed Consolidated Balance Sheet (Unaudited)", "balance_sheet"),
        ("Consolidated statement of financial position", "balance_sheet"),
        ("Consolidated Statements of Operations and Comprehensive Income", "income_statement"),
        ("Consolidated statement of profit or loss", "income_statement"),
        ("CONSOLIDATED STATEMENTS OF COMPREHENSIVE INCOME", "comprehensive_income"),
        ("Statements of Changes in Shareholders’ Equity", "equity_statement"),
        ("Consolidated Statements of Stockholders' Equity", "equity_statement"),
        ("Note 12. Segment Information", "segment_note"),
        ("NOTE 3. Goodwill and Intangible Assets", "notes"),
        ("Item 7. Management’s Discussion and Analysis of Financial Condition", "mdna"),
        ("Item 1A. Risk Factors", "risk_factors"),
        ("Item 3. Legal Proceedings", "legal_proceedings"),
        ("Item 9A. Controls and Procedures", "controls"),
        ("Item 1. Business", "business"),
        ("Item 1B. Unresolved Staff Comments", ""),
        ("Fiscal 2024 Outlook", "guidance"),
        ("Outlook for the industry depends on weather and we cannot say what it brings", ""),
        ("Questions and Answers", "questions_answers"),
        ("Business segments of others", ""),
    ],
)
def test_titles(title: str, kind: str) -> None:
    assert of_title(title) == kind


def test_line_items_tell_a_statement_whose_title_was_missed() -> None:
    assert statement_of([], "", BALANCE_SHEET) == "balance_sheet"
    item = [Heading("Item 8. Financial Statements", 100)]
    assert statement_of(item, "", BALANCE_SHEET) == "balance_sheet"
    # Without figures they are words of a text.
    words = "\n".join(line.rstrip("()0123456789, |") for line in BALANCE_SHEET.split("\n"))
    assert statement_of([], "", words) == ""


def test_a_table_in_the_notes_stays_a_note() -> None:
    note = [Heading("Item 8. Financial Statements", 9_000), Heading("Note 5. Subsidiaries", 10)]
    assert statement_of(note, "Condensed balance sheets", BALANCE_SHEET) == "notes"


def test_a_statement_reaches_a_few_pages_only() -> None:
    title = "CONSOLIDATED STATEMENTS OF CASH FLOWS"
    assert statement_of([Heading(title, 500)], "", "words") == "cash_flow"
    assert statement_of([Heading(title, STATEMENT_REACH + 1)], "", "words") == ""


def test_every_kind_has_a_short_plain_name() -> None:
    tokenizer = encoders.tokenizer(settings.EMBEDDING_MODEL)
    for kind, name in statements.names().items():
        assert len(kind) <= 30
        assert len(tokenizer.encode(name, add_special_tokens=False).ids) <= 15


def test_pages_of_real_filings(data: Path) -> None:
    """Every page's kind is the one that most of its characters have; see docs/results.md."""
    pages = json.loads(GOLD.read_text(encoding="utf-8"))
    right = named = meant = 0
    for page in pages:
        path = data / "financebench" / "pdfs" / page["file"]
        if not path.is_file():
            pytest.skip(f"no filing {page['file']}")
        found = kind_of_page(path, page["page"])
        right += bool(found) and found == page["statement"]
        named += bool(found)
        meant += bool(page["statement"])
    assert right / named >= 0.8
    assert right / meant >= 0.8


def kind_of_page(path: Path, number: int) -> str:
    parsed = pdf.parse(path, 20_000_000)
    starts = [*parsed.pages, len(parsed.text)]
    first, last = starts[number - 1], starts[number]
    shares: dict[str, int] = {}
    found = chunk(
        parsed.text,
        parsed.pages,
        parsed.sections,
        encoders.tokenizer(settings.EMBEDDING_MODEL),
        tables=parsed.tables,
    )
    for piece in found:
        shared = min(last, piece.end) - max(first, piece.start)
        if shared > 0:
            shares[piece.statement] = shares.get(piece.statement, 0) + shared
    return max(shares, key=lambda kind: shares[kind]) if shares else ""
