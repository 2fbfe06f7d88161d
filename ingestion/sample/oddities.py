"""Writes what a real feed also contains: duplicates, near-duplicates and files that cannot be read."""

from __future__ import annotations

import io
import re
from datetime import date
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import letter
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from ingestion.sample.blocks import Doc, Heading, Para
from ingestion.sample.render_pdf import render_pdf

IDENTICAL = (
    ("announcements/2024-04-22_MarlowFinch_granola_recall.html",
     "newswire/2024-04-22_marlow-finch-company-statement.html"),
    ("filings/SOLMERE_2024-01-22_8K.pdf", "announcements/Solmere supplier notice (copy).pdf"),
    ("research/2024-05-03_Larkfield_Halden_Q1.docx", "research/HLDN note FINAL v2.docx"),
)  # fmt: skip
RESPACED = (
    ("newswire/2024-01-17_garrow-point-fire.txt", "newswire/20240117-lindqvist-fire-resend.txt"),
    ("calls/2024-05-02_Halden_Q1_call.txt", "research/HLDN 1Q24 transcript.txt"),
    ("announcements/2024-02-08_Tidemarsh_supply_update.txt", "newswire/tdmh-bottles-0208.txt"),
)
# Each pair of words is replaced in the copy, as a desk does when it rewrites another's story.
EDITED = (
    ("newswire/2024-07-26_orrin-cut.txt", "newswire/2024-07-26_orrin-cut-update1.txt",
     (("Orrin Peak slashes forecast as farmers keep wallets shut",
       "UPDATE 1-Orrin Peak slashes forecast as farmers keep wallets shut"),
      ("The stock dropped 11 percent to its lowest since 2020.",
       "The stock closed down 12.3 percent, its lowest since 2020."))),
    ("newswire/2024-04-15_averline-nonreliance.txt", "newswire/2024-04-15_avln-shares-plunge.txt",
     (("told investors on Monday to stop relying", "warned on Monday that nobody should rely"),
      ("The stock lost 31 percent.", "Its shares sank 31 percent in New York."),
      ("The sum is small.", "It is not a large sum."))),
    ("newswire/2024-08-19_solmere-pumps.txt", "newswire/2024-08-19_serano-alarm-harbor.txt",
     (("Coastal Wire", "Harbor Business Wire"), ("will send technicians", "is sending technicians"),
      ("MINNEAPOLIS", "EDEN PRAIRIE, Minn."))),
    ("newswire/2024-03-11_brackwater-tessaro.txt", "newswire/2024-03-12_brackwater-deal-wrap.txt",
     (("agreed on Monday to buy", "agreed to buy"), ("BOSTON, March 11", "BOSTON, March 12"),
      ("The shares fell 2.2 percent", "The shares fell 2.2 percent on Monday"))),
    ("newswire/2024-10-28_orrin-layoffs.txt", "newswire/2024-10-28_orrin-jobs-ledger.txt",
     (("Coastal Wire", "Ledger Street News"), ("about 1,200 positions", "some 1,200 positions"),
      ("at the county fairground", "at the fairground on Tuesday"))),
)  # fmt: skip

Expected = list[dict[str, str]]


def write_oddities(out: Path, rendered: dict[str, bytes]) -> Expected:
    """Write all odd files below ``out``; returns what should become of each of them."""
    files: dict[str, bytes] = {}
    expected: Expected = []
    for source, copy in IDENTICAL:
        files[copy] = rendered[source]
        expected.append(_fate(copy, f"duplicate_of: {source}", "identical bytes, other name"))
    for source, copy in RESPACED:
        files[copy] = _respaced(rendered[source])
        why = "same text, other line breaks and spaces"
        expected.append(_fate(copy, f"duplicate_of: {source}", why))
    for source, copy, changes in EDITED:
        files[copy] = _edited(rendered[source], changes)
        why = "the same story, lightly edited; not an exact duplicate"
        expected.append(_fate(copy, f"near_duplicate_of: {source}", why))
    for name, (data, why) in _broken(rendered).items():
        files[name] = data
        expected.append(_fate(name, "quarantined", why))
    for name, data in files.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(data)
    return expected


def _fate(file: str, expect: str, why: str) -> dict[str, str]:
    return {"file": file, "expect": expect, "why": why}


def _respaced(data: bytes) -> bytes:
    """The same words with CRLF line ends, other wrapping and doubled spaces after stops."""
    parts = data.decode().strip().split("\n\n")
    joined = [re.sub(r"\. (?=[A-Z])", ".  ", " ".join(part.split())) for part in parts]
    return ("\r\n\r\n".join(joined) + "\r\n\r\n").encode()


def _edited(data: bytes, changes: tuple[tuple[str, str], ...]) -> bytes:
    """The text with some words exchanged; every one of them must be there."""
    parts = data.decode().strip().split("\n\n")
    text = "\n\n".join(" ".join(part.split()) for part in parts)
    for old, new in changes:
        found = re.search(re.escape(old), text, re.IGNORECASE)
        if not found:
            raise ValueError(f"edited copy: {old!r} is not in the story")
        text = text[: found.start()] + new + text[found.end() :]
    return (text.strip() + "\n").encode()


def _broken(rendered: dict[str, bytes]) -> dict[str, tuple[bytes, str]]:
    """Files that no parser can turn into text, with the reason."""
    whole = rendered["filings/NIMBREL_2023Q2_10Q.pdf"]
    forbidden = b"<html><head><title>403 Forbidden</title></head></html>\n"
    headless = b'<!DOCTYPE html>\n<html lang="en"><head><title>Loading</title></head></html>\n'
    return {
        "filings/QUILLON_2023Q1_10Q.pdf": (_encrypted(), "PDF encrypted with a password"),
        "filings/NIMBREL_2023Q1_10Q.pdf": (whole[: len(whole) // 4], "PDF cut off in transfer"),
        "newswire/2024-06-18_flash.txt": (b"", "empty file"),
        "announcements/Halden_board_letter_scan.pdf": (_scan(), "a picture without a text layer"),
        "newswire/2024-09-30_live-blog.html": (headless, "HTML without a body"),
        "filings/ORRINPEAK_2023Q1_10Q.pdf": (forbidden, "an error page saved under a PDF's name"),
    }


def _encrypted() -> bytes:
    """A short report that opens only with a password."""
    blocks = (Heading("Quillon Semiconductor Corporation"), Para("Quarterly report, restricted."))
    doc = Doc(
        file="x.pdf", kind="quarterly_report", title="Quillon", company="Quillon",
        period="2023Q1", day=date(2023, 2, 6), blocks=blocks,
    )  # fmt: skip
    return render_pdf(doc, password="sesame-2023")  # noqa: S106


def _scan() -> bytes:
    """A letter that was photographed: one page, one grey image, no text."""
    image = Image.new("L", (850, 1100), 243)
    draw = ImageDraw.Draw(image)
    lines = ["Halden Motion Corporation", "", "To the Board of Directors", "",
             "The committee has reviewed the plan for gear grinding", "at Hagen and recommends it.",
             "", "Sheboygan Falls, December 3, 2024"]  # fmt: skip
    for index, line in enumerate(lines):
        draw.text((110, 140 + 46 * index), line, fill=60, font=ImageFont.load_default(26))
    raw = io.BytesIO()
    image.rotate(0.7, fillcolor=243).save(raw, "PNG")
    raw.seek(0)
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=letter, invariant=1)
    canvas.drawImage(ImageReader(raw), 0, 0, *letter)
    canvas.save()
    return out.getvalue()
