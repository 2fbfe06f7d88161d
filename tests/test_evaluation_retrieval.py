"""`evaluate retrieval FOLDER --json` scores the serving code on a folder of gold pages."""

from __future__ import annotations

import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from reportlab.pdfgen.canvas import Canvas
from small_corpus import document, unit

import benchmarks.search
from docintel import encoders
from docintel.models import ModelVersion
from ingestion.lexical import refresh_statistics
from ingestion.models import Document
from training.evaluation.retrieval import Found, score_each

pytestmark = pytest.mark.django_db

PAGES = {
    "ACME_2023_10K": ["Acme makes anvils.", "Freight costs doubled in 2023."],
    "BOLT_2023_10K": ["Bolt sells bolts.", "Wages were flat.", "Bolt bought Nut Corp."],
}
QUESTIONS: list[dict[str, Any]] = [
    {
        "question": "How did freight costs develop?",
        "question_type": "trend",
        "company": "Acme",
        "evidence": [{"doc_name": "ACME_2023_10K", "evidence_page_num": 1}],
    },
    {
        "question": "Whom did Bolt buy, and what about wages?",
        "question_type": "event",
        "company": "Bolt",
        "evidence": [
            {"doc_name": "BOLT_2023_10K", "evidence_page_num": 1},
            {"doc_name": "BOLT_2023_10K", "evidence_page_num": 2},
        ],
    },
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of real PDFs with questions about them, of the shape that the command reads."""
    (tmp_path / "pdfs").mkdir()
    for name, pages in PAGES.items():
        canvas = Canvas(str(tmp_path / "pdfs" / f"{name}.pdf"), invariant=True)
        for page in pages:
            canvas.drawString(72, 720, page)
            canvas.showPage()
        canvas.save()
    documents = [{"doc_name": name} for name in PAGES]
    for name, rows in (("documents", documents), ("questions", QUESTIONS)):
        lines = "\n".join(json.dumps(row) for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(lines + "\n")
    return tmp_path


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> ModelVersion:
    """Every question means the second page."""
    row = ModelVersion.objects.create(
        name="embedder", version="axes", digest="0", dimensions=768, state="live"
    )
    monkeypatch.setattr(encoders, "live_embedder", lambda: row)
    monkeypatch.setattr(encoders, "embed", lambda texts, **_: np.array([unit((1, 1))] * len(texts)))
    return row


def ingest(folder: Path, name: str, embedder: ModelVersion, **fields: Any) -> Document:
    data = (folder / "pdfs" / f"{name}.pdf").read_bytes()
    fields = {"file_name": f"{name}.pdf", "file_sha256": hashlib.sha256(data).hexdigest()} | fields
    vectors = [unit((page, 1)) for page in range(len(PAGES[name]))]
    return document(PAGES[name], vectors=vectors, embedder=embedder, **fields)


def evaluate(folder: Path, *options: str) -> tuple[dict[str, Any], str]:
    output = io.StringIO()
    call_command("evaluate", "retrieval", str(folder), "--json", *options, stdout=output)
    return json.loads(output.getvalue().splitlines()[-1]), output.getvalue()


def test_full_coverage_scores_every_half_beside_the_other(
    folder: Path, embedder: ModelVersion
) -> None:
    for name in PAGES:
        ingest(folder, name, embedder)
    refresh_statistics()
    score, _ = evaluate(folder, "--by", "company")
    assert score["headline"] == "fused recall@10"
    assert (score["value"], score["n"], score["higher_is_better"]) == (1.0, 2, True)
    assert score["interval"] == [1.0, 1.0]
    coverage = score["detail"]["coverage"]
    assert coverage == {"documents": 2, "indexed": 2, "embedded": 2, "not_searchable": {}}
    assert set(score["detail"]["overall"]) == {"bm25", "dense", "fused", "answer"}
    assert set(score["detail"]["by_question_type"]) == {"trend", "event"}
    assert score["detail"]["by_company"]["Bolt"]["n"] == 1
    assert score["detail"]["right_document@10"]["fused"] == 1.0
    assert score["seconds"] > 0


def test_missing_documents_are_named_and_count_as_misses(
    folder: Path, embedder: ModelVersion, capsys: pytest.CaptureFixture[str]
) -> None:
    ingest(folder, "ACME_2023_10K", embedder)
    refresh_statistics()
    score, _ = evaluate(folder)
    assert score["value"] == 0.5
    assert score["detail"]["coverage"]["not_searchable"] == {"BOLT_2023_10K": "missing"}
    error = capsys.readouterr().err
    assert "documents indexed 1 of 2, embedded 1 of 2" in error
    assert "BOLT_2023_10K (missing)" in error


def test_a_file_renamed_on_the_way_and_a_duplicate_are_recognised(
    folder: Path, embedder: ModelVersion
) -> None:
    ingest(folder, "ACME_2023_10K", embedder, file_name="renamed.pdf")
    original = ingest(folder, "BOLT_2023_10K", embedder, file_name="x.pdf", file_sha256="other")
    data = (folder / "pdfs" / "BOLT_2023_10K.pdf").read_bytes()
    Document.objects.create(
        source=original.source,
        file_name="again.pdf",
        file_sha256=hashlib.sha256(data).hexdigest(),
        duplicate_of=original,
    )
    refresh_statistics()
    score, _ = evaluate(folder)
    assert score["detail"]["coverage"]["indexed"] == 2
    assert score["value"] == 1.0


def test_nothing_ingested_is_an_error_that_says_what_to_do(folder: Path) -> None:
    with pytest.raises(CommandError, match="ingest them first"):
        evaluate(folder)


def test_a_folder_without_questions_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"questions\.jsonl does not exist"):
        evaluate(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("questions", '{"question": "Why?"}', "questions.jsonl, line 1: without evidence"),
        ("questions", "\nWhy?", "questions.jsonl, line 2: not JSON"),
        ("questions", '{"question": "Why?", "evidence": [{}]}', "needs doc_name and evidence_page"),
        ("documents", '{"name": "A"}', "documents.jsonl, line 1: without doc_name"),
        ("documents", None, "documents.jsonl does not exist"),
    ],
)
def test_what_a_folder_lacks_is_one_line(
    folder: Path, name: str, content: str | None, said: str
) -> None:
    path = folder / f"{name}.jsonl"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(CommandError, match=re.escape(said)) as caught:
        evaluate(folder)
    assert "\n" not in str(caught.value)


def test_recall_counts_pages_and_cutoffs_count_passages() -> None:
    gold = [{(1, 5), (1, 6)}, {(2, 1)}]
    first = [{(1, 1)}] * 5 + [{(1, 4), (1, 5)}] + [{(1, 6)}] * 6
    nothing: list[set[tuple[int, int]]] = []
    found = [
        Found({"bm25": first, "dense": nothing, "fused": first, "answer": nothing}, 0.0),
        Found({"bm25": nothing, "dense": [{(2, 1)}], "fused": [{(2, 2)}], "answer": nothing}, 0.0),
    ]
    scores = score_each(gold, found)
    assert scores["bm25", "recall", 5] == [0, 0]
    assert scores["bm25", "recall", 10] == [1, 0]
    assert scores["bm25", "hit", 10] == [1, 0]
    found[0].covered["bm25"] = first[:6]
    scores = score_each(gold, found)
    assert scores["bm25", "recall", 20] == [0.5, 0]
    assert scores["bm25", "hit", 20] == [1, 0]
    assert scores["dense", "recall", 5] == [0, 1]
    assert scores["fused", "hit", 50] == [1, 0]


def test_bench_search_times_wide_and_narrow(folder: Path, embedder: ModelVersion) -> None:
    for name in PAGES:
        ingest(folder, name, embedder, company=name[:4])
    refresh_statistics()
    for questions in (None, folder / "questions.jsonl"):
        score = benchmarks.search.run(questions=questions, n=4)
        assert score.n == 12
        assert not score.higher_is_better
        times = score.detail["milliseconds"]
        assert set(times) == {"wide", "one_document", "one_company"}
        assert 0 < times["wide"]["total"]["p50"] <= times["wide"]["total"]["p95"]
        assert score.interval is not None
        assert score.interval[0] <= score.value <= score.interval[1]
        assert score.detail["narrow_over_wide_p50"] > 0


def test_bench_ends_its_output_with_one_line_of_json(folder: Path, embedder: ModelVersion) -> None:
    ingest(folder, "ACME_2023_10K", embedder)
    output = io.StringIO()
    call_command("bench", "search", "--n", "2", "--json", stdout=output)
    score = json.loads(output.getvalue().splitlines()[-1])
    assert set(score) == {
        "headline",
        "value",
        "higher_is_better",
        "n",
        "interval",
        "seconds",
        "detail",
    }


def test_bench_without_documents_says_what_to_do() -> None:
    with pytest.raises(CommandError, match="ingest some first"):
        call_command("bench", "search")
