"""How many questions of a folder are answered rightly, refused, or answered wrongly, as served.

The folder holds `questions.jsonl`: question, answer (null: the documents hold none), and perhaps
facts, evidence, question_type or type. Its documents must have been ingested. Each question goes
through `qa.asking.ask`, with every document visible; without a model endpoint answers are extracts.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.db.models import F

from docintel.scoring import CannotScore, Score, bootstrap
from ingestion.models import Document
from qa.answer_tables import AnswerSentence, Ask, Citation
from qa.asking import ask
from qa.checking.quoting import locate
from training.evaluation import drawing_samples
from training.evaluation.judging_answers import holds_gold, share_of_facts
from training.evaluation.keeping_outcomes import KeptOutcomes
from training.evaluation.retrieval import read_rows

OUTCOMES = ("correct", "wrong", "refused", "asked back")
LISTED_READ = 3  # passages of a list that a reader looks at first
HOW = (
    "Correct by rule: every fact of the gold (else its first figure, with rounding and scale; else "
    "seven tenths of its words) stands in the verified sentences; of a list, in its first three "
    "passages. For a question without an answer a refusal is correct. Citation precision: of the "
    "cited pages of answerable questions, those that are evidence."
)
Page = tuple[int, int]  # document id, number from 1


@dataclass(frozen=True, slots=True)
class Question:
    """`answer` is None where the documents hold none; `pages` are its evidence."""

    text: str
    kind: str
    answer: str | None
    facts: tuple[str, ...] = ()
    pages: frozenset[Page] = frozenset()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a question: one of OUTCOMES, the sentences shown, the pages cited."""

    question: Question
    outcome: str
    sentences: tuple[str, ...]
    cited: tuple[Page, ...]
    state: str
    mode: str
    seconds: float
    note: str = ""
    facts: float | None = None
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def is_right(self) -> bool:
        return self.outcome == "correct"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="folder with questions.jsonl")
    parser.add_argument("--limit", type=int, help="only the first questions")
    drawing_samples.add_arguments(parser)
    parser.add_argument(
        "--keep", type=Path, help="file of outcomes: a stopped run goes on where it was"
    )
    parser.add_argument(
        "--show", action="store_true", help="print each question, its answer and the gold"
    )


def run(
    folder: Path,
    limit: int | None = None,
    *,
    sample: int | None = None,
    seed: int = 7,
    keep: Path | None = None,
    show: bool = False,
    **_: Any,
) -> Score:
    """The share of right answers and right refusals. Raises CannotScore where nothing is here."""
    started = time.perf_counter()
    if not Document.objects.searchable().exists():
        raise CannotScore("no document is searchable yet; ingest the folder's documents first")
    questions = drawing_samples.sampled(read_questions(folder)[:limit], sample, seed)
    outcomes = _asked(questions, KeptOutcomes(keep), show=show)
    right = [float(each.is_right) for each in outcomes]
    return Score(
        headline="right answers and right refusals",
        value=float(np.mean(right)),
        higher_is_better=True,
        n=len(right),
        interval=bootstrap(right),
        seconds=time.perf_counter() - started,
        detail={**summed_up(outcomes), "how": HOW},
    )


def _asked(questions: Sequence[Question], kept: KeptOutcomes, *, show: bool) -> list[Outcome]:
    """Each answered, or as an earlier run kept it; tells how far it is on standard error."""
    before = kept.read()
    outcomes: list[Outcome] = []
    for number, question in enumerate(questions, start=1):
        row = before.get(question.text)
        outcome = answer(question) if row is None else _as_kept(question, row)
        if row is None:
            kept.add(_for_keeping(outcome))
        outcomes.append(outcome)
        if show:
            print(_shown(outcome), flush=True)
        counts = Counter(each.outcome for each in outcomes)
        told = ", ".join(f"{counts[name]} {name}" for name in OUTCOMES if counts[name])
        print(f"{number} of {len(questions)} questions: {told}", file=sys.stderr, flush=True)
    return outcomes


def _for_keeping(outcome: Outcome) -> dict[str, Any]:
    """Without the gold, which the folder has."""
    return {**asdict(outcome), "question": outcome.question.text}


def _as_kept(question: Question, row: dict[str, Any]) -> Outcome:
    known = {each.name for each in fields(Outcome)}
    values = {name: value for name, value in row.items() if name in known}
    cited = tuple((int(document), int(page)) for document, page in row["cited"])
    return Outcome(
        **{**values, "question": question, "cited": cited, "sentences": tuple(row["sentences"])}
    )


def read_questions(folder: Path) -> list[Question]:
    """Raises CannotScore for a file that holds no questions with answers."""
    documents = _documents()
    found = []
    for row in read_rows(folder / "questions.jsonl", ("question", "answer")):
        gold = row["answer"]
        found.append(
            Question(
                str(row["question"]),
                str(row.get("question_type") or row.get("type") or ""),
                None if gold is None else str(gold),
                tuple(map(str, row.get("facts") or ())),
                frozenset(_pages(row.get("evidence") or (), documents)),
            )
        )
    if not found:
        raise CannotScore(f"{folder / 'questions.jsonl'} holds no question")
    return found


def answer(question: Question) -> Outcome:
    """Ask it as a person who may see everything would."""
    everyone = User(username="evaluation", is_superuser=True)
    began = time.perf_counter()
    row = ask(question.text, everyone, again=True, compose_anyway=True)
    seconds = time.perf_counter() - began
    kept = row.sentences.filter(state=AnswerSentence.State.KEPT)
    sentences = tuple(kept.values_list("text", flat=True))
    cited = tuple(_cited(row)) if sentences else ()
    said: Sequence[str] = sentences
    if row.state == "lookup":
        said = tuple(_listed(row))
    outcome = judged(question, row.state, said)
    note = str(row.understood.get("nothing", {}).get("why", "")) or row.notice
    facts = share_of_facts(said, question.facts) if question.facts else None
    return Outcome(question, outcome, tuple(said), cited, row.state, row.mode, seconds, note, facts)


def judged(question: Question, state: str, said: Sequence[str]) -> str:
    """One of OUTCOMES."""
    if state == "ask_back":
        return "asked back"
    if state not in ("answered", "lookup") or not said:
        return "correct" if question.answer is None else "refused"
    if question.answer is None:
        return "wrong"
    right = holds_gold(said, question.answer, question.facts, question.text)
    return "correct" if right else "wrong"


def summed_up(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Shares of answerable and of unanswerable questions, by kind and by state."""
    answerable = [each for each in outcomes if each.question.answer is not None]
    others = [each for each in outcomes if each.question.answer is None]
    kinds = sorted({each.question.kind for each in answerable})
    cited = [page in e.question.pages for e in answerable if e.question.pages for page in e.cited]
    facts = [each.facts for each in answerable if each.facts is not None]
    return {
        "answerable": _shares(answerable),
        "unanswerable": {"n": len(others), "right_refusals": _mean([e.is_right for e in others])},
        "by_kind": {k: _shares([e for e in answerable if e.question.kind == k]) for k in kinds},
        "facts_found": _mean(facts),
        "all_facts_found": _mean([each == 1.0 for each in facts]),
        "citation_precision": _mean(cited),
        "cited_an_evidence_page": _mean(
            [
                bool(set(e.cited) & e.question.pages)
                for e in answerable
                if e.question.pages and e.cited
            ]
        ),
        "states": dict(Counter(each.state for each in outcomes)),
        "modes": dict(Counter(each.mode for each in outcomes if each.mode)),
        "seconds": _percentiles([each.seconds for each in outcomes]),
    }


def _shares(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "n": len(outcomes),
        **{name: _mean([each.outcome == name for each in outcomes]) for name in OUTCOMES},
    }


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.percentile(values, [50, 95])
    return {"p50": float(p50), "p95": float(p95)}


def _documents() -> Callable[[str], Document | None]:
    """Finds a document by its file's name, with or without its ending."""
    rows = Document.objects.searchable().only("file_name", "pages", "text_sha256")
    by_name: dict[str, int] = {}
    for row in rows.order_by(F("searchable_at").desc()).iterator(chunk_size=500):
        by_name[Path(row.file_name).name] = by_name[Path(row.file_name).stem] = row.pk

    def find(name: str) -> Document | None:
        pk = by_name.get(Path(name).name) or by_name.get(name)
        return Document.objects.get(pk=pk) if pk else None

    return find


def _pages(
    evidence: Sequence[dict[str, Any]], find: Callable[[str], Document | None]
) -> Iterator[Page]:
    """By number where the gold gives it (from 0), else where the passage stands."""
    for at in evidence:
        document = find(str(at.get("doc_name") or at.get("file") or ""))
        if document is None:
            continue
        if "evidence_page_num" in at:
            yield document.pk, int(at["evidence_page_num"]) + 1
            continue
        place = locate(str(at.get("passage", "")), document.text, 0, len(document.text))
        if place:
            first, last = document.page_of(place[0]), document.page_of(place[1] - 1)
            yield from ((document.pk, page) for page in range(first, last + 1))


def _cited(row: Ask) -> Iterator[Page]:
    """Each cited page once."""
    citations = Citation.objects.filter(
        sentence__ask=row, sentence__state=AnswerSentence.State.KEPT
    ).select_related("document")
    yield from dict.fromkeys((c.document_id, c.document.page_of(c.start)) for c in citations)


def _listed(row: Ask) -> Iterator[str]:
    for shown in row.passages.select_related("document")[:LISTED_READ]:
        yield shown.document.text[shown.start : shown.end]


def _shown(outcome: Outcome) -> str:
    gold = outcome.question.answer
    lines = [
        f"\n{outcome.outcome.upper()} ({outcome.state}, {outcome.seconds:.1f} s)",
        f"  {outcome.question.text}",
        f"  gold: {' '.join(gold.split()) if gold else 'no answer'}",
    ]
    lines += [f"  - {' '.join(each.split())[:300]}" for each in outcome.sentences]
    return "\n".join(lines + ([f"  note: {outcome.note}"] if outcome.note else []))
