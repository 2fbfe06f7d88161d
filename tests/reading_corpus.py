"""A handful of real files taken through the real pipeline, for the pages to show."""

from __future__ import annotations

from io import BytesIO

from django.contrib.auth.models import Group, User
from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

from ingestion import pipeline
from ingestion.lexical import refresh_statistics
from ingestion.models import Document, Source
from ingestion.receiving import take_in

# Enough print for a passage a page.
FILLER = [
    f"In plant {number} the crews packed soups, sauces and broths for shops and kitchens."
    for number in range(1, 31)
]
PAGES = [
    ["Tidewater Foods annual report for fiscal year 2024", "Our people and our plants", *FILLER],
    [
        "Freight costs rose by eleven percent after the canal closed in March.",
        "We raised prices in two steps and kept our volumes.",
        *FILLER,
    ],
    [
        "Gross margin narrowed to 31.2 percent from 33.9 percent.",
        "Freight costs were the reason.",
        *FILLER,
    ],
]
NOTE = """# Outlook

Freight costs should ease in the second half as the canal reopens.

## Risks

A second closure would cost about forty million dollars.
"""


def pdf(pages: list[list[str]]) -> BytesIO:
    """One line of print per string."""
    output = BytesIO()
    canvas = Canvas(output, pagesize=letter)
    for lines in pages:
        for number, line in enumerate(lines):
            canvas.drawString(72, 700 - 14 * number, line)
        canvas.showPage()
    canvas.save()
    output.seek(0)
    return output


def library(*, embed: bool = False) -> Source:
    """A PDF, a note, and a broken file, all processed; returns their source, open to everyone."""
    source = Source.objects.create(name="Library", kind=Source.Kind.FOLDER)
    said = {"company": "Tidewater Foods", "kind": "annual_report", "fiscal_year": 2024}
    take_in(source, "tidewater.pdf", pdf(PAGES), pushed={"title": "Tidewater 10-K", **said})
    take_in(source, "note.md", BytesIO(NOTE.encode()), pushed={"title": "Freight note"})
    take_in(source, "torn.pdf", BytesIO(b"%PDF-1.4 torn"))
    process(embed=embed)
    return source


def vault(user: User) -> Document:
    """A document of a source that only one group may see; `user` joins that group."""
    group = Group.objects.create(name="vault")
    user.groups.add(group)
    source = Source.objects.create(name="Vault", kind=Source.Kind.FOLDER)
    source.groups.add(group)
    said = {"title": "Secret freight memo", "company": "Hidden Holdings"}
    document = take_in(
        source, "memo.pdf", pdf([["Freight costs, in secret."]]), pushed=said
    ).document
    process()
    return document


def process(*, embed: bool = False) -> None:
    """Everything that has arrived, through the stages."""
    pipeline.parse_pending(60)
    pipeline.index_pending(60)
    refresh_statistics()
    if embed:
        pipeline.embed_pending(60)
