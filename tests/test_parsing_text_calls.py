"""Who speaks in a call is a section of its own, whichever way the transcript is printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docx import Document

from ingestion.parsing import Parsed, detect, docx, headings, html, text, transcripts
from ingestion.sample import generate

LIMIT = 1_000_000
SPEECH = "We grew sales by four percent and margins held, as we had said they would."
ASKS = "Could you say more about the order book for next year and the year after?"


def read(words: str) -> list[tuple[str, int, bool]]:
    sections = transcripts.with_turns(words, headings.recognise(words))
    assert [s["start"] for s in sections] == sorted(s["start"] for s in sections)
    return [(s["title"], s["level"], s.get("speaker", False)) for s in sections]


def speakers(words: str) -> list[str]:
    return [title for title, _, speaks in read(words) if speaks]


def test_dashes_and_printed_parts(tmp_path: Path) -> None:
    page = (
        "<h1>Acme (ACM) Q2 2024 Earnings Call Transcript</h1><h2>Contents:</h2>"
        "<ul><li>Prepared Remarks</li><li>Questions and Answers</li><li>Call Participants</li></ul>"
        "<h2>Prepared Remarks:</h2><p><strong>Operator</strong></p>"
        f"<p>Good morning and welcome to the call.</p><p><strong>Jane O’Neil-Doe</strong> -- "
        f"<em>Chief Financial Officer</em></p><p>{SPEECH}</p><p>{SPEECH}</p>"
        "<h2>Questions &amp; Answers:</h2><p><strong>Operator</strong></p>"
        "<p>Our first question comes from John van der Berg.</p>"
        f"<p><strong>John van der Berg</strong> -- <em>Big Bank, N.A. -- Analyst</em></p><p>{ASKS}"
        f"</p><p><strong>Jane O’Neil-Doe</strong> -- <em>Chief Financial Officer</em></p>"
        f"<p>{SPEECH}</p><h2>Call participants:</h2><p><strong>Jane O’Neil-Doe</strong> -- "
        "<em>Chief Financial Officer</em></p><p><strong>John van der Berg</strong> -- "
        "<em>Big Bank, N.A. -- Analyst</em></p>"
    )
    path = tmp_path / "a.html"
    path.write_text(page)
    parsed = html.parse(path, LIMIT)
    inside = [s for s in parsed.sections if s["title"] != "Contents:"]
    assert [(s["title"], s["level"], s.get("speaker", False)) for s in inside] == [
        ("Acme (ACM) Q2 2024 Earnings Call Transcript", 1, False),
        ("Prepared Remarks", 2, False),
        ("Operator", 3, True),
        ("Jane O’Neil-Doe -- Chief Financial Officer", 3, True),
        ("Questions & Answers", 2, False),
        ("Operator", 3, True),
        ("John van der Berg -- Big Bank, N.A. -- Analyst", 3, True),
        ("Jane O’Neil-Doe -- Chief Financial Officer", 3, True),
        ("Call participants:", 2, False),
    ]
    for section in parsed.sections:
        assert parsed.text[section["start"] :].startswith(section["title"])


def test_parts_that_are_not_printed_are_named() -> None:
    call = (
        "Acme Corp - Q2 2024 Earnings Call\n\nOperator\nWelcome to the Acme conference call.\n"
        f"Jane Doe, Chief Executive Officer:\n{SPEECH}\nOperator\nWe will now begin the "
        f"question-and-answer session.\nJohn Smith, Big Bank & Co.:\n{ASKS}\nJane Doe:\n{SPEECH}\n"
    )
    assert read(call) == [
        ("Prepared remarks", 1, False),
        ("Operator", 2, True),
        ("Jane Doe, Chief Executive Officer", 2, True),
        ("Questions and answers", 1, False),
        ("Operator", 2, True),
        ("John Smith, Big Bank & Co.", 2, True),
        ("Jane Doe", 2, True),
    ]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (
            (
                "Earnings call transcript\nCompany Participants\n• Jane Doe - CFO\n"
                f"• Ann B. Lee - CEO\nOperator\nWelcome to the call.\n"
                f"Jane Doe\n{SPEECH}\nAnn B. Lee\n{SPEECH}\n"
            ),
            ["Operator", "Jane Doe", "Ann B. Lee"],
        ),
        (
            (
                f"Earnings call\nOperator: Welcome, all of you.\nJane Doe: {SPEECH}"
                f"\nJohn Smith: {ASKS}"
                f"\nJane Doe: {SPEECH}\nJohn Smith: Thank you very much.\n"
            ),
            ["Operator", "Jane Doe", "John Smith", "Jane Doe", "John Smith"],
        ),
        (
            (
                f"Conference call\n<Q - John Smith>: {ASKS}\n<A - Jane Doe>: {SPEECH}\n"
                f"<Q - John Smith>: {ASKS}\n<A - Jane Doe>: {SPEECH}\n"
            ),
            ["John Smith", "Jane Doe", "John Smith", "Jane Doe"],
        ),
        (
            (
                f"Earnings call\nJane Doe (00:12):\n{SPEECH}\nJohn Smith (03:40):\n{ASKS}\n"
                f"[00:04:10] Jane Doe:\n{SPEECH}\n"
            ),
            ["Jane Doe", "John Smith", "Jane Doe"],
        ),
        (
            (
                f"Earnings call\nOPERATOR:\nWelcome to the call.\nJANE DOE – CFO:\n{SPEECH}\n"
                f"Unidentified Analyst:\n{ASKS}\nJANE DOE:\n{SPEECH}\n"
            ),
            ["OPERATOR", "JANE DOE – CFO", "Unidentified Analyst", "JANE DOE"],
        ),
    ],
)
def test_other_ways_to_print_a_speaker(call: str, expected: list[str]) -> None:
    assert speakers(call) == expected


@pytest.mark.parametrize(
    "words",
    [
        "Signatures\nJane Doe - Chief Financial Officer\nJohn Smith - Director\n" * 3,
        f"Net Sales: {SPEECH}\nGross Margin: {SPEECH}\nNet Sales: {SPEECH}\nGross Margin: {SPEECH}",
        f"The conference call was long.\nJane Doe: {SPEECH}\n{SPEECH * 20}",
        "",
    ],
)
def test_what_is_no_call_has_no_speakers(words: str) -> None:
    assert speakers(words) == []


def test_a_word_document_of_a_call(tmp_path: Path) -> None:
    document = Document()
    document.add_heading("Q2 2024 earnings call", 1)
    for who, said in (("Operator", "Welcome to the call."), ("Jane Doe, CFO", SPEECH)) * 2:
        paragraph = document.add_paragraph()
        paragraph.add_run(f"{who}: ").bold = True
        paragraph.add_run(said)
    document.save(str(tmp_path / "a.docx"))
    sections = docx.parse(tmp_path / "a.docx", LIMIT).sections
    assert [(s["title"], s["level"]) for s in sections if s.get("speaker")] == [
        ("Operator", 3),
        ("Jane Doe, CFO", 3),
    ] * 2


def test_every_turn_of_the_sample_calls(tmp_path: Path) -> None:
    generate.write_corpus(tmp_path)
    turns = 0
    for path in sorted((tmp_path / "calls").iterdir()):
        printed = re.findall(r"^(?:\*\*)?([A-Z][^\n:*]{3,90}):(?:\*\*|$)", path.read_text(), re.M)
        parsed: Parsed = text.parse(path, detect.media_type(path, path.name), LIMIT)
        assert [s["title"] for s in parsed.sections if s.get("speaker")] == printed
        turns += len(printed)
    assert turns > 300


@pytest.mark.data
def test_news_and_filings_have_no_speakers(data: Path) -> None:
    stories = 0
    for path in sorted((data / "reuters21578").glob("*.sgm"))[:3]:
        for body in re.findall(r"<BODY>(.*?)</BODY>", path.read_text("latin-1"), re.DOTALL):
            assert speakers(body) == []
            stories += 1
    assert stories > 2_000
    for name in ("Apple.10-Q.html", "troweprice.DEF14A.html", "0000950153-99-001234.html"):
        sections = html.parse(data / "filings_html" / name, 20_000_000).sections
        assert sections or name.startswith("trow")
        assert not any(section.get("speaker") for section in sections)
