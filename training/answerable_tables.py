"""Questions of people about real report tables, asked of made-up companies, to fit "not found".

TAT-QA (Zhu et al., 2021, CC BY 4.0) has tables and paragraphs of annual reports without the names
of their companies, and what people asked of them. Several of these pages make one company here; a
question about another company's page is a near miss, if its words stand nowhere together.
Trap: `take_in_pages` fills the database at hand, which should have no other documents.
"""

from __future__ import annotations

import html
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from docintel.scoring import CannotScore
from ingestion import pipeline
from ingestion.lexical import refresh_statistics
from ingestion.models import Document, Source
from ingestion.receiving import take_in
from training.answerable_questions import Made, is_held_out, shortened, stand_together

FILES = ("dev.json", "test_gold.json")
SOURCE = "TAT-QA"
PAGES_EACH = 9  # of one company
ASKED_EACH = 16
MISSES_EACH = 10
MOST_TRIES = 200
SEED = 5
# What is asked of a page that lies before one, and of no library of documents.
_OF_A_PAGE = re.compile(r"\b(?:tables?|columns?|(?:which|how many) (?:fiscal )?years?)\b", re.I)
_BEGIN = (  # noqa: SIM905
    "Bral Corm Dun Fenn Gar Hald Ister Jorm Kell Lorn Merr Nev Ost Pell Quarr Ruth Sten Tarr Ulv "
    "Ver Wex Yarr Zell Ambl Birn Cray Drax Esk Frid Gost"
).split()
_END = "mere worth vane ton dale wick ford stead by holm".split()  # noqa: SIM905
_TRADE = (  # noqa: SIM905
    "Systems Industries Group Networks Foods Energy Holdings Therapeutics Logistics Materials"
).split()
# They frame a question and are in every page.
_FRAME = frozenset(
    "what which were does from company between total average amount change percentage value ended "  # noqa: SIM905
    "december year years respective table many much have with that each million".split()
)


@dataclass(frozen=True, slots=True)
class _Page:
    """A table with its paragraphs; `year` is the last one that it names."""

    company: str
    year: int
    markup: str
    text: str
    questions: tuple[str, ...]


def take_in_pages(folder: Path) -> int:
    """The pages as annual reports, a document per company and year, processed; their number.

    Does nothing where they are there already. Raises CannotScore.
    """
    pages = _pages(folder)
    source, created = Source.objects.get_or_create(name=SOURCE, kind=Source.Kind.FOLDER)
    if created:
        together: dict[tuple[str, int], list[str]] = defaultdict(list)
        for page in pages:
            together[page.company, page.year].append(page.markup)
        for (company, year), markup in together.items():
            title = f"{company} annual report for fiscal {year}"
            body = f"<html><head><title>{title}</title></head><body>{''.join(markup)}</body></html>"
            pushed = {
                "title": title, "company": company, "kind": Document.Kind.ANNUAL_REPORT,
                "fiscal_year": year, "published_on": f"{year + 1}-02-20",
            }  # fmt: skip
            take_in(source, f"{company}_{year}.html", BytesIO(body.encode()), pushed=pushed)
    for stage in (pipeline.parse_pending, pipeline.index_pending):
        while stage(60):
            pass
    refresh_statistics()
    while pipeline.embed_pending(60):
        pass
    return Document.objects.filter(source=source).count()


def made_of_tables(folder: Path) -> list[Made]:
    """Their questions, and near misses, in an order of their own. Raises CannotScore."""
    draw = random.Random(SEED)  # noqa: S311  no secret
    by_company: dict[str, list[_Page]] = defaultdict(list)
    for page in _pages(folder):
        by_company[page.company].append(page)
    found = [row for company in sorted(by_company) for row in _asked(company, by_company, draw)]
    found = list({row.text: row for row in found}.values())
    draw.shuffle(found)
    return found


def _asked(company: str, by_company: dict[str, list[_Page]], draw: random.Random) -> Iterator[Made]:
    name, own = shortened(company), by_company[company]
    texts = [page.text.lower() for page in own]
    questions = [question for page in own for question in page.questions]
    for question in draw.sample(questions, min(ASKED_EACH, len(questions))):
        text = with_company(question, name, draw)
        yield Made(text, True, "answerable", company, is_held_out(company), False)
    others = sorted(other for other in by_company if other != company)
    missed = 0
    for _ in range(MOST_TRIES):
        page = draw.choice(by_company[draw.choice(others)])
        question = draw.choice(page.questions or ("",))
        stems = _stems(question)
        if missed < MISSES_EACH and stems and not any(stand_together(stems, t) for t in texts):
            missed += 1
            text = with_company(question, name, draw)
            yield Made(text, False, "another's page", company, is_held_out(company), False)


def _stems(question: str) -> list[str]:
    words = set(re.findall(r"[a-z]{4,}", question.lower())) - _FRAME
    return [word[: max(4, len(word) - 2)] for word in sorted(words, key=lambda w: (len(w), w))]


def with_company(question: str, company: str, draw: random.Random) -> str:
    """The question with the company's name, which these questions lack."""
    text = re.sub(r"\bthe company\b", company, question.strip(), flags=re.I)
    way = draw.random()
    if company in text:
        return text
    if way < 0.4 and text.endswith("?"):
        return f"{text[:-1]} at {company}?"
    small = text[0].lower() + text[1:] if text[1:2].islower() else text
    return f"For {company}: {small}" if way < 0.7 else f"{company}: {text}"


def _pages(folder: Path) -> list[_Page]:
    draw = random.Random(SEED)  # noqa: S311  no secret
    try:
        read = [page for name in FILES for page in json.loads((folder / name).read_text("utf-8"))]
    except (OSError, ValueError) as error:
        raise CannotScore(f"no TAT-QA in {folder}: {error}") from error
    names = [begin + end for begin in _BEGIN for end in _END]
    draw.shuffle(names)
    draw.shuffle(read)
    companies = [f"{name} {draw.choice(_TRADE)}" for name in names]
    return [_page(companies[number // PAGES_EACH], raw) for number, raw in enumerate(read)]


def _page(company: str, raw: dict[str, Any]) -> _Page:
    text = text_of(raw)
    return _Page(
        company,
        newest_year(text),
        markup_of(raw),
        text,
        tuple(
            row["question"] for row in raw["questions"] if not _OF_A_PAGE.search(row["question"])
        ),
    )


def text_of(raw: Mapping[str, Any]) -> str:
    """All that a page of TAT-QA says: the cells of its table, then its paragraphs."""
    return " ".join([*(str(cell) for row in raw["table"]["table"] for cell in row), *_said(raw)])


def newest_year(text: str) -> int:
    """The last year that a page names."""
    found = map(int, re.findall(r"\b20[01]\d\b|\b2020\b", text))
    return max(found, default=2019)


def markup_of(raw: Mapping[str, Any]) -> str:
    """A page of TAT-QA as HTML: its table behind the first paragraph."""
    said = [f"<p>{html.escape(each)}</p>" for each in _said(raw)]
    return "".join([*said[:1], _table(raw["table"]["table"]), *said[1:]])


def _said(raw: Mapping[str, Any]) -> list[str]:
    return [p["text"] for p in sorted(raw["paragraphs"], key=lambda p: int(p["order"]))]


def _table(rows: Sequence[Sequence[str]]) -> str:
    cells = ("".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) for row in rows)
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"
