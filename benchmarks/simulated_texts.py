"""Articles and PDFs of a simulated wire, each from its seed: no two nearly the same."""

from __future__ import annotations

import html
import io
import random

from reportlab.pdfgen.canvas import Canvas

_SYLLABLES = "bal cor dan el fen gar hol in jor kel lum mor nor os pel quin ros sal tor ul ven wen"
_PARTS = _SYLLABLES.split()
_METRICS = (
    "revenue",
    "net income",
    "gross margin",
    "free cash flow",
    "operating expenses",
    "capital expenditure",
    "organic growth",
    "headcount",
)
_MOVES = ("rose", "fell", "was flat after it grew", "improved", "declined", "recovered")
_FORMS = ("Inc.", "Corp.", "plc", "AG", "SA", "Ltd.")
_LINE = 92


def sentences(seed: int, count: int = 24) -> list[str]:
    """English of a financial wire, its names and figures drawn by the seed."""
    draw = random.Random(seed)
    company = f"{_word(draw).title()} {_word(draw).title()} {draw.choice(_FORMS)}"
    found = [f"{company} reported results for the {draw.choice(_QUARTERS)} quarter."]
    for _ in range(count):
        metric, move = draw.choice(_METRICS), draw.choice(_MOVES)
        share, amount = draw.randint(1, 900) / 10, draw.randint(11, 9_999)
        names = " ".join(_word(draw) for _ in range(draw.randint(4, 9)))
        place = _word(draw).title()
        found.append(
            f"In {place} {metric} {move} by {share} percent to ${amount} million, because "
            f"{names} reached {draw.randint(2, 99_999):,} {_word(draw)}."
        )
    return found


_QUARTERS = ("first", "second", "third", "fourth")


def _word(draw: random.Random) -> str:
    return "".join(draw.choice(_PARTS) for _ in range(draw.randint(2, 3)))


def article(seed: int) -> bytes:
    """A web page around the text, with a menu and a footer that are no part of it."""
    words = sentences(seed)
    paragraphs = (" ".join(words[at : at + 4]) for at in range(0, len(words), 4))
    body = "".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in paragraphs)
    menu = "<nav><ul><li><a href='/'>Home</a></li><li><a href='/m'>Markets</a></li></ul></nav>"
    return (
        f"<!doctype html><html lang='en'><head><title>{html.escape(words[0])}</title></head>"
        f"<body>{menu}<article><h1>{html.escape(words[0])}</h1>{body}</article>"
        "<footer>All rights reserved.</footer></body></html>"
    ).encode()


def pdf(seed: int, pages: int = 3) -> bytes:
    """The same kind of text on A4 pages."""
    drawn = io.BytesIO()
    canvas = Canvas(drawn, pagesize=(595, 842))
    for page in range(pages):
        y = 790
        for sentence in sentences(seed * 10 + page, 14):
            for start in range(0, len(sentence), _LINE):
                canvas.drawString(50, y, sentence[start : start + _LINE])
                y -= 14
        canvas.showPage()
    canvas.save()
    return drawn.getvalue()
