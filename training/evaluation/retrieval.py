"""How much of the gold evidence search finds, for questions with known pages in a folder.

The folder holds `documents.jsonl` (doc_name), `questions.jsonl` (question, question_type,
evidence: doc_name and evidence_page_num, counted from 0) and the files, which must have been
ingested. Each question goes alone, without a scope, through `qa.retrieval.search` and, as "answer",
through `qa.gathering.gather`: the code that serves pages and API, with every document visible.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
from django.contrib.auth.models import User
from django.db.models import F
from ir_measures import R, Success

from docintel.scoring import CannotScore, Score, bootstrap
from ingestion.models import Chunk, Document
from ingestion.querysets import BODY_FIELDS
from qa.gathering import gather
from qa.passages import Passage
from qa.retrieval import SearchResults, search
from qa.understanding import understand

CUTOFFS = (5, 10, 20, 50)
RETRIEVERS = ("bm25", "dense", "fused", "answer")
HEADLINE_CUTOFF = 10
# Beyond any number of pages that 100 passages can cover.
ALL_PAGES = 100_000
HOW = (
    "Recall@k: the share of a question's evidence pages that the first k passages cover; a passage "
    "covers every page from its first to its last character. Hit@k: whether any is covered. Both "
    "are ir_measures' R and Success over pages, the run of a cutoff being the pages that its "
    "passages cover. Questions about documents that are missing count as 0. Fused is the order "
    "that search serves, without overlapping passages; answer is what an answer is given, its "
    "question understood by its own words."
)

Page = tuple[int, int]  # document id, number from 1


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    labels: dict[str, str]
    evidence: list[tuple[str, int]]  # document name, page from 1


@dataclass(slots=True)
class Found:
    """Pages that each passage covers, best passage first, per retriever."""

    covered: dict[str, list[set[Page]]]
    seconds: float
    notes: list[str] = field(default_factory=list)
    answer_seconds: float = 0.0
    reranker: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="folder with questions.jsonl and its documents")
    parser.add_argument("--depth", type=int, default=50, help="chunks taken from each retriever")
    parser.add_argument("--limit", type=int, help="only the first questions")
    parser.add_argument(
        "--by",
        action="append",
        metavar="FIELD",
        help="also score by this field of a question (question_type always)",
    )


def run(
    folder: Path,
    depth: int = 50,
    limit: int | None = None,
    by: Sequence[str] | None = None,
    **_: Any,
) -> Score:
    """Score a folder of questions; raises CannotScore where nothing of it has been ingested."""
    started = time.perf_counter()
    fields = list(dict.fromkeys(["question_type", *(by or ())]))
    questions = read_questions(folder, fields)[:limit]
    documents = ingested(folder)
    coverage = describe_coverage(folder, documents)
    print(_coverage_lines(coverage), file=sys.stderr)
    if not coverage["indexed"]:
        raise CannotScore(
            f"none of the {coverage['documents']} documents of {folder} is searchable; ingest "
            "them first and wait until they are embedded"
        )
    found = _ask(questions, depth)
    gold = [_gold_pages(question, documents) for question in questions]
    scores = score_each(gold, found)
    detail = {
        "coverage": coverage,
        "overall": _averages(scores, range(len(questions))),
        "right_document@10": _right_document(gold, found),
        "notes": dict(Counter(note for result in found for note in result.notes)),
        "search_ms": _milliseconds([result.seconds for result in found]),
        "answer_ms": _milliseconds([result.answer_seconds for result in found]),
        "reranker": dict(Counter(result.reranker for result in found)),
        "depth": depth,
        "how": HOW,
    }
    for name in fields:
        detail[f"by_{name}"] = _by(name, questions, scores)
    print(_table(detail, fields))
    headline = scores["fused", "recall", HEADLINE_CUTOFF]
    return Score(
        headline=f"fused recall@{HEADLINE_CUTOFF}",
        value=float(np.mean(headline)),
        higher_is_better=True,
        n=len(questions),
        interval=bootstrap(headline),
        seconds=time.perf_counter() - started,
        detail=detail,
    )


def read_questions(folder: Path, fields: Iterable[str] = ("question_type",)) -> list[Question]:
    """The folder's questions that have evidence; pages count from 1 here."""
    path = folder / "questions.jsonl"
    questions = []
    for row in read_rows(path, ("question", "evidence")):
        try:
            evidence = {(at["doc_name"], at["evidence_page_num"] + 1) for at in row["evidence"]}
        except (KeyError, TypeError) as error:
            raise CannotScore(
                f"{path}: evidence needs doc_name and evidence_page_num; "
                f"not so for the question {str(row['question'])[:60]!r}"
            ) from error
        labels = {name: str(row.get(name, "")) for name in fields}
        if evidence:
            questions.append(Question(row["question"], labels, sorted(evidence)))
    if not questions:
        raise CannotScore(f"{path} holds no question with evidence")
    return questions


def read_rows(path: Path, fields: Sequence[str]) -> Iterator[dict[str, Any]]:
    """JSON lines that have these fields; CannotScore names the line that does not."""
    if not path.is_file():
        raise CannotScore(f"{path} does not exist")
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise CannotScore(f"{path}, line {number}: not JSON ({error})") from error
        missing = [name for name in fields if not isinstance(row, dict) or name not in row]
        if missing:
            raise CannotScore(f"{path}, line {number}: without {' and '.join(missing)}")
        yield row


def document_files(folder: Path) -> dict[str, Path | None]:
    """The folder's documents by name, each with its file where there is one."""
    files = {path.stem: path for path in (folder / "pdfs").glob("*") if path.is_file()}
    names = [row["doc_name"] for row in read_rows(folder / "documents.jsonl", ("doc_name",))]
    return {name: files.get(name) for name in names}


def ingested(folder: Path) -> dict[str, Document]:
    """The folder's documents that arrived, by name: same bytes, else the same file name.

    For a duplicate it is the document that holds the text.
    """
    bodies = (f"duplicate_of__{name}" for name in BODY_FIELDS)
    rows = Document.objects.listed().select_related("duplicate_of").defer(*bodies)
    # The last one counts: the earliest of those that are searchable.
    rows = rows.order_by(F("searchable_at").asc(nulls_first=True), "-pk")
    by_digest: dict[str, Document] = {}
    by_name: dict[str, Document] = {}
    for row in rows.iterator(chunk_size=2_000):
        by_digest[row.file_sha256] = row
        by_name[Path(row.file_name).stem] = row
    found = {}
    for name, path in document_files(folder).items():
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path else ""
        arrived = by_digest.get(digest) or by_name.get(name)
        if arrived is not None:
            found[name] = arrived.duplicate_of or arrived
    return found


def describe_coverage(folder: Path, documents: dict[str, Document]) -> dict[str, Any]:
    """How many of the folder's documents are searchable and embedded, and which are not."""
    names = list(document_files(folder))
    states = {name: documents[name].state if name in documents else "missing" for name in names}
    indexed = [name for name in names if states[name] in ("searchable", "embedded")]
    return {
        "documents": len(names),
        "indexed": len(indexed),
        "embedded": sum(states[name] == "embedded" for name in names),
        "not_searchable": {name: states[name] for name in names if name not in indexed},
    }


def score_each(
    gold: Sequence[set[Page]], found: Sequence[Found]
) -> dict[tuple[str, str, int], list[float]]:
    """(retriever, "recall" or "hit", cutoff) to one number per question, in their order."""
    qrels = [
        ir_measures.Qrel(str(number), _name(page), 1)
        for number, pages in enumerate(gold)
        for page in pages
    ]
    measures = {R @ ALL_PAGES: "recall", Success @ ALL_PAGES: "hit"}
    scores = {}
    for retriever in RETRIEVERS:
        for cutoff in CUTOFFS:
            run = [
                ir_measures.ScoredDoc(str(number), _name(page), 1.0)
                for number, result in enumerate(found)
                for page in set().union(*result.covered[retriever][:cutoff])
            ]
            for name in measures.values():
                scores[retriever, name, cutoff] = [0.0] * len(gold)
            for metric in ir_measures.iter_calc(list(measures), qrels, run):
                name = measures[metric.measure]
                scores[retriever, name, cutoff][int(metric.query_id)] = metric.value
    return scores


def _name(page: Page) -> str:
    return f"{page[0]}/{page[1]}"


def _gold_pages(question: Question, documents: dict[str, Document]) -> set[Page]:
    # A missing document keeps its pages in the denominator, under an id that nothing has.
    return {
        (documents[name].pk if name in documents else -1 - number, page)
        for number, (name, page) in enumerate(question.evidence)
    }


def _ask(questions: Sequence[Question], depth: int) -> list[Found]:
    # Never saved: a superuser sees all sources, and this one can sign in nowhere.
    everyone = User(username="evaluation", is_superuser=True)
    found = []
    for number, question in enumerate(questions, start=1):
        results = search(question.text, everyone, limit=10, depth=depth)
        started = time.perf_counter()
        # As many as search gives, to see what reranking leaves beyond the ten that are read.
        evidence = gather(
            understand(question.text, everyone), everyone, tier="synthesis", limit=depth
        )
        taken = time.perf_counter() - started
        covered = _covered(results)
        covered["answer"] = [_pages_of_passage(each.passage) for each in evidence.passages]
        seconds = results.seconds["total"]
        found.append(Found(covered, seconds, results.notes, taken, evidence.reranker))
        if number % 10 == 0:
            print(f"{number} of {len(questions)} questions asked", file=sys.stderr)
    return found


def _covered(results: SearchResults) -> dict[str, list[set[Page]]]:
    halves = {"bm25": results.bm25, "dense": results.dense}
    ids = {hit.chunk_id for hits in halves.values() for hit in hits}
    chunks = Chunk.objects.only("document", "start", "end", "page").in_bulk(ids)
    owners = {chunk.document_id for chunk in chunks.values()}
    documents = Document.objects.only("pages").in_bulk(owners)
    covered = {
        name: [_pages_of_chunk(chunks[hit.chunk_id], documents) for hit in hits]
        for name, hits in halves.items()
    }
    covered["fused"] = [_pages_of_passage(found) for found in results.passages]
    return covered


def _pages_of_passage(found: Passage) -> set[Page]:
    return {(found.document_id, page) for page in range(found.page, found.last_page + 1)}


def _pages_of_chunk(chunk: Chunk, documents: dict[int, Document]) -> set[Page]:
    last = documents[chunk.document_id].page_of(max(chunk.start, chunk.end - 1))
    return {(chunk.document_id, page) for page in range(chunk.page, last + 1)}


def _right_document(gold: Sequence[set[Page]], found: Sequence[Found]) -> dict[str, float]:
    """The share of questions with a passage of an evidence document among the first ten."""
    shares = {}
    for retriever in RETRIEVERS:
        hits = [
            bool(
                {document for document, _ in pages}
                & {document for document, _ in set().union(*result.covered[retriever][:10])}
            )
            for pages, result in zip(gold, found, strict=True)
        ]
        shares[retriever] = float(np.mean(hits))
    return shares


def _averages(
    scores: dict[tuple[str, str, int], list[float]], numbers: Sequence[int]
) -> dict[str, dict[str, float]]:
    table: dict[str, dict[str, float]] = defaultdict(dict)
    for (retriever, name, cutoff), values in scores.items():
        mean = np.mean([values[number] for number in numbers])
        table[retriever][f"{name}@{cutoff}"] = float(mean)
    return dict(table)


def _by(
    name: str, questions: Sequence[Question], scores: dict[tuple[str, str, int], list[float]]
) -> dict[str, Any]:
    groups: dict[str, list[int]] = defaultdict(list)
    for number, question in enumerate(questions):
        groups[question.labels[name]].append(number)
    return {
        label: {"n": len(numbers), **_averages(scores, numbers)}
        for label, numbers in sorted(groups.items())
    }


def _milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.percentile(seconds, [50, 95]) * 1000
    return {"p50": float(p50), "p95": float(p95)}


def _coverage_lines(coverage: dict[str, Any]) -> str:
    total = coverage["documents"]
    missing: dict[str, str] = coverage["not_searchable"]
    indexed, embedded = coverage["indexed"], coverage["embedded"]
    lines = [f"documents indexed {indexed} of {total}, embedded {embedded} of {total}"]
    lines += [f"  not searchable: {name} ({state})" for name, state in missing.items()]
    return "\n".join(lines)


def _table(detail: dict[str, Any], fields: Sequence[str]) -> str:
    columns = [f"recall@{k}" for k in CUTOFFS] + [f"hit@{k}" for k in CUTOFFS]
    lines = [f"{'':34}" + "".join(f"{column:>11}" for column in columns)]
    groups = {"all": detail["overall"]}
    for name in fields:
        groups |= {f"{label or '-'}": row for label, row in detail[f"by_{name}"].items()}
    for label, rows in groups.items():
        for retriever in RETRIEVERS:
            numbers = "".join(f"{rows[retriever][column]:11.3f}" for column in columns)
            lines.append(f"{label[:26]:27}{retriever:7}{numbers}")
    right = ", ".join(f"{name} {share:.3f}" for name, share in detail["right_document@10"].items())
    lines.append(f"right document in the first 10: {right}")
    return "\n".join(lines)
