"""Whether answers over report tables name the right figure, and compute the right one, as served.

The folder holds TAT-QA's `dev.json` and `test_gold.json`. Each question is understood, and composed
by extracts from all passages of its page, as ingestion made them: what is measured is reading, not
finding. Trap: it takes the pages into the database at hand, which should be one for this.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from django.contrib.auth.models import User

from docintel.scoring import Score, bootstrap
from ingestion.models import Chunk, Document
from qa.checking.quantities import Quantity, folded_quantities, is_rounded
from qa.composing import Composed, Sentence, compose
from qa.offering import Offered, offer
from qa.passages import Passage
from qa.routing import route
from qa.understanding import understand
from training.evaluation import drawing_samples
from training.evaluation.judging_answers import share_of_facts
from training.evaluation.table_questions import PARTS, PageQuestion, read_page_questions

COMPUTED = re.compile(r"^Computed\b")
CONCLUDED = frozenset(
    {"percentage change", "average", "difference", "ratio", "sum", "several steps"}
    | {"comparison", "count"}
)
# Golds are rounded to two places; a figure said with more is compared with that much room.
ROOM = Decimal("0.006")
HOW = (
    "Said: all answers stand in the sentences; of what follows from several figures, its figure "
    "(rounding and scale free) in a computed sentence or in prose. First: in the first sentence. "
    "Wrongly computed: a sentence was computed and none of the computed has the figure. Operands: "
    "all figures of its derivation stand in the sentences."
)


@dataclass(frozen=True, slots=True)
class Read:
    """What came of a question."""

    question: PageQuestion
    sentences: tuple[str, ...]
    said: bool
    first: bool
    operands: bool
    computed: bool
    wrongly_computed: bool
    seconds: float

    @property
    def refused(self) -> bool:
        return not self.sentences


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="folder of TAT-QA")
    parser.add_argument("--part", choices=sorted(PARTS), default="develop")
    drawing_samples.add_arguments(parser)
    parser.add_argument("--show", action="store_true", help="print each question and its answer")


def run(
    folder: Path,
    part: str = "develop",
    *,
    sample: int | None = None,
    seed: int = 7,
    show: bool = False,
    **_: Any,
) -> Score:
    """The share of questions whose answer is said. Raises CannotScore."""
    started = time.perf_counter()
    questions = drawing_samples.sampled(read_page_questions(folder, part), sample, seed)
    reads = []
    for number, question in enumerate(questions, start=1):
        reads.append(read_answer(question))
        if show:
            print(_shown(reads[-1]), flush=True)
        if number % 50 == 0:
            print(f"{number} of {len(questions)} questions", file=sys.stderr, flush=True)
    said = [float(each.said) for each in reads]
    return Score(
        headline="answers that are said",
        value=float(np.mean(said)),
        higher_is_better=True,
        n=len(said),
        interval=bootstrap(said),
        seconds=time.perf_counter() - started,
        detail={**summed_up(reads), "how": HOW},
    )


def read_answer(question: PageQuestion) -> Read:
    """Composed by extracts from the page's passages in their order."""
    everyone = User(username="evaluation", is_superuser=True)
    offered = _offered(question.document_id, everyone)
    began = time.perf_counter()
    understanding = understand(question.text, everyone)
    # A look-up lists passages; here it is answered too.
    tier = "synthesis" if route(question.text).tier == "synthesis" else "factual"
    composed = compose(question.text, understanding, offered, route=tier)
    return _judged(question, composed, time.perf_counter() - began)


def _offered(document: int, user: User) -> list[Offered]:
    pages = Document.objects.get(pk=document)
    passages = [
        Passage(
            chunk.pk, document, chunk.start, chunk.end, chunk.page, pages.page_of(chunk.end - 1),
            chunk.section, chunk.text, 1.0, statement=chunk.statement,
        )
        for chunk in Chunk.objects.filter(document=document).order_by("ordinal")
    ]  # fmt: skip
    return offer(passages, user)


def _judged(question: PageQuestion, composed: Composed, seconds: float) -> Read:
    sentences = composed.sentences
    computed = [each for each in sentences if COMPUTED.match(each.text)]
    right = [_says(question, [each]) for each in computed]
    return Read(
        question,
        tuple(each.text for each in sentences),
        _says(question, sentences),
        _says(question, sentences[:1]),
        _has_operands(question.operands, sentences),
        bool(computed),
        bool(computed) and not any(right),
        seconds,
    )


def _says(question: PageQuestion, sentences: Sequence[Sentence]) -> bool:
    texts = [each.text for each in sentences]
    if question.kind in CONCLUDED:
        # A year or figure of a row concludes nothing.
        texts = [text for text in texts if COMPUTED.match(text) or " | " not in text]
    if question.figure is None:
        return bool(texts) and share_of_facts(texts, question.answers) == 1.0
    held = [quantity for text in texts for quantity in folded_quantities(text)]
    return any(_same(question.figure, each, percent=question.percent) for each in held)


def _same(gold: Decimal, said: Quantity, *, percent: bool) -> bool:
    """But for the sign, which words tell, and for the scale, which heads of tables tell."""
    said_percent = said.unit in ("percent", "points")
    if said_percent and not percent:
        # A ratio of 0.95 is 95 %.
        return is_rounded(said, abs(gold) * 100) or abs(abs(said.amount) - abs(gold) * 100) < ROOM
    # Rates of a table whose cells have no sign are plain figures.
    powers = (0, 3, 6, 9) if not percent else (0,)
    return any(
        abs(abs(said.amount) - each) <= ROOM * each / (abs(gold) or 1) or is_rounded(said, each)
        for each in (abs(gold).scaleb(power) for power in powers)
    )


def _has_operands(operands: Sequence[str], sentences: Sequence[Sentence]) -> bool:
    held = {figure for each in sentences for figure in re.findall(r"\d[\d,.]*\d|\d", each.text)}
    return bool(operands) and all(each in held for each in operands if each not in _PARTS)


# Divisors and factors of a derivation are on no page.
_PARTS = frozenset({"1", "2", "3", "4", "5", "100"})


def summed_up(reads: Sequence[Read]) -> dict[str, Any]:
    """Shares of all, and of each kind of question."""
    by_kind: dict[str, list[Read]] = defaultdict(list)
    for each in reads:
        by_kind[each.question.kind].append(each)
    return {
        **_shares(reads),
        "by_kind": {kind: _shares(rows) for kind, rows in sorted(by_kind.items())},
        "kinds": dict(Counter(each.question.kind for each in reads)),
    }


def _shares(reads: Sequence[Read]) -> dict[str, Any]:
    names = ("said", "first", "operands", "computed", "wrongly_computed", "refused")
    shares = {name: round(float(np.mean([getattr(r, name) for r in reads])), 4) for name in names}
    seconds = np.percentile([each.seconds for each in reads], [50, 95])
    mean = float(np.mean([len(each.sentences) for each in reads]))
    return {
        "n": len(reads), **shares, "sentences": round(mean, 2),
        "seconds": [round(float(each), 3) for each in seconds],
    }  # fmt: skip


def _shown(read: Read) -> str:
    question = read.question
    marks = [
        name for name in ("said", "first", "operands", "wrongly_computed") if getattr(read, name)
    ]
    lines = [f"\n{question.kind.upper()} ({', '.join(marks) or 'lost'}) {question.uid}"]
    lines += [f"  {question.text}", f"  gold: {'; '.join(question.answers)} of {question.operands}"]
    return "\n".join(lines + [f"  - {' '.join(each.split())[:300]}" for each in read.sentences])
