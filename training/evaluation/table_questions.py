"""TAT-QA's questions on report tables and text, each of one page, told apart by what they ask.

TAT-QA (Zhu et al. 2021, CC BY 4.0): `dev.json` is for development, `test_gold.json` is kept for a
last score. Each page is taken in as an annual report of a made-up company that its questions name.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

from docintel.scoring import CannotScore
from ingestion import pipeline
from ingestion.lexical import refresh_statistics
from ingestion.models import Document, Source
from ingestion.receiving import take_in
from training.answerable_tables import markup_of, newest_year, text_of, with_company

PARTS = {"develop": "dev.json", "unseen": "test_gold.json"}
SEED = 11
_FIGURE = r"\(?-?[$€£]?\s?\d[\d,]*(?:\.\d+)?%?\)?"
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
# What a derivation does, by its form; the first that fits.
_OPERATIONS = (
    ("percentage change", rf"\(?\(?{_FIGURE}-\(?{_FIGURE}\)?\)?/{_FIGURE}|{_FIGURE}/{_FIGURE}-1"),
    ("average", rf"[\[(]?{_FIGURE}(?:\+{_FIGURE})+[\])]?/[2-9]"),
    ("difference", rf"{_FIGURE}-{_FIGURE}"),
    ("ratio", rf"{_FIGURE}/{_FIGURE}"),
    ("sum", rf"{_FIGURE}(?:\+{_FIGURE})+"),
)


@dataclass(frozen=True, slots=True)
class PageQuestion:
    """`answers` must all be said; `figure` is the gold of a computed one, in percent if `percent`.

    `kind` is an operation, or look-up, several figures, comparison, count, text. `operands` are the
    figures of its derivation as the page writes them.
    """

    uid: str
    text: str
    kind: str
    document_id: int
    answers: tuple[str, ...]
    figure: Decimal | None = None
    percent: bool = False
    operands: tuple[str, ...] = ()


def read_page_questions(folder: Path, part: str) -> list[PageQuestion]:
    """All of a part; its pages are taken in, indexed and embedded where they are not yet.

    Raises CannotScore where the files are not there.
    """
    pages = _pages(folder, part)
    source, _ = Source.objects.get_or_create(name=f"TAT-QA {part}", kind=Source.Kind.FOLDER)
    held = set(Document.objects.filter(source=source).values_list("file_name", flat=True))
    for number, page in enumerate(pages):
        if _file_name(number) not in held:
            _take_in(source, number, page)
    for stage in (pipeline.parse_pending, pipeline.index_pending):
        while stage(60):
            pass
    refresh_statistics()
    for stage in (pipeline.embed_pending, pipeline.units_pending):
        while stage(60):
            pass
    found = Document.objects.filter(source=source).searchable()
    documents = dict(found.values_list("file_name", "pk"))
    draw = random.Random(SEED)  # noqa: S311  no secret
    return [
        question
        for number, page in enumerate(pages)
        if (pk := documents.get(_file_name(number))) is not None
        for question in _questions(page, pk, _company(number), draw)
    ]


def _pages(folder: Path, part: str) -> list[dict[str, Any]]:
    path = folder / PARTS[part]
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CannotScore(f"no TAT-QA in {folder}: {error}") from error
    return rows


def _take_in(source: Source, number: int, page: Mapping[str, Any]) -> None:
    company, year = _company(number), newest_year(text_of(page))
    title = f"{company} annual report for fiscal {year}"
    body = f"<html><head><title>{title}</title></head><body>{markup_of(page)}</body></html>"
    pushed = {
        "title": title, "company": company, "kind": Document.Kind.ANNUAL_REPORT,
        "fiscal_year": year, "published_on": f"{year + 1}-02-20",
    }  # fmt: skip
    take_in(source, _file_name(number), BytesIO(body.encode()), pushed=pushed)


def _company(number: int) -> str:
    """A name that is no word, another for each page."""
    begin = ("Bral", "Corm", "Dunv", "Fenn", "Garl", "Hald", "Jorm", "Kell", "Lorn", "Merr")
    middle = ("amer", "evor", "idan", "ostr", "ulth", "ynes", "arre")
    end = ("worth", "vane", "ton", "dale", "wick", "stead")
    first, rest = begin[number % 10], number // 10
    return f"{first}{middle[rest % 7]}{end[rest // 7 % 6]} Industries"


def _file_name(number: int) -> str:
    return f"page_{number:03}.html"


def _questions(
    page: Mapping[str, Any], document: int, company: str, draw: random.Random
) -> Iterator[PageQuestion]:
    for row in page["questions"]:
        text = with_company(row["question"], company.split(maxsplit=1)[0], draw)
        given = row["answer"] if isinstance(row["answer"], list) else [row["answer"]]
        computed = row["answer_type"] == "arithmetic"
        figure = Decimal(str(given[0])) if computed else None
        operands = tuple(_NUMBER.findall(str(row["derivation"]))) if computed else ()
        answers = tuple(" ".join(str(each).split()) for each in given)
        yield PageQuestion(
            str(row["uid"]), text, _kind(row), document, answers, figure,
            row["scale"] == "percent", operands,
        )  # fmt: skip


def _kind(row: Mapping[str, Any]) -> str:
    if row["answer_type"] == "arithmetic":
        derivation = re.sub(r"\*100$", "", re.sub(r"\s", "", str(row["derivation"])))
        if re.fullmatch(r"\(.*\)/?", derivation) and derivation.count("(") > 1:
            derivation = derivation[1:-1]
        form = next((n for n, p in _OPERATIONS if re.fullmatch(p, derivation)), "")
        return form or "several steps"
    if row["answer_type"] == "count":
        return "count"
    if row["req_comparison"]:
        return "comparison"
    if not any(re.search(r"\d", str(each)) for each in row["answer"]):
        return "text"
    return "look-up" if row["answer_type"] == "span" else "several figures"
