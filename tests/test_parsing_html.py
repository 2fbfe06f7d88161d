"""HTML and inline XBRL read as a person sees them, table rows as one line each."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.parsing import Parsed, Unreadable, html
from ingestion.parsing.table_rows import join_cells


def parse(tmp_path: Path, page: str | bytes, limit: int = 1_000_000) -> Parsed:
    path = tmp_path / "page.html"
    path.write_bytes(page.encode() if isinstance(page, str) else page)
    return html.parse(path, limit)


def test_blocks_are_lines_and_inline_tags_are_not(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path,
        "<html><head><title>Q2 letter</title></head><body><div>Net <b>sa</b>les\n rose</div>"
        "<p>by&nbsp;4&#37; &amp; more</p><ul><li>One<li>Two</ul>a<br>b<div><div>c</div></div>"
        "<div>d</div></body></html>",
    )
    assert parsed.text == "Net sales rose\n\nby 4% & more\n\n• One\n• Two\n\na\nb\nc\nd"
    assert parsed.metadata["title"] == "Q2 letter"
    assert parsed.pages == [0]


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>secret()</script>",
        "<style>.secret{}</style>",
        '<div style="color:red; DISPLAY : none">secret <p>secret</p></div>',
        "<span hidden>secret</span>",
        "<ix:header><ix:hidden>secret</ix:hidden></ix:header>",
        "<!-- secret -->",
        "<noscript>secret</noscript>",
        "<template>secret</template>",
    ],
)
def test_what_is_not_shown_is_not_read(tmp_path: Path, hidden: str) -> None:
    parsed = parse(tmp_path, f"<body><p>before</p>{hidden} after</body>")
    assert "secret" not in parsed.text
    assert parsed.text.split() == ["before", "after"]


def test_headings_are_sections_at_their_offsets(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path,
        "<body>intro<h1>Annual <i>report</i></h1><p>words</p><table><tr><td><h2> Outlook</h2></td>"
        "</tr></table><p>Item 1A. Risk Factors</p><p>See Item 7 of it.</p></body>",
    )
    assert [(s["title"], s["level"]) for s in parsed.sections] == [
        ("Annual report", 1),
        ("Outlook", 2),
        ("Item 1A. Risk Factors", 2),
    ]
    for section in parsed.sections:
        assert parsed.text[section["start"] :].startswith(section["title"])


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        (["Net sales", "", "$", "1,204", "", "$", "1,180"], "Net sales | $1,204 | $1,180"),
        (["Net loss", "$", "(", "12.5", ")", "(3", ")%"], "Net loss | $(12.5) | (3)%"),
        (["Margin", "4.1", "%", "3.9", "%"], "Margin | 4.1% | 3.9%"),
        (["Yield", "25", "bps"], "Yield | 25 bps"),
        (["", " ", "\n"], ""),
    ],
)
def test_a_row_keeps_its_label_with_its_numbers(cells: list[str], line: str) -> None:
    assert join_cells(cells) == line


def test_tables_become_lines_and_layout_tables_stay_blocks(tmp_path: Path) -> None:
    inner = "<table><tr><td>Cost of\n sales</td><td>$</td><td>7</td></tr></table>"
    long = "".join(f"<p>{'word ' * 60}</p>" for _ in range(3))
    parsed = parse(tmp_path, f"<body><table><tr><td>{long}{inner}</td><td>x</td></tr></table>")
    assert "Cost of sales | $7" in parsed.text.split("\n")
    assert parsed.text.count("word ") > 100
    assert "word | " not in parsed.text


def test_inline_xbrl_says_what_the_filing_is(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path,
        "<?xml version='1.0' encoding='ASCII'?><html xmlns:ix='http://www.xbrl.org/2013/inlineXBRL'>"
        "<body><ix:header><ix:nonNumeric name='dei:DocumentFiscalYearFocus'>2024</ix:nonNumeric>"
        "<ix:nonNumeric name='dei:DocumentFiscalPeriodFocus'>Q3</ix:nonNumeric></ix:header>"
        "<p>Form <ix:nonNumeric name='dei:DocumentType'>10-Q</ix:nonNumeric></p>"
        "<p><ix:nonNumeric name='dei:EntityRegistrantName'>Northwind <b>Tools</b> Inc."
        "</ix:nonNumeric></p><p>Sales <ix:nonFraction name='us-gaap:Revenues'>12</ix:nonFraction>"
        "</p></body></html>",
    )
    assert parsed.metadata == {
        "fiscal_year": "2024",
        "fiscal_period": "Q3",
        "document_type": "10-Q",
        "company": "Northwind Tools Inc.",
    }
    assert parsed.text == "Form 10-Q\n\nNorthwind Tools Inc.\n\nSales 12"


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ('<meta charset="iso-8859-1">', "cp1252"),
        ("", "cp1252"),
        ("", "utf-8"),
        ("", "utf-16"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=shift_jis">', "shift_jis"),
        ('<meta charset="no-such-thing">', "cp1252"),
        ('<meta charset="iso-8859-1">', "utf-8-sig"),
    ],
)
def test_the_encoding_is_found(tmp_path: Path, head: str, encoding: str) -> None:
    words = "売上高" if encoding == "shift_jis" else "café – “quoted”"
    page = f"<html><head>{head}</head><body><p>{words}</p></body></html>"
    assert parse(tmp_path, page.encode(encoding)).text == words


def test_right_to_left_and_cjk_text_survive(tmp_path: Path) -> None:
    words = "הכנסות עלו ב־4% والإيرادات 売上高は増加 𠮷"
    assert parse(tmp_path, f"<p>{words}</p>").text == words


@pytest.mark.parametrize(
    "page",
    ["<html><head><title>x</title></head><body></body></html>", "<html></html>", "<body> </body>"],
)
def test_a_page_without_text_is_refused(tmp_path: Path, page: str) -> None:
    with pytest.raises(Unreadable, match="no text"):
        parse(tmp_path, page)


def test_an_entity_bomb_is_text_like_any_other(tmp_path: Path) -> None:
    entities = '<!ENTITY a0 "lol">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)
    )
    parsed = parse(
        tmp_path,
        f"<?xml version='1.0'?><!DOCTYPE html [{entities}<!ENTITY f SYSTEM 'file:///etc/passwd'>]>"
        "<html><body><p>before &a9; &f; after</p></body></html>",
    )
    assert len(parsed.text) < 2_000
    assert "root:" not in parsed.text
    assert "after" in parsed.text


def test_tags_that_are_never_closed_lose_no_words(tmp_path: Path) -> None:
    parsed = parse(tmp_path, "<body>" + "".join(f"<div>word{n} " for n in range(1_000)))
    assert "word999" in parsed.text
    assert parsed.notes == []


def test_text_that_is_left_out_is_said(tmp_path: Path) -> None:
    deep = "<div>" * 5_000
    parsed = parse(tmp_path, f"<body><p>first</p>{deep}deep")
    assert parsed.text == "first"
    assert "left out" in parsed.notes[0]
    with pytest.raises(Unreadable, match="nested too deeply"):
        parse(tmp_path, f"<body>{deep}deep")


def test_deep_nesting_loses_no_words_before_its_limit(tmp_path: Path) -> None:
    parsed = parse(tmp_path, "<body><p>first</p>" + "<div>" * 100_000 + "deep")
    assert parsed.text.startswith("first")


def test_control_characters_and_broken_references_are_cleaned(tmp_path: Path) -> None:
    parsed = parse(tmp_path, b"<body><p>a\0b&#0;c&#1;d&#xD800;e\x01f\x02g</p><h2>h</h2></body>")
    assert not any(character < " " and character != "\n" for character in parsed.text)
    assert parsed.text.replace("\ufffd", "").startswith("abcd")
    parsed.text.encode("utf-8")


def test_too_much_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="too long"):
        parse(tmp_path, "<p>" + "word " * 100, limit=400)


@pytest.mark.data
def test_a_real_filing_reads_well(data: Path) -> None:
    parsed = html.parse(data / "filings_html/Apple.10-K.html", 20_000_000)
    assert parsed.metadata["company"] == "Apple Inc."
    assert parsed.metadata["document_type"] == "10-K"
    assert parsed.metadata["fiscal_year"] == "2024"
    titles = [section["title"] for section in parsed.sections]
    assert "Item 1A. Risk Factors" in titles
    assert any(title.startswith("Item 7. Management’s Discussion and Anal") for title in titles)
    assert "Total net sales | 391,035 | 383,285 | 394,328" in parsed.text
