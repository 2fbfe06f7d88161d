"""PDF files to text by PDFium: one frozen text, page starts, bookmarks and headings."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from ingestion.parsing import detect, headings, pdf_page, running_heads, transcripts
from ingestion.parsing.ocr import NoOcr, Ocr
from ingestion.parsing.parsed import Parsed, Section, Table, Unreadable, clean, refuse_if_too_long
from ingestion.parsing.pdf_page import Page
from ingestion.parsing.pdf_tables import FoundTable, Row

# A page with fewer letters than this and an image on it is taken for a scan.
_FEW_LETTERS = 20
_MOST_BOOKMARKS = 2_000
_ERRORS = {
    pdfium.FPDF_ERR_PASSWORD: "The PDF is encrypted and needs a password.",
    pdfium.FPDF_ERR_SECURITY: "The PDF is encrypted in a way that is not supported.",
    pdfium.FPDF_ERR_FORMAT: "The PDF is damaged: its data format is not valid.",
    pdfium.FPDF_ERR_FILE: "The file could not be opened as a PDF.",
}


def open_pdf(path: Path) -> Any:
    """The open document, to be closed by the caller; raises Unreadable with the reason."""
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        code = getattr(error, "err_code", None)
        raise Unreadable(_ERRORS.get(code, f"The PDF could not be opened ({error}).")) from error
    if not len(document):
        document.close()
        raise Unreadable("The PDF has no pages.")
    return document


def parse(path: Path, max_characters: int, ocr: Ocr | None = None) -> Parsed:
    """Text of all pages joined by newlines; raises Unreadable when there is practically none.

    Lines repeated at the top or bottom of the pages are in the text once only. Scanned pages are
    read by `ocr` where it is given, else only named.
    """
    document = open_pdf(path)
    try:
        read = _read_pages(document, max_characters, ocr)
        texts, tables = _freeze(read.pages)
        notes = _judge(texts, read)
        starts = list(itertools.accumulate((len(text) + 1 for text in texts[:-1]), initial=0))
        text = "\n".join(texts)
        found = headings.merge(_bookmarks(document, texts, starts), headings.recognise(text))
        sections = transcripts.with_turns(text, found)
        return Parsed(
            text=text,
            media_type=detect.PDF,
            pages=starts,
            sections=sections,
            tables=[
                _moved(table, start)
                for start, found in zip(starts, tables, strict=True)
                for table in found
            ],
            metadata=_metadata(document),
            notes=notes,
        )
    finally:
        document.close()


@dataclass(slots=True)
class _Pages:
    """Every page as it was laid out, and the numbers, from 1, of those that are not plain text.

    `scanned` were not read, `recognised` were by OCR; `without_ocr` is why not, if it was tried.
    """

    pages: list[Page] = field(default_factory=list)
    scanned: list[int] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)
    recognised: list[int] = field(default_factory=list)
    without_ocr: str = ""


def _read_pages(document: Any, max_characters: int, ocr: Ocr | None) -> _Pages:
    read = _Pages()
    length = 0
    for number in range(1, len(document) + 1):
        laid_out = Page([], [], [])
        try:
            page = document[number - 1]
            textpage = page.get_textpage()
        except pypdfium2.PdfiumError:
            read.broken.append(number)
        else:
            laid_out = pdf_page.read(textpage)
            textpage.close()
            letters = sum(map(str.isalnum, "".join(laid_out.lines[:30])[:500]))
            if letters < _FEW_LETTERS and _has_image(page):
                laid_out = _recognise(page, number, read, ocr) or laid_out
            page.close()
        read.pages.append(laid_out)
        length += sum(map(len, laid_out.lines)) + len(laid_out.lines) + 1
        refuse_if_too_long(length, max_characters)
    return read


def _recognise(page: Any, number: int, read: _Pages, ocr: Ocr | None) -> Page | None:
    """A scanned page by OCR; None, and named as scanned, where that is off or gives nothing."""
    text = ""
    if ocr:
        try:
            text = ocr.read(page)
        except NoOcr as error:
            read.without_ocr = str(error)
    if not any(map(str.isalnum, text)):
        read.scanned.append(number)
        return None
    read.recognised.append(number)
    paragraphs = [paragraph.split("\n") for paragraph in text.split("\n\n")]
    rows = [
        Row([], 0.0, apart=not index, kept=True)
        for paragraph in paragraphs
        for index in range(len(paragraph))
    ]
    return Page(rows, [line for paragraph in paragraphs for line in paragraph], [])


def _freeze(pages: Sequence[Page]) -> tuple[list[str], list[list[Table]]]:
    """Text and tables per page, without running lines; offsets are into the page's text."""
    texts: list[str] = []
    tables: list[list[Table]] = []
    for page, (first, last) in zip(pages, running_heads.find(pages), strict=True):
        texts.append(page.text(first, last))
        starts = page.starts(first, last)
        lines = page.lines[first:last]
        tables.append([_table(found, starts, lines, first) for found in page.tables])
    return texts, tables


def _table(found: FoundTable, starts: Sequence[int], lines: Sequence[str], first: int) -> Table:
    def span(number: int) -> tuple[int, int]:
        return starts[number - first], starts[number - first] + len(lines[number - first])

    title = " ".join(lines[number - first] for number in found.caption if number >= first)
    return {
        "start": span(found.first)[0],
        "end": span(found.last)[1],
        "caption": " ".join(title.split()),
        "heads": found.heads,
        "scale": found.scale,
        "rows": [span(number) for number in found.body],
    }


def _moved(table: Table, by: int) -> Table:
    rows = [(start + by, end + by) for start, end in table["rows"]]
    return {**table, "start": table["start"] + by, "end": table["end"] + by, "rows": rows}


def _has_image(page: Any) -> bool:
    try:
        objects = page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3)
        return next(iter(objects), None) is not None
    except pypdfium2.PdfiumError:
        return False


def _judge(texts: list[str], read: _Pages) -> list[str]:
    """Notes on pages without text; raises Unreadable when too little is left to search."""
    pages, scanned = len(texts), read.scanned
    if len(read.broken) == pages:
        raise Unreadable("The PDF is damaged: none of its pages can be read.")
    letters = sum(sum(map(str.isalnum, text[:2000])) for text in texts)
    why = f" ({read.without_ocr})" if read.without_ocr else ""
    if scanned and letters < _FEW_LETTERS * pages and len(scanned) >= 0.9 * pages:
        raise Unreadable(
            f"The PDF is scanned: {_count(len(scanned))} only images and no text{why}. "
            "Send a version with a text layer (OCR)."
        )
    if not letters:
        raise Unreadable("The PDF holds no text.")
    notes = []
    if read.recognised:
        notes.append(f"Scanned and read by OCR, which may err: {_ranges(read.recognised)}.")
    if scanned:
        notes.append(f"Scanned, without text to search: {_ranges(scanned)}{why}.")
    if read.broken:
        notes.append(f"Damaged and left out: {_ranges(read.broken)}.")
    return notes


def _count(pages: int) -> str:
    return "its page holds" if pages == 1 else f"its {pages} pages hold"


def _ranges(numbers: list[int]) -> str:
    """Page numbers as people write them: "page 3", "pages 1-4, 9"."""
    groups: list[list[int]] = []
    for number in numbers:
        if groups and groups[-1][-1] == number - 1:
            groups[-1].append(number)
        else:
            groups.append([number])
    parts = [str(g[0]) if len(g) == 1 else f"{g[0]}-{g[-1]}" for g in groups]
    return f"{'page' if len(numbers) == 1 else 'pages'} {', '.join(parts)}"


def _bookmarks(document: Any, texts: list[str], starts: list[int]) -> list[Section]:
    """The PDF's own outline; each entry where its words stand on its page, else the page start."""
    found: list[Section] = []
    folded: dict[int, str] = {}
    try:
        for entry in itertools.islice(document.get_toc(max_depth=6), _MOST_BOOKMARKS):
            title = " ".join(clean(entry.get_title()).split())[:300]
            destination = entry.get_dest()
            index = destination.get_index() if destination else None
            if not title or index is None or not 0 <= index < len(texts):
                continue
            if index not in folded:
                folded[index] = texts[index].lower()
            # Lower case may change the length of a text; then its offsets mean nothing.
            same = len(folded[index]) == len(texts[index])
            place = folded[index].find(title.lower()) if same else -1
            start = starts[index] + max(place, 0)
            found.append({"title": title, "level": entry.level + 1, "start": start})
    except pypdfium2.PdfiumError:
        return found
    return found


def _metadata(document: Any) -> dict[str, Any]:
    try:
        entries = document.get_metadata_dict(skip_empty=True)
    except pypdfium2.PdfiumError:
        return {}
    known = {"Title": "title", "Author": "author", "CreationDate": "created_on"}
    found = {name: clean(entries[key]).strip() for key, name in known.items() if key in entries}
    return {name: value for name, value in found.items() if value}
