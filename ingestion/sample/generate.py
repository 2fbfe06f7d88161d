"""Writes the sample corpus to a folder: documents, odd files, sources, expectations, questions."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingestion.sample.amendment import amended_report
from ingestion.sample.blocks import Doc
from ingestion.sample.companies import HERE, load_companies
from ingestion.sample.oddities import write_oddities
from ingestion.sample.questions import build_questions
from ingestion.sample.render_docx import render_docx
from ingestion.sample.render_html import render_html
from ingestion.sample.render_pdf import render_pdf
from ingestion.sample.render_text import render_markdown, render_text
from ingestion.sample.write_calls import CallWriter
from ingestion.sample.write_filings import FilingWriter
from ingestion.sample.write_releases import ReleaseWriter
from ingestion.sample.write_stories import read_stories, story_doc

RENDERERS = {
    "pdf": render_pdf,
    "html": render_html,
    "docx": render_docx,
    "txt": render_text,
    "md": render_markdown,
}
SOURCES: tuple[dict[str, Any], ...] = (
    {"folder": "filings", "name": "Regulatory filings", "kind_default": "current_report",
     "credibility": 1.0, "groups": []},
    {"folder": "announcements", "name": "Company announcements", "kind_default": "announcement",
     "credibility": 0.9, "groups": []},
    {"folder": "calls", "name": "Earnings call transcripts", "kind_default": "earnings_call",
     "credibility": 0.9, "groups": []},
    {"folder": "research", "name": "Broker research", "kind_default": "research_note",
     "credibility": 0.7, "groups": []},
    {"folder": "newswire", "name": "Newswire", "kind_default": "news",
     "credibility": 0.6, "groups": []},
    {"folder": "restricted-research", "name": "Restricted research",
     "kind_default": "research_note", "credibility": 0.7, "groups": ["expert"]},
)  # fmt: skip


@dataclass(frozen=True)
class CorpusSummary:
    """What was written: sound documents by kind and format, odd files, questions."""

    documents: int
    odd_files: int
    kinds: dict[str, int]
    formats: dict[str, int]
    questions: int


def build_docs() -> list[Doc]:
    """Every sound document, in a fixed order; those of Averline's 2023 as first reported."""
    docs: list[Doc] = []
    for company in load_companies().values():
        docs += [
            FilingWriter(company, period, as_first_reported(company.key, period)).doc()
            for period in company.raw["f"]
        ]
        docs += [
            CallWriter(company, period, as_first_reported(company.key, period)).doc()
            for period in company.raw["c"]
        ]
        for year in ("2023", "2024"):
            original = as_first_reported(company.key, f"{year}Q4")
            docs.append(ReleaseWriter(company, year, original).doc())
    docs.append(amended_report())
    docs += [story_doc(story) for story in read_stories()]
    return docs


def as_first_reported(key: str, period: str) -> bool:
    """Whether a document of this period was written before its figures were restated."""
    overstated = load_companies()[key].raw["model"].get("overstated", {})
    return any(period in {q, q.replace("Q4", "FY")} for q in overstated)


def render(doc: Doc) -> bytes:
    """The bytes of a document in the format of its file name."""
    return RENDERERS[doc.file.rsplit(".", 1)[1]](doc)


def write_corpus(out: Path) -> CorpusSummary:
    """Write everything below ``out`` (made if missing); same code, same bytes."""
    docs = build_docs()
    rendered = {doc.file: render(doc) for doc in docs}
    for name, data in rendered.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    expected = write_oddities(out, rendered)
    questions = build_questions(docs)
    _write_json(out / "sources.json", list(SOURCES))
    _write_json(out / "expected.json", expected)
    _write_json(out / "manifest.json", [_entry(doc) for doc in docs])
    (out / "questions.jsonl").write_text(as_lines(questions), encoding="utf-8")
    return CorpusSummary(
        documents=len(docs),
        odd_files=len(expected),
        kinds=dict(Counter(doc.kind for doc in docs)),
        formats=dict(Counter(doc.file.rsplit(".", 1)[1] for doc in docs)),
        questions=len(questions),
    )


def as_lines(questions: list[dict[str, Any]]) -> str:
    """Questions as JSON lines."""
    return "".join(json.dumps(q, ensure_ascii=False) + "\n" for q in questions)


def questions_file() -> Path:
    """The committed copy of the questions."""
    return HERE / "questions.jsonl"


def _entry(doc: Doc) -> dict[str, str]:
    """The true metadata of a document, against which parsing can be checked."""
    return {
        "file": doc.file,
        "kind": doc.kind,
        "title": doc.title,
        "company": doc.company,
        "period": doc.period,
        "date": doc.day.isoformat(),
    }


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
