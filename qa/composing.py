"""An answer of verified sentences: drafted by a language model, or taken word for word.

A model that is too small to write may choose which of the documents' sentences comes first.

Each sentence is released by `on_sentence` as soon as it is verified, and never taken back. Trap:
call it outside a transaction; a model call refuses to run in one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from django.conf import settings

from qa import choosing_lines, llm
from qa.answer_tables import Ask
from qa.asked import Asked
from qa.checking.quoting import fold
from qa.evidence_scores import Scores, scores_of
from qa.extractive.comparing_segments import compared
from qa.extractive.computing_ratios import computed
from qa.extractive.deriving_figures import derived
from qa.extractive.extracting_answers import SPARES, Extract, extract, put_first
from qa.extractive.stating_items import stated
from qa.offering import Offered, known_names
from qa.reading_objects import ObjectReader
from qa.shaping_replies import sentences
from qa.verifying import Cited, Drafted, Dropped, Lost, Source, Verified, verify

MOST_SENTENCES = 24
MOST_CHARACTERS = 24_000
MOST_SILENT_CHARACTERS = 6_000
MOST_REPEATS = 3
LEAST_PASSAGES = 2
MOST_PASSAGES = 10  # for a model
EXTRACTIVE = "extractive"
MODEL = "model"
CHOSEN = "chosen"
CUT_SHORT = "The answer was cut short: "
UNVERIFIED = "The model's sentences could not be verified."
UNWRITTEN = "The model wrote no sentence that can be read."
INSTEAD = "; these are the documents' own sentences."
UNCHOSEN = "The model did not say which sentence answers best."


@dataclass(frozen=True, slots=True)
class Sentence:
    """A verified sentence; `ordinal` counts all drafted ones from 1, so it may skip numbers."""

    ordinal: int
    text: str
    citations: tuple[Cited, ...]
    group: str = ""
    lost: tuple[Lost, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A drafted sentence that nobody saw, for review."""

    ordinal: int
    text: str
    reason: str
    lost: tuple[Lost, ...] = ()


class Judged(NamedTuple):
    """Whether a model, which may say that nothing answers, and extracts, which never do, are to
    answer from these passages."""

    by_model: bool = True
    by_extracts: bool = True


@dataclass(slots=True)
class Composed:
    """`mode` is model, chosen (extractive, a model chose what comes first) or extractive; `notice`
    tells the reader why it is not another.

    `by_model` counts the sentences that a model drafted; those of them that failed stay in
    `dropped` where the extractive answer stands in. `refused`: the passages were judged not to
    answer while the model was being asked.
    """

    sentences: list[Sentence] = field(default_factory=list)
    dropped: list[Refused] = field(default_factory=list)
    mode: str = EXTRACTIVE
    notice: str = ""
    cancelled: bool = False
    refused: bool = False
    scores: Scores = field(default_factory=Scores)
    passages_used: int = 0
    by_model: int = 0

    @property
    def found(self) -> bool:
        return bool(self.sentences)


def compose(
    question: str,
    understanding: Asked | None,
    offered: Sequence[Offered],
    *,
    route: str,
    on_sentence: Callable[[Sentence], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
    ask: Ask | None = None,
    judged: Callable[[], Judged] = Judged,
) -> Composed:
    """The answer; with nothing verified it is empty, and `found` is False.

    Never raises for what a model or its server does: the extractive answer stands in, with a
    notice, also where nothing that the model wrote verifies, if `judged` lets it. `judged` is
    called once a model has been asked, whose first words take longer. A cancelled answer keeps what
    was released.
    """
    answer = _Answer(offered, on_sentence)
    why = ""
    if llm.plays(llm.WRITES, route) and route != "lookup" and offered:
        why = _model_failed(answer, question, understanding, route, cancelled, ask, judged)
        if not why:
            return answer.composed
        answer.begin_anew()
    if judged().by_extracts:
        why = _by_extraction(answer, question, understanding, route, cancelled, ask) or why
    if why:
        said = why.removesuffix(".") + INSTEAD if answer.composed.found else why
        answer.composed.notice = " ".join(filter(None, [answer.composed.notice, said]))
    return answer.composed


def _model_failed(  # noqa: PLR0917
    answer: _Answer,
    question: str,
    understanding: Asked | None,
    route: str,
    cancelled: Callable[[], bool],
    ask: Ask | None,
    judged: Callable[[], Judged],
) -> str:
    """Why nothing that a model wrote can be shown, for the reader; empty where something can, or
    nobody waits any more."""
    composed = answer.composed
    try:
        _by_model(answer, question, understanding, route, cancelled, ask, judged)
    except llm.Cancelled:
        composed.cancelled = not composed.refused
        return ""
    except llm.Unavailable as error:
        if not composed.sentences:
            return error.reason
        composed.notice = CUT_SHORT + error.reason
        return ""
    finally:
        composed.by_model = answer.drafted
    if composed.sentences:
        return ""
    if cancelled():
        composed.cancelled = True
        return ""
    return UNVERIFIED if composed.dropped else UNWRITTEN


class _Answer:
    """Takes drafts, releases what verifies, keeps the rest for review."""

    def __init__(self, offered: Sequence[Offered], on_sentence: Callable[[Sentence], None]) -> None:
        self.offered = list(offered)
        self.composed = Composed()
        self.repeats = 0
        self._on_sentence = on_sentence
        self._seen: set[str] = set()
        self.drafted = 0
        self._known = known_names()

    def begin_anew(self) -> None:
        """What was dropped may be said again, by somebody who cites it rightly."""
        self.repeats = 0
        self._seen.clear()

    def take(self, drafted: Drafted, sources: Mapping[str, Source], group: str = "") -> bool:
        """Whether it is shown."""
        key = fold(drafted.text[:1_000]).casefold()
        if key in self._seen:
            self.repeats += 1
            return False
        self.repeats = 0
        self._seen.add(key)
        self.drafted += 1
        outcome = verify(drafted, sources, known_names=self._known)
        if isinstance(outcome, Dropped):
            refused = Refused(self.drafted, outcome.text, outcome.reason, outcome.lost)
            self.composed.dropped.append(refused)
            return False
        self._release(outcome, group)
        return True

    def _release(self, outcome: Verified, group: str) -> None:
        sentence = Sentence(self.drafted, outcome.text, outcome.citations, group, outcome.lost)
        self.composed.sentences.append(sentence)
        self._on_sentence(sentence)

    @property
    def is_full(self) -> bool:
        return self.drafted >= MOST_SENTENCES or self.repeats >= MOST_REPEATS


def _by_model(  # noqa: PLR0917
    answer: _Answer,
    question: str,
    understanding: Asked | None,
    route: str,
    cancelled: Callable[[], bool],
    ask: Ask | None,
    judged: Callable[[], Judged],
) -> None:
    model = llm.model_for(route)
    system = llm.prompt(prompt_name(understanding, route))
    offered = answer.offered[:MOST_PASSAGES]
    used = _affordable(question, offered, system, model)
    sources = {each.reference: each.source for each in used}
    message = write_message(question, _in_order(used, understanding))
    answer.composed.passages_used = len(used)
    reader, total, silent = ObjectReader(), 0, 0

    def meanwhile() -> None:
        if not judged().by_model:
            answer.composed.refused = True
            raise llm.Cancelled("the passages were judged to hold no answer")

    pieces = llm.stream(system, message, model, ask=ask, cancelled=cancelled, meanwhile=meanwhile)
    with closing(pieces):  # type: ignore[type-var]
        for piece in pieces:
            total, silent = total + len(piece), silent + len(piece)
            for drafted in reader.feed(piece):
                silent = 0
                answer.take(drafted, sources)
                if answer.is_full:
                    break
            if answer.is_full or total > MOST_CHARACTERS or silent > MOST_SILENT_CHARACTERS:
                break
    answer.composed.mode = MODEL
    if len(used) < len(offered):
        answer.composed.notice = (
            f"Only the best {len(used)} of {len(offered)} passages were read, "
            "to keep within the question's budget."
        )


def prompt_name(understanding: Asked | None, route: str) -> str:
    """The prompt of `qa/prompts` for this question."""
    if llm.plays(llm.CHOOSES, route):
        return choosing_lines.PROMPT
    if understanding is not None and understanding.comparison and len(understanding.companies) != 1:
        return "comparison"
    if understanding is not None and understanding.temporal:
        return "temporal"
    return "factual" if route == "factual" else "synthesis"


def _affordable(
    question: str,
    offered: Sequence[Offered],
    system: llm.Prompt,
    model: llm.Model,
) -> list[Offered]:
    """As many of the best passages as the budget of one question pays for.

    Raises `llm.Unavailable` where it would pay for fewer than two.
    """
    used = list(offered)
    budget = Decimal(settings.LLM_DOLLARS_PER_QUESTION)
    while used:
        characters = len(system.text) + len(write_message(question, used))
        if llm.most_cost(model, characters, sentences()) <= budget:
            break
        used.pop()
    if len(used) < min(LEAST_PASSAGES, len(offered)):
        raise llm.Unavailable("The question would cost more than its budget.")
    return used


def _in_order(used: Sequence[Offered], understanding: Asked | None) -> list[Offered]:
    """By date for a question over time, by company for a comparison, else best first."""
    if understanding is not None and understanding.temporal:
        return sorted(used, key=lambda each: str(each.published_on or ""))
    if understanding is not None and understanding.comparison:
        return sorted(used, key=lambda each: each.source.header.company)
    return list(used)


def write_message(question: str, offered: Sequence[Offered]) -> str:
    """The question and the passages, each between lines that no passage can have guessed."""
    mark = secrets.token_hex(8)
    parts = [f"Question: {' '.join(question.split())}", ""]
    for each in offered:
        text = each.source.text[each.source.start : each.source.end]
        parts += [f"<<{mark} {each.reference} | {each.heading}>>", text, f"<<{mark} end>>", ""]
    return "\n".join(parts)


def _by_rows(answer: _Answer, question: str, understanding: Asked | None) -> None:
    """What is asked for where it is computed or stated from rows."""
    for drafts in (computed, compared, derived, stated):
        for each in drafts(question, understanding, answer.offered):
            operands = {passage.reference: passage.source for passage in each.offered}
            answer.take(each.drafted, operands)
        if answer.composed.sentences:
            return


def _by_extraction(  # noqa: PLR0917
    answer: _Answer,
    question: str,
    understanding: Asked | None,
    route: str,
    cancelled: Callable[[], bool],
    ask: Ask | None,
) -> str:
    """Why a model that was asked to choose did not; what follows from rows needs no choice."""
    composed = answer.composed
    composed.mode, composed.notice = EXTRACTIVE, ""
    composed.passages_used = len(answer.offered)
    sources = {each.reference: each.source for each in answer.offered}
    _by_rows(answer, question, understanding)
    chooses = llm.plays(llm.CHOOSES, route) and not composed.sentences and route != "lookup"
    spares = choosing_lines.MOST_LINES if chooses else SPARES
    extracts = extract(question, understanding, answer.offered, route=route, spares=spares)
    composed.scores = scores_of(answer.offered, understanding, extracts)
    wanted = len(composed.sentences) + sum(not each.spare for each in extracts)
    chosen, why = None, ""
    if chooses:
        try:
            chosen, why = _choice(question, extracts, route, cancelled, ask)
        except llm.Cancelled:
            composed.cancelled = True
            return ""
    for one in put_first(chosen, extracts) if chosen else extracts:
        if cancelled():
            composed.cancelled = True
            return ""
        if not one.spare or len(composed.sentences) < wanted:
            is_shown = answer.take(one.drafted, sources, one.group)
            if is_shown and chosen is not None and one.ranked is chosen.ranked:
                composed.mode = CHOSEN
    return why


def _choice(
    question: str,
    extracts: Sequence[Extract],
    route: str,
    cancelled: Callable[[], bool],
    ask: Ask | None,
) -> tuple[Extract | None, str]:
    """The sentence that a model chooses to stand first, where that is open; else None, and why.

    Raises `llm.Cancelled`.
    """
    if not choosing_lines.is_open(extracts):
        return None, ""
    model = llm.model_for(route)
    try:
        chosen = choosing_lines.choose(question, extracts, model, ask=ask, cancelled=cancelled)
    except llm.Unavailable as error:
        return None, error.reason
    return chosen, UNCHOSEN if chosen is None else ""
