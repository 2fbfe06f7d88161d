"""Plain text and Markdown keep their words, and the type is told by content before the name."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ingestion.parsing import Unreadable, detect, text

LIMIT = 1_000_000


def write(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "file"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("utf-8", "Umsatz stieg um 4 % – “gut”"),
        ("utf-8-sig", "Umsatz"),
        ("utf-16", "收入增长 הכנסות"),
        ("utf-16-le", "plain words without a mark"),
        ("utf-16-be", "plain words without a mark"),
        ("cp1252", "café – “quoted” €5"),
        ("utf-8", "収益は増加した 𠮷 والإيرادات"),
    ],
)
def test_every_usual_encoding_is_read(tmp_path: Path, encoding: str, words: str) -> None:
    path = write(tmp_path, words.encode(encoding))
    assert detect.media_type(path, "notes.txt") == detect.TEXT
    assert text.parse(path, detect.TEXT, LIMIT).text == words


def test_nul_bytes_and_line_ends_are_cleaned(tmp_path: Path) -> None:
    words = b"one\r\ntwo\rthree\0 four\x07 " + b"and more words " * 20
    parsed = text.parse(write(tmp_path, words), detect.TEXT, LIMIT)
    assert parsed.text.startswith("one\ntwo\nthree four and more")


def test_a_few_broken_bytes_do_not_spoil_the_rest(tmp_path: Path) -> None:
    data = "Größe é ü ö ä ß ñ ç à è ù â ê î ô û".encode() + b" \xff end"
    parsed = text.parse(write(tmp_path, data), detect.TEXT, LIMIT)
    assert parsed.text.startswith("Größe")
    assert parsed.notes == ["Some characters could not be decoded and were replaced."]


def test_markdown_headings_are_sections_outside_code(tmp_path: Path) -> None:
    source = (
        "---\ntitle: Q2 note\ndate: 2024-05-02\n---\n# Summary\nwords\n\n```\n# no heading\n```\n"
        "## Outlook ##\n\nRisks\n-----\n\nText | with | cells\n"
    )
    parsed = text.parse(write(tmp_path, source.encode()), detect.MARKDOWN, LIMIT)
    assert [(s["title"], s["level"]) for s in parsed.sections] == [
        ("Summary", 1),
        ("Outlook", 2),
        ("Risks", 2),
    ]
    assert parsed.text[parsed.sections[2]["start"] :].startswith("Risks")
    assert parsed.metadata == {"title": "Q2 note", "published_on": "2024-05-02"}
    assert "Text | with | cells" in parsed.text


def test_too_much_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="too long"):
        text.parse(write(tmp_path, b"word " * 1000), detect.TEXT, 4_000)


@pytest.mark.parametrize("data", [b"", b"   \n\t ", b"\0\0\0\0", b"\xef\xbb\xbf"])
def test_an_empty_file_says_so(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(Unreadable, match="empty"):
        detect.media_type(write(tmp_path, data), "a.txt")


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (b"%PDF-1.7\n%...", "report.txt", detect.PDF),
        (b"junk before\n%PDF-1.4", "report.pdf", detect.PDF),
        (b"<!DOCTYPE html><html><body>Error 404</body></html>", "report.pdf", detect.HTML),
        (b"<p>fragment</p>", "page.htm", detect.HTML),
        (b"# Title\n<b>bold</b>", "note.md", detect.MARKDOWN),
        (b"We compared <p> and <div> tags.", "notes.txt", detect.TEXT),
        (b"Plain words", "report.html", detect.TEXT),
        (b"Plain words", "no-extension", detect.TEXT),
        (b"MZ is how this sentence starts", "a.txt", detect.TEXT),
    ],
)
def test_the_content_decides_the_type(
    tmp_path: Path, data: bytes, name: str, expected: str
) -> None:
    assert detect.media_type(write(tmp_path, data), name) == expected


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bytes(range(256)) * 20, "binary"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "PNG image"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 50, "old Office"),
        (b"{\\rtf1 words}", "RTF"),
        (b"\x7fELF\x02\x01", "program"),
        (b"PK\x03\x04 cut short", "damaged"),
    ],
)
def test_what_is_not_supported_says_what_it_is(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        detect.media_type(write(tmp_path, data), "notes.txt")


@pytest.mark.parametrize(
    ("member", "reason"), [("xl/workbook.xml", "spreadsheet"), ("a.txt", "ZIP archive")]
)
def test_archives_are_told_apart(tmp_path: Path, member: str, reason: str) -> None:
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, "x")
    with pytest.raises(Unreadable, match=reason):
        detect.media_type(path, "a.docx")
