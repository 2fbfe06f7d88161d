"""Questions on report passages with their evidence, from sets whose licence lets a model ship.

TAT-QA (Zhu et al. 2021, CC BY 4.0) and ConvFinQA (Chen et al. 2022, MIT) bring questions with the
rows and sentences that answer them; filings in HTML give questions by their own line items and
headings. All are cut and headed as indexing does it. Evaluation questions are never read.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from tokenizers import Tokenizer

from ingestion import chunking, metadata
from ingestion.company_tables import Company
from ingestion.models import Document
from ingestion.parsing import ParserFailed, Unreadable, isolation
from ingestion.passage_headers import leading
from qa.passages import Passage
from qa.ranking.ranking_features import content_words
from training.answerable_questions import is_held_out, shortened
from training.learning.ranker_questions import grade, mine
from training.learning.rewording import Rewording

# Fictional names in front of passages whose sets name no company.
_FIRST = (
    *("Norvane", "Calder", "Meridale", "Ostrand", "Pellworth", "Varrick", "Quorne", "Hallam"),
    *("Silvane", "Truscott", "Ember Lake", "Fenwick", "Garrow", "Ironhill", "Juniper"),
)
_LAST = ("Industries", "Group", "Inc.", "Holdings", "Systems", "plc", "Foods", "Technologies")
_TOPICS = ("Notes to Consolidated Financial Statements", "Management’s Discussion and Analysis", "")
_YEAR = re.compile(r"\b((?:19|20)\d\d)\b")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
# Of a conversation, a turn that leans on the one before is no question by itself.
_LEANING = re.compile(
    r"^(?:and|so|then|also|what about|how about|but)\b|\b(?:it|that|this|these|those|they|same)\b"
    r"|^what (?:was|is|were) (?:the )?(?:total|change|difference|sum|percent\w*)?(?: in \d+)?\W*$",
    re.IGNORECASE,
)
FEWEST_WORDS = 2
SEEDS = 14


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage as it is indexed: `header` ends with a newline or is empty."""

    header: str
    text: str


@dataclass(frozen=True, slots=True)
class Example:
    """A question; `best` and `lesser` index pieces that answer it, `beside` may answer it too.

    `who` and `when` are what a reader would name besides; `report` is what is split by.
    """

    text: str
    source: str
    report: str
    best: frozenset[int]
    lesser: frozenset[int] = frozenset()
    beside: frozenset[int] = frozenset()
    who: str = ""
    when: str = ""


@dataclass(slots=True)
class Library:
    """All pieces of all reports, and the questions on them."""

    pieces: list[Piece] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)

    def add(self, pieces: Iterable[Piece]) -> range:
        first = len(self.pieces)
        self.pieces += pieces
        return range(first, len(self.pieces))


def read_tatqa(library: Library, folder: Path, tokenizer: Tokenizer) -> None:
    """Every question of `dev.json` and `test_gold.json` of the folder."""
    for name in ("dev.json", "test_gold.json"):
        for number, context in enumerate(json.loads((folder / name).read_text(encoding="utf-8"))):
            paragraphs = [row["text"] for row in sorted(context["paragraphs"], key=_order)]
            rows = [" | ".join(" ".join(c.split()) for c in r) for r in context["table"]["table"]]
            # Neighbours are of one report, so ten of them share a name and stay together.
            report = f"tatqa {name} {number // 10}"
            placed = _placed(library, report, paragraphs, rows, tokenizer)
            orders = [row["order"] for row in sorted(context["paragraphs"], key=_order)]
            for question in context["questions"]:
                marks = _tatqa_marks(question, placed, orders)
                _add(library, question["question"], ("tatqa", report), placed, marks)


def read_convfinqa(library: Library, folder: Path, tokenizer: Tokenizer) -> None:
    """Those turns of `dev.json` that are questions by themselves, by their gold text and rows."""
    pages: dict[str, _Placed] = {}
    for row in json.loads((folder / "dev.json").read_text(encoding="utf-8")):
        page = str(row["id"]).split("_", 1)[1].rsplit("-", 1)[0]
        report = f"convfinqa {page.split('/')[0]}"
        if page not in pages:
            rows = [line.strip() for line in row["table"].splitlines() if line.strip()]
            sentences = re.split(r"(?<= \.)\s+", row["text"])
            paragraphs = [" ".join(sentences[at : at + 4]) for at in range(0, len(sentences), 4)]
            pages[page] = _placed(library, report, paragraphs, rows, tokenizer)
        gold = [line for line in row["golden_table"].splitlines()[1:] if line.strip()]
        gold += [part for part in re.split(r"(?<= \.)\s+", row["golden_text"]) if part.strip()]
        marks = [span for line in gold for span in pages[page].find(line)]
        for number, question in enumerate(row["questions"]):
            if number and _LEANING.search(question):
                continue
            _add(library, question, ("convfinqa", report), pages[page], marks)


def read_filings(library: Library, paths: Sequence[Path], tokenizer: Tokenizer) -> None:
    """Questions mined from annual and quarterly reports in HTML; unreadable ones are left out.

    So are those of companies about which the gate asks.
    """
    read = [d for n, path in enumerate(paths, start=1) if (d := _document(n, path))]
    documents = [d for d in read if d.company and not is_held_out(shortened(d.company.name))]
    places: dict[int, tuple[range, list[Passage]]] = {}
    for document in documents:
        made = _pieces_of(document, tokenizer)
        places[document.pk] = (library.add(p for p, _ in made), [found for _, found in made])
    known: set[str] = set()
    rewording = Rewording(document.text for document in documents)
    for seed in range(SEEDS):
        for mined in mine(documents, rewording, seed):
            if mined.text in known:
                continue
            known.add(mined.text)
            grades = {
                at: found
                for other in documents
                for at, passage in zip(*places[other.pk], strict=True)
                if (found := grade(mined, passage, other))
            }
            most = max(grades.values(), default=0)
            best = frozenset(at for at, found in grades.items() if found == most)
            if 0 < len(best) <= 4:
                lesser = frozenset(grades) - best
                report = f"filing {mined.company}"
                library.examples.append(Example(mined.text, mined.sort, report, best, lesser))


def _document(number: int, path: Path) -> Document | None:
    try:
        parsed = isolation.parse(
            path, path.name, seconds=settings.PARSE_SECONDS, memory_mb=settings.PARSE_MEMORY_MB,
            max_characters=settings.MAX_TEXT_CHARACTERS,
        )  # fmt: skip
    except (Unreadable, ParserFailed):
        return None
    found = metadata.describe(parsed, path.name, {}, "other")
    if found.kind not in ("annual_report", "quarterly_report") or not found.fiscal_year:
        return None
    company = Company(name=found.company_name or path.stem, ticker=found.ticker or "")
    company.pk = int.from_bytes(metadata.company_key(company.name).encode()[:6], "big")
    document = Document(
        kind=found.kind, fiscal_year=found.fiscal_year, fiscal_quarter=found.fiscal_quarter,
        text=parsed.text, pages=parsed.pages, sections=parsed.sections, tables=parsed.tables,
        text_sha256=str(number), company=company,
    )  # fmt: skip
    document.pk = number
    return document


def _pieces_of(document: Document, tokenizer: Tokenizer) -> list[tuple[Piece, Passage]]:
    assert document.company is not None
    lead = leading(document.company.name, str(document.get_kind_display()), document.period)
    made = []
    cut = chunking.chunk(
        document.text, document.pages, document.sections, tokenizer,
        tables=document.tables, lead=lead,
    )  # fmt: skip
    for number, piece in enumerate(cut):
        text = document.text[piece.start : piece.end]
        passage = Passage(
            number, document.pk, piece.start, piece.end, 1, 1, piece.section, text, 0.0,
            statement=piece.statement,
        )  # fmt: skip
        made.append((Piece(piece.header, text), passage))
    return made


@dataclass(frozen=True, slots=True)
class _Placed:
    """A context of a set as text: where its paragraphs and rows are, and its pieces."""

    text: str
    paragraphs: list[tuple[int, int]]
    rows: list[tuple[int, int]]
    pieces: list[tuple[int, int, int]]  # start, end, number in the library
    who: str
    when: str

    def find(self, words: str) -> Iterator[tuple[int, int]]:
        wanted = " ".join(words.split())[:60]
        at = " ".join(self.text.split(" ")).find(wanted)
        if at >= 0:
            yield at, at + len(wanted)


def _placed(
    library: Library, report: str, paragraphs: Sequence[str], rows: Sequence[str],
    tokenizer: Tokenizer,
) -> _Placed:  # fmt: skip
    chance = random.Random(report)  # noqa: S311
    text, spans, lines = "", [], []
    for paragraph in paragraphs:
        body = " ".join(paragraph.split())
        spans.append((len(text), len(text) + len(body)))
        text += body + "\n\n"
    first = len(text)
    for row in rows:
        lines.append((len(text), len(text) + len(row)))
        text += row + "\n"
    years = [int(year) for year in _YEAR.findall(" ".join(rows[:3]) or text)]
    year = str(max((y for y in years if y < 2031), default=2018))
    who = f"{chance.choice(_FIRST)} {chance.choice(_LAST)}"
    table = {
        "start": first, "end": len(text), "caption": "", "scale": "",
        "heads": rows[0].strip(" |") if rows else "", "rows": lines[1:],
    }  # fmt: skip
    topic = random.Random(f"{report} {first}").choice(_TOPICS)  # noqa: S311
    sections = [{"title": topic, "level": 1, "start": 0}] if topic else []
    lead = leading(who, "Annual report", f"FY{year}")
    cut = chunking.chunk(text, [0], sections, tokenizer, tables=[table] if rows else [], lead=lead)
    numbers = library.add(Piece(piece.header, text[piece.start : piece.end]) for piece in cut)
    pieces = [(p.start, p.end, n) for p, n in zip(cut, numbers, strict=True)]
    return _Placed(text, spans, lines, pieces, who, f"FY{year}")


def _tatqa_marks(
    question: dict[str, Any], placed: _Placed, orders: Sequence[int]
) -> list[tuple[int, int]]:
    """Spans of the text that hold the answer: rows with its figures, paragraphs that it names."""
    marks = []
    origin = question["answer_from"]
    if "text" in origin:
        wanted = {int(order) for order in question["rel_paragraphs"]}
        marks += [s for s, order in zip(placed.paragraphs, orders, strict=True) if order in wanted]
    if "table" in origin:
        marks = marks if origin == "table-text" and question["answer_type"] == "span" else []
        answer = question["answer"]
        said = " ".join(map(str, answer)) if isinstance(answer, list) else ""
        figures = {_digits(n) for n in _NUMBER.findall(f"{question['derivation']} {said}")}
        figures = {figure for figure in figures if len(figure) > 1 and not _YEAR.fullmatch(figure)}
        for start, end in placed.rows:
            row = placed.text[start:end]
            cells = {_digits(n) for n in _NUMBER.findall(row)}
            named = content_words(row.split(" | ")[0])
            asked = content_words(question["question"] + " " + said)
            if cells & figures and (not named or named & asked):
                marks.append((start, end))
    return marks


def _add(
    library: Library,
    text: str,
    origin: tuple[str, str],
    placed: _Placed,
    marks: Sequence[tuple[int, int]],
) -> None:
    """One question of an origin (source, report) on a context, where its marks are in a piece."""
    source, report = origin
    if len(content_words(text)) < FEWEST_WORDS or not marks:
        return
    best = frozenset(
        number
        for start, end, number in placed.pieces
        if any(start < upto and since < end for since, upto in marks)
    )
    others = frozenset(number for _, _, number in placed.pieces) - best
    if best:
        library.examples.append(
            Example(text, source, report, best, beside=others, who=placed.who, when=placed.when)
        )


def _digits(figure: str) -> str:
    return figure.replace(",", "")


def _order(row: dict[str, Any]) -> int:
    return int(row["order"])
