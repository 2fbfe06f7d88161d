"""One question to one recorded answer: understood, routed, searched, composed, verified, kept.

`ask` is the verb behind the page, the stream, the API and the benchmark. Trap: call it outside a
transaction; a model call refuses to run in one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from functools import cache
from typing import Any

from django.utils import timezone

from docintel import measuring
from docintel.remembering import read_once
from ingestion.querysets import Scope, User
from qa import caching, experimenting, llm
from qa.answer_tables import Ask, ShownPassage
from qa.answerable import Verdict, is_surely_absent, judge
from qa.citing import Citer, kept_sentences, sentence_data, shown_passages
from qa.composing import EXTRACTIVE, MODEL, Composed, Judged, Sentence, compose
from qa.evidence import Evidence
from qa.feedback import note_follow_up
from qa.finding_nothing import describe, scope_in_words
from qa.gathering import gather
from qa.keeping_to_companies import Kept, keep_to_companies
from qa.noting_interest import note_interest
from qa.numbering import Numbers
from qa.offering import Offered, offer
from qa.passages import Passage
from qa.ranking.scoring_chunks import embed_early
from qa.recording_answers import record
from qa.retrieval import MOST_CHARACTERS, BadQuery
from qa.routing import route as route_of
from qa.understanding import Understanding, understand

log = logging.getLogger(__name__)
PASSAGES = 10
# Extracts are taken from more than a model is paid to read; see docs/results.md.
OFFERED = 24
# Beyond those, what takes the place of passages that may not answer.
LOOKED_AT = 30
NOTHING_VERIFIED = "No sentence could be verified against the passages."
OnEvent = Callable[[str, dict[str, Any]], None]
WRONG = "Something went wrong while answering; it has been logged. Ask again in a moment."


class Stopped(Exception):
    """The asker cancelled between two steps."""


def ask(
    question: str,
    user: User,
    *,
    scope: Scope = Scope(),  # noqa: B008  frozen
    as_of: date | None = None,
    removed: Collection[str] = (),
    again: bool = False,
    compose_anyway: bool = False,
    on_event: OnEvent = lambda _name, _data: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Ask:
    """The answer's row, finished, with everything recorded.

    `again` bypasses answers given before; `compose_anyway` the experiment that shows passages only.
    `on_event` hears, in this order: `understood`, `route`, `searching`, `found`, `sentence` for
    each verified sentence, `passages`, `notice`, `done`. Raises BadQuery for a question that cannot
    be asked, before anything is recorded, or whose search takes too long. Any other error closes
    the row as failed and is raised.
    """
    text = checked(question)
    row = Ask.objects.create(asker=_person(user), text=text, scope=stored_scope(scope))
    turn = _Turn(row, user, on_event, cancelled, again=again, compose_anyway=compose_anyway)
    with read_once(), measuring.written_together():
        try:
            turn.run(scope, as_of, removed)
        except Stopped:
            turn.close(Ask.State.CANCELLED)
        except BaseException as error:
            turn.close(Ask.State.FAILED, str(error) if isinstance(error, BadQuery) else WRONG)
            raise
    return row


def checked(question: str) -> str:
    """The question as it is asked. Raises BadQuery with a message for the asker."""
    text = question.replace("\0", " ").encode("utf-8", "replace").decode("utf-8").strip()
    if not any(character.isalnum() for character in text):
        raise BadQuery("Type a question in words.")
    if len(text) > MOST_CHARACTERS:
        raise BadQuery(
            f"The question has {len(text):,} characters; at most {MOST_CHARACTERS:,} can be asked."
        )
    return text


def stored_scope(scope: Scope) -> dict[str, Any]:
    """What of the scope confines anything, as JSON."""
    return {
        name: value.isoformat() if isinstance(value, date) else list(value)
        for name, value in asdict(scope).items()
        if value
    }


def _person(user: User) -> Any:
    # Evaluations ask as somebody who is no row.
    return user if user.is_authenticated and user.pk else None


class _Turn(measuring.Timed):
    """One ask on its way; `seconds` per stage go into the receipt."""

    def __init__(
        self, row: Ask, user: User, on_event: OnEvent, cancelled: Callable[[], bool], *,
        again: bool, compose_anyway: bool,
    ) -> None:  # fmt: skip
        self.row = row
        self.user = user
        self.cancelled = cancelled
        self.again = again
        self.compose_anyway = compose_anyway
        self.key: caching.Key | None = None
        self.seconds: dict[str, float] = {}
        self.began = time.perf_counter()
        self.citer = Citer(user)
        self._on_event = on_event

    def say(self, event: str, **data: Any) -> None:
        self._on_event(event, data)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times a step, and begins none for an asker who went away."""
        if self.cancelled():
            raise Stopped
        with self.timed(name):
            yield

    def run(self, scope: Scope, as_of: date | None, removed: Collection[str]) -> None:
        row = self.row
        embed_early(row.text)
        with self.stage("understand"):
            understanding = understand(
                row.text, self.user, as_of=as_of, removed=removed, scope=scope
            )
        row.understood = understanding.as_stored(removed, as_of)
        note_follow_up(row)
        note_interest(understanding, self.user)
        self.say("understood", id=str(row.public_id), question=row.text, **row.understood)
        if understanding.ambiguous:
            self.close(Ask.State.ASK_BACK)
            return
        with self.stage("route"):
            route = route_of(row.text)
        row.route, row.confidence = route.tier, round(float(route.confidence), 4)
        self.say("route", tier=row.route, confidence=row.confidence)
        arm = experimenting.expose(row, self.user, compose_anyway=self.compose_anyway)
        if arm != experimenting.PASSAGES and self._repeats(understanding):
            return
        searched = scope_in_words(understanding, self.user)
        self.say("searching", searched=searched)
        with self.stage("search"):
            evidence = gather(
                understanding, self.user, tier=row.route, limit=LOOKED_AT, cancelled=self.cancelled
            )
        if evidence.cancelled:
            raise Stopped
        kept = keep_to_companies(understanding, evidence.passages, OFFERED)
        passages = self._found(evidence, kept, searched)
        with self.stage("offer"):
            offered = offer(kept.passages, self.user)
        judging = self._judging(understanding, offered, followed=evidence.followed)
        # A model that writes is told to say nothing where the passages do not answer, and takes a
        # while to begin: it is asked first, unless what was asked about is not here at all.
        listed = row.route == "lookup" or arm == experimenting.PASSAGES
        asks_writer = not listed and llm.plays(llm.WRITES, row.route)
        if asks_writer and not is_surely_absent(understanding, offered, self.user):
            self._answer(understanding, passages, offered, judging)
            return
        self._answer_or_list(understanding, passages, offered, judging, arm)

    def _answer_or_list(
        self,
        understanding: Understanding,
        passages: Sequence[Passage],
        offered: Sequence[Offered],
        judging: Callable[[], Verdict],
        arm: str,
    ) -> None:
        row, verdict = self.row, judging()
        if row.route == "lookup":
            # A list is no claim: it is shown unless what was named is not here at all.
            found = bool(passages) and not verdict.is_absent
            self._list(understanding, passages, arm, found=found, why=verdict.why)
        elif arm == experimenting.PASSAGES:
            row.receipt["experiment"] = arm
            self._list(understanding, passages, arm, found=verdict.answerable, why=verdict.why)
        elif not verdict.answerable:
            self._list(understanding, passages, "", found=False, why=verdict.why)
        else:
            self._answer(understanding, passages, offered, judging)

    def _judging(
        self, understanding: Understanding, offered: Sequence[Offered], *, followed: bool
    ) -> Callable[[], Verdict]:
        """Judges when it is first called, and remembers the verdict."""

        @cache
        def verdict() -> Verdict:
            with self.timed("judge"):
                found = judge(understanding, offered, self.user, followed=followed)
            self.row.receipt["answerable"] = {"probability": round(found.probability, 3)}
            return found

        return verdict

    def _repeats(self, understanding: Understanding) -> bool:
        """Whether the same question was answered before; then that answer is given, with its age.

        Otherwise what must agree is remembered as it was before the search.
        """
        row = self.row
        if row.route == "lookup":
            return False
        with self.stage("cache"):
            self.key = caching.Key.of(
                understanding, self.user, route=row.route, page=row.scope,
                removed=tuple(row.understood["removed"]),
            )  # fmt: skip
            found = caching.find(self.key, self.user) if self.key and not self.again else None
        if found is None:
            return False
        caching.repeat(found, row)
        for sentence in kept_sentences(row, self.user) or ():
            self.seconds.setdefault("first_sentence", self._since())
            self.say("sentence", **sentence)
        age = (timezone.now() - found.created_at).total_seconds()
        row.receipt = {
            "route": row.route, "confidence": row.confidence, "dropped": 0,
            **{name: found.receipt.get(name) for name in ("searched", "candidates", "documents",
                                                          "reranker", "model")},
            "tokens_in": 0, "tokens_out": 0, "cost": 0.0,
            "cache": {"hit": True, "age_seconds": round(age),
                      "answered": found.created_at.isoformat()},
        }  # fmt: skip
        self.close(Ask.State.ANSWERED)
        return True

    def _found(self, found: Evidence, kept: Kept, searched: str) -> list[Passage]:
        """The best passages, as listed where nothing is composed, whoever's they are."""
        passages = [each.with_cosine for each in found.passages[:PASSAGES]]
        documents = len({passage.document_id for passage in passages})
        self.citer.know({each.passage.document_id: each.document for each in found.passages})
        hops = [asdict(hop) for hop in found.hops]
        self.row.receipt = {
            "route": self.row.route,
            "confidence": self.row.confidence,
            "searched": {"scope": searched, "looks": [asdict(look) for look in found.searched]},
            "hops": hops,
            "cache": {"hit": False},
            "candidates": found.candidates,
            "documents": documents,
            "reranker": {"name": found.reranker, "stand_in": "stand-in" in found.reranker},
            "search_seconds": {step: round(value, 4) for step, value in found.seconds.items()},
            "notes": found.notes,
            "left_out": kept.told,
        }
        self.say("found", candidates=found.candidates, documents=documents, hops=hops)
        for note in found.notes:
            self.say("notice", text=note)
        return passages

    def _answer(
        self,
        understanding: Understanding,
        passages: Sequence[Passage],
        offered: Sequence[Offered],
        judging: Callable[[], Verdict],
    ) -> None:
        row = self.row
        numbers = Numbers()

        def on_sentence(sentence: Sentence) -> None:
            self.seconds.setdefault("first_sentence", self._since())
            self.say("sentence", **sentence_data(sentence, self.citer, numbers))

        with self.stage("compose"):
            composed = compose(
                row.text, understanding, offered, route=row.route,
                on_sentence=on_sentence, cancelled=self.cancelled, ask=row,
                judged=lambda: Judged(not judging().clearly_not, judging().answerable),
            )  # fmt: skip
        self._count(composed)
        if composed.refused:
            row.receipt |= llm.spent_on(row)
            self._list(understanding, passages, "", found=False, why=judging().why)
            return
        if composed.notice:
            self.say("notice", text=composed.notice)
        if not composed.found and not composed.cancelled:
            self._nothing(understanding, judging().why or NOTHING_VERIFIED)
            self._keep(passages)
        row.receipt |= llm.spent_on(row)
        record(row, composed)
        if self.key is not None:
            caching.keep(row, self.key)
        self._done()

    def _count(self, composed: Composed) -> None:
        """The share of failures by who drafted: where a model fails, extracts stand in."""
        failed = sum(each.ordinal <= composed.by_model for each in composed.dropped)
        others = len(composed.sentences) + len(composed.dropped) - composed.by_model
        for mode, dropped, drafted in (
            (MODEL, failed, composed.by_model),
            (EXTRACTIVE, len(composed.dropped) - failed, others),
        ):
            if drafted:
                measuring.record("dropped_sentences", dropped / drafted, mode=mode, drafted=drafted)

    def _nothing(self, understanding: Understanding, why: str) -> None:
        self.row.understood["nothing"] = {**describe(understanding, self.user), "why": why}

    def _list(
        self,
        understanding: Understanding,
        passages: Sequence[Passage],
        arm: str,
        *,
        found: bool,
        why: str,
    ) -> None:
        """Ranked passages without an answer: of a lookup, of the experiment, or the nearest."""
        if not found:
            self._nothing(understanding, why)
        self._keep(passages)
        notice = experimenting.NOTE if arm == experimenting.PASSAGES and found else ""
        self.close(Ask.State.LOOKUP if found else Ask.State.NOT_FOUND, notice)

    def _keep(self, passages: Sequence[Passage]) -> None:
        """Lists passages without citing them."""
        ShownPassage.objects.bulk_create(
            ShownPassage(
                ask=self.row, ordinal=ordinal, document_id=passage.document_id,
                start=passage.start, end=passage.end,
            )
            for ordinal, passage in enumerate(passages, start=1)
        )  # fmt: skip
        self.say("passages", passages=shown_passages(self.row, self.user, self.citer))

    def close(self, state: str, notice: str = "") -> None:
        """Ends an ask that composed nothing."""
        row = self.row
        row.state, row.finished_at = state, timezone.now()
        if notice:
            row.notice = notice
            self.say("notice", text=notice)
        self._done()

    def _done(self) -> None:
        row = self.row
        self.seconds["total"] = self._since()
        row.receipt["seconds"] = {step: round(value, 4) for step, value in self.seconds.items()}
        row.save(
            update_fields=[
                "state", "finished_at", "notice", "route", "confidence", "receipt", "understood",
            ]
        )  # fmt: skip
        measuring.record(
            "ask_seconds", self.seconds["total"], route=row.route, state=row.state, mode=row.mode
        )
        self.say(
            "done", id=str(row.public_id), state=row.state, mode=row.mode, notice=row.notice,
            receipt=row.receipt, understood=row.understood,
        )  # fmt: skip

    def _since(self) -> float:
        return round(time.perf_counter() - self.began, 4)
