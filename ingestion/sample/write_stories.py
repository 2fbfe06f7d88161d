"""Writes the hand-written one-off documents: current reports, announcements, notes and news."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import Any

from ingestion.sample.blocks import Block, Bullets, Chart, Doc, Heading, Para, Row, Table
from ingestion.sample.companies import HERE, QUARTERS, Company, load_companies, long_date
from ingestion.sample.figures import fill, margin
from ingestion.sample.model import model_of
from ingestion.sample.statements import quarters_table

# Notes signed by a person name the house second.
PEOPLE = ("Dana", "Ruth", "Teodor", "Simone", "Craig", "Priya", "Owen")
KINDS = {
    "newswire": "news",
    "research": "research_note",
    "restricted-research": "research_note",
    "announcements": "announcement",
    "filings": "current_report",
}


def read_stories() -> list[dict[str, Any]]:
    """All stories of the TOML files in ``stories/``, in file order."""
    found: list[dict[str, Any]] = []
    for path in sorted((HERE / "stories").glob("*.toml")):
        found += tomllib.loads(path.read_text(encoding="utf-8"))["story"]
    return found


def story_doc(story: dict[str, Any]) -> Doc:
    """One story as a document, with the head that its kind carries."""
    company = load_companies()[story["company"]]
    folder = story["file"].split("/")[0]
    kind = story.get("kind") or KINDS[folder]
    heads = {"current_report": _report_head, "research_note": _note_head}
    head = heads.get(kind, _plain_head)(company, story)
    tail = _report_tail(company) if kind == "current_report" else _note_tail(kind, story)
    looks = {"research_note": "note", "current_report": "filing", "news": "news"}
    return Doc(
        file=story["file"],
        kind=kind,
        title=story["title"],
        company=company.name,
        period=story["period"],
        day=story["date"],
        blocks=(*head, *body_blocks(story["body"], company, story["period"]), *tail),
        running=_running(kind, company, story),
        look=looks.get(kind, "announcement"),
    )


def _running(kind: str, company: Company, story: dict[str, Any]) -> str:
    """The running head of a PDF."""
    if kind == "research_note":
        house = story["author"].split(", ")[story["author"].startswith(PEOPLE)]
        return f"{house}  |  {story.get('covers') or f'{company.short} ({company.ticker})'}"
    return f"{company.name}  |  Form 8-K" if kind == "current_report" else company.name


def _plain_head(_company: Company, story: dict[str, Any]) -> list[Block]:
    """News and press releases open with their headline; the dateline is in the text."""
    return [Heading(story["title"])]


def _report_head(company: Company, story: dict[str, Any]) -> list[Block]:
    """The first lines of a current report."""
    day: date = story["date"]
    return [
        Para("FORM 8-K", "cover-form"),
        Para("CURRENT REPORT PURSUANT TO SECTION 13 OR 15(d)", "cover"),
        Para(f"Date of report: {long_date(day)}", "cover"),
        Para(company.name, "cover-name"),
        Para(f"{company.raw['hq']}  -  {company.raw['exchange']}: {company.ticker}", "cover"),
        Heading(story["title"], 2),
    ]


def _report_tail(company: Company) -> list[Block]:
    """The signature of a current report."""
    text = (
        "Pursuant to the requirements of the Securities Exchange Act of 1934, the registrant has "
        f"duly caused this report to be signed. {company.name}, by its Corporate Secretary."
    )
    return [Heading("Signature", 3), Para(text)]


def _note_head(company: Company, story: dict[str, Any]) -> list[Block]:
    """Masthead of a research note: title, author, rating and target."""
    covers = story.get("covers") or f"{company.name} ({company.ticker})"
    rows = (
        Row("Coverage", (covers,)),
        Row("Sector", (story.get("sector") or company.sector,)),
        Row("Rating", (story["rating"],)),
        Row("Price target", (story["target"],)),
        Row("Published", (long_date(story["date"]),)),
    )
    return [
        Heading(story["title"]),
        Para(f"{story['author']}  -  Equity Research  -  {long_date(story['date'])}", "small"),
        Table("At a glance", ("", ""), rows),
    ]


def _note_tail(kind: str, story: dict[str, Any]) -> list[Block]:
    """Disclosures at the end of a research note."""
    if kind != "research_note":
        return []
    company = load_companies()[story["company"]]
    restricted = story["file"].startswith("restricted")
    history: list[Block] = []
    if not restricted and "covers" not in story and "@quarters" not in story["body"]:
        history = [Heading("Reported results", 2), quarters_table(company, "2023")]
    text = (
        "Analyst certification: the views above are those of the author, whose pay does not depend "
        "on them. The firm may hold positions in the securities discussed. Past performance is no "
        "guide to the future."
    )
    if restricted:
        text += " Distribution is limited to named recipients."
    return [*history, Para(text, "small")]


def body_blocks(body: str, company: Company, period: str) -> list[Block]:
    """Parse the small markup of a story: paragraphs, ``## ``, ``- ``, ``> ``, ``@`` directives."""
    blocks: list[Block] = []
    bullets: list[str] = []
    lines = iter(body.strip().splitlines())
    for line in lines:
        if not line.startswith("- ") and bullets:
            blocks.append(Bullets(tuple(bullets)))
            bullets = []
        if line.startswith("- "):
            bullets.append(fill(line[2:], company.key, period))
        elif line.startswith("## "):
            blocks.append(Heading(line[3:], 2))
        elif line.startswith("> "):
            blocks.append(Para(line[2:], "small"))
        elif line.startswith("@table "):
            rows = []
            while (row := next(lines)) != "@end":
                rows.append(row)
            blocks.append(_body_table(line[7:], rows, company, period))
        elif line.startswith("@"):
            blocks.append(_directive(line[1:].split()))
        elif line.strip():
            blocks.append(Para(fill(line, company.key, period)))
    return [*blocks, Bullets(tuple(bullets))] if bullets else blocks


def _body_table(head: str, rows: list[str], company: Company, period: str) -> Table:
    """A table written out in a story, cells separated by bars."""
    caption, *columns = (part.strip() for part in head.split("|"))
    cells = [[fill(c.strip(), company.key, period) for c in row.split("|")] for row in rows]
    return Table(caption, tuple(columns), tuple(Row(c[0], tuple(c[1:])) for c in cells))


def _directive(words: list[str]) -> Block:
    """``chart gm|rev|inv KEY FROM TO`` or ``quarters KEY YEAR``."""
    company = load_companies()[words[1] if words[0] == "quarters" else words[2]]
    if words[0] == "quarters":
        return quarters_table(company, words[2])
    span = QUARTERS[QUARTERS.index(words[3]) : QUARTERS.index(words[4]) + 1]
    parts = [model_of(company.key).of(q) for q in span]
    values = {
        "gm": tuple(margin(p.gross, p.revenue) for p in parts),
        "rev": tuple(p.revenue / 10 for p in parts),
        "inv": tuple(p.inv / 10 for p in parts),
    }[words[1]]
    names = {
        "gm": "gross margin, %",
        "rev": "net sales, $ million",
        "inv": "inventories, $ million",
    }
    labels = tuple(f"{q[4:]} {q[:4]}" for q in span)
    return Chart(f"{company.short}: {names[words[1]]}", labels, values, words[1])
