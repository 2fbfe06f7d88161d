"""The type of a file by its content; its name only decides between kinds of plain text."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path, PurePath

from ingestion.parsing.parsed import Unreadable

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
HTML = "text/html"
TEXT = "text/plain"
MARKDOWN = "text/markdown"

SUPPORTED = "PDF, HTML, DOCX, plain text and Markdown are supported"
SUFFIXES = {
    ".pdf": PDF,
    ".docx": DOCX,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
    ".txt": TEXT,
    ".text": TEXT,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
}
_SAMPLE = 65_536
_TAGS = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|title|meta|div|table|tr|p|span|h[1-6]|br|a|font|ul|ix:\w+)"
    rb"[\s>/:]",
    re.IGNORECASE,
)
_WHOLE_PAGE = re.compile(rb"<(?:!doctype\s+html|html|body|head|ix:header)[\s>]", re.IGNORECASE)
_FOREIGN = [
    (b"\xd0\xcf\x11\xe0", "an old Office or password-protected Office file"),
    (b"{\\rtf", "an RTF file"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"%!PS", "a PostScript file"),
]
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def media_type(path: Path, file_name: str) -> str:
    """One of the media types above; raises Unreadable for empty and unsupported files."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
    if not sample.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise Unreadable("The file is empty.")
    suffix = PurePath(file_name).suffix.lower()
    # Readers accept a PDF whose header follows up to 1,024 bytes of junk.
    if b"%PDF-" in sample[:1024]:
        return PDF
    if sample.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_type(path)
    # Text may begin with the letters of a program's mark, a program holds NUL bytes.
    for mark, name in _FOREIGN:
        if sample.startswith(mark) and (mark != b"MZ" or b"\0" in sample):
            raise Unreadable(f"The file is {name}; {SUPPORTED}.")
    if suffix == ".pdf" and b"\0" in sample:
        raise Unreadable("The PDF is damaged: it has no PDF header.")
    return _text_type(sample, suffix)


def _zip_type(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Unreadable("The file is a damaged Word document or archive.") from error
    if "word/document.xml" in names:
        return DOCX
    for folder, name in (("xl/", "a spreadsheet"), ("ppt/", "a presentation")):
        if any(entry.startswith(folder) for entry in names):
            raise Unreadable(f"The file is {name}; {SUPPORTED}.")
    if "[Content_Types].xml" in names:
        raise Unreadable("The Word document is damaged: its text part is missing.")
    raise Unreadable(f"The file is a ZIP archive; {SUPPORTED}. Unpack it first.")


def _text_type(sample: bytes, suffix: str) -> str:
    by_name = SUFFIXES.get(suffix)
    if sample.startswith(_BOMS[1:]) or is_utf16(sample):
        narrow = sample.replace(b"\0", b"")
        is_html = bool(_TAGS.search(narrow)) and by_name not in (TEXT, MARKDOWN)
        return HTML if is_html else by_name if by_name in (TEXT, MARKDOWN) else TEXT
    if _is_binary(sample):
        raise Unreadable(f"The file holds binary data, not text; {SUPPORTED}.")
    if by_name == HTML and _TAGS.search(sample):
        return HTML
    # A Markdown or text file may quote tags; only a whole page makes it HTML.
    if _WHOLE_PAGE.search(sample[:4096]) and by_name != MARKDOWN:
        return HTML
    return MARKDOWN if by_name == MARKDOWN else TEXT


def is_utf16(sample: bytes) -> bool:
    """Whether every second byte is NUL, as in Western text in UTF-16 without a mark."""
    even, odd = sample[:2000:2].count(0), sample[1:2000:2].count(0)
    half = max(1, min(len(sample), 2000) // 2)
    return half > 8 and (max(even, odd) > 0.8 * half) and min(even, odd) < 0.05 * half


def _is_binary(sample: bytes) -> bool:
    controls = sum(sample.count(byte) for byte in (*range(1, 9), *range(14, 27), *range(28, 32)))
    return sample.count(0) > 0.02 * len(sample) or controls > 0.02 * len(sample)
