"""The sample corpus is deterministic, adds up, and its gold passages stand in the files."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import docx
import pypdfium2
import pytest
from lxml import html

from ingestion.sample.companies import QUARTERS, load_companies
from ingestion.sample.generate import CorpusSummary, questions_file, write_corpus
from ingestion.sample.model import model_of


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CorpusSummary]:
    """The corpus, written once for all tests of this module."""
    out = tmp_path_factory.mktemp("corpus")
    return out, write_corpus(out)


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def read_questions(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file by relative name."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def extract(path: Path) -> str:
    """The text of a file as an ordinary reader extracts it, white space collapsed."""
    if path.suffix == ".pdf":
        pdf = pypdfium2.PdfDocument(path)
        text = "\n".join(page.get_textpage().get_text_range() for page in pdf)
    elif path.suffix == ".html":
        body = html.fromstring(path.read_bytes()).find("body")
        text = " ".join(str(part) for part in body.itertext()) if body is not None else ""
    elif path.suffix == ".docx":
        word = docx.Document(str(path))
        parts = [p.text for p in word.paragraphs]
        parts += [" ".join(c.text for c in row.cells) for t in word.tables for row in t.rows]
        text = "\n".join(parts)
    else:
        text = path.read_bytes().decode("utf-8")
    return collapse(text)


def collapse(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def test_two_runs_write_the_same_bytes(corpus: tuple[Path, CorpusSummary], tmp_path: Path) -> None:
    write_corpus(tmp_path)
    assert digests(tmp_path) == digests(corpus[0])


def test_generator_needs_no_django() -> None:
    code = "import sys, ingestion.sample.generate; print('django' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_corpus_is_broad_enough(corpus: tuple[Path, CorpusSummary]) -> None:
    summary = corpus[1]
    companies = load_companies().values()
    assert summary.documents >= 150
    assert len(companies) >= 12
    assert len({c.sector for c in companies}) == 4
    assert set(summary.formats) == {"pdf", "html", "docx", "txt", "md"}
    assert all(count >= 8 for count in summary.formats.values())
    least = {
        "annual_report": 24, "quarterly_report": 36, "earnings_call": 30, "current_report": 8,
        "announcement": 20, "research_note": 15, "news": 18,
    }  # fmt: skip
    assert {kind: n for kind, n in least.items() if summary.kinds.get(kind, 0) < n} == {}


def test_statements_add_up() -> None:
    for key in load_companies():
        for original in (False, True):
            model = model_of(key, original)
            # Figures as first reported end with the year that was restated.
            for earlier, later in pairwise(QUARTERS[:8] if original else QUARTERS):
                before, now = model.of(earlier), model.of(later)
                assert now.assets == now.liabilities + now.equity, (key, later)
                assert now.cash - before.cash == now.cfo + now.cfi + now.cff, (key, later)
                assert now.revenue - now.cogs - now.opex - now.interest - now.tax == now.net
                assert now.ppe == before.ppe + now.capex - now.dep
            for year in ("2022", "2023", "2024"):
                quarters = [model.of(f"{year}Q{n}") for n in (1, 2, 3, 4)]
                whole = model.of(f"{year}FY")
                assert whole.revenue == sum(q.revenue for q in quarters)
                assert whole.net == sum(q.net for q in quarters)
                assert whole.cash == quarters[-1].cash


def test_every_document_has_text_and_names_its_company(
    corpus: tuple[Path, CorpusSummary],
) -> None:
    out = corpus[0]
    for entry in read_json(out / "manifest.json"):
        text = extract(out / entry["file"])
        short = entry["company"].split(",")[0].split(" ")[0]
        assert len(text) > 400, entry["file"]
        assert short.lower() in text.lower(), entry["file"]


def test_annual_reports_are_long(corpus: tuple[Path, CorpusSummary]) -> None:
    reports = sorted((corpus[0] / "filings").glob("*10K*.pdf"))
    pages = {path.name: len(pypdfium2.PdfDocument(path)) for path in reports}
    assert {name: n for name, n in pages.items() if not 8 <= n <= 16} == {}


def test_inline_xbrl_carries_dei_facts(corpus: tuple[Path, CorpusSummary]) -> None:
    page = (corpus[0] / "filings" / "VANTELIS_FY2024_10K.html").read_text(encoding="utf-8")
    facts = dict(re.findall(r'name="(dei:\w+)">([^<]*)<', page))
    assert facts["dei:DocumentType"] == "10-K"
    assert facts["dei:EntityRegistrantName"] == "Vantelis Systems, Inc."
    assert facts["dei:DocumentPeriodEndDate"] == "2024-12-31"
    assert facts["dei:DocumentFiscalYearFocus"] == "2024"
    assert 'name="us-gaap:Revenues"' in page


def test_questions_file_is_up_to_date(corpus: tuple[Path, CorpusSummary]) -> None:
    made = (corpus[0] / "questions.jsonl").read_text(encoding="utf-8")
    assert made == questions_file().read_text(encoding="utf-8")


def test_questions_are_enough_and_well_formed() -> None:
    questions = read_questions(questions_file())
    answerable = [q for q in questions if q["answer"] is not None]
    assert (len(answerable), len(questions) - len(answerable)) == (60, 30)
    assert len({q["id"] for q in questions}) == len({q["question"] for q in questions}) == 90
    assert set(Counter(q["type"] for q in answerable)) == {"lookup", "factual", "synthesis"}
    for question in answerable:
        assert question["evidence"]
        assert question["facts"]
        assert question["companies"]
        for fact in question["facts"]:
            assert fact in question["answer"], question["id"]
    for question in questions:
        if question["answer"] is None:
            assert question["facts"] == []
            assert question["evidence"] == []


def test_gold_passages_stand_verbatim_in_the_files(corpus: tuple[Path, CorpusSummary]) -> None:
    missing: list[tuple[str, str, str]] = []
    texts: dict[str, str] = {}
    for question in read_questions(questions_file()):
        for item in question["evidence"]:
            file = item["file"]
            texts.setdefault(file, extract(corpus[0] / file))
            if collapse(item["passage"]) not in texts[file]:
                missing.append((question["id"], file, item["passage"]))
    assert missing == []


def test_gold_facts_stand_in_the_evidence_of_lookups() -> None:
    for question in read_questions(questions_file()):
        if question["type"] == "lookup" and question["answer"] is not None:
            passages = " ".join(item["passage"] for item in question["evidence"])
            for fact in question["facts"]:
                assert fact in passages, (question["id"], fact)


def test_every_odd_file_is_listed_and_behaves_as_listed(
    corpus: tuple[Path, CorpusSummary],
) -> None:
    out = corpus[0]
    expected = read_json(out / "expected.json")
    known = {entry["file"] for entry in read_json(out / "manifest.json")}
    documents = {str(p.relative_to(out)) for p in out.glob("*/*") if p.is_file()}
    assert documents - known == {item["file"] for item in expected}
    for item in expected:
        path = out / item["file"]
        if item["expect"] == "quarantined":
            assert not readable(path), item
            continue
        how, original = item["expect"].split(": ")
        assert original in known
        same = extract(path) == extract(out / original)
        assert same is (how == "duplicate_of"), item


def readable(path: Path) -> bool:
    """Whether any text can be extracted from the file."""
    try:
        return bool(extract(path))
    except pypdfium2.PdfiumError:
        return False


def test_restatement_moves_revenue_and_receivables_but_no_cash() -> None:
    reported, restated = model_of("averline", True).of("2023FY"), model_of("averline").of("2023FY")
    assert reported.revenue - restated.revenue == 86
    assert reported.recv - restated.recv == 86
    assert reported.cash == restated.cash
    assert model_of("averline", True).of("2022FY") == model_of("averline").of("2022FY")
