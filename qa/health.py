"""Lines of the health report about answers: the language model, its budget, failed citations."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from docintel.doctor import Finding
from qa import llm
from qa.answer_tables import AnswerSentence, Ask, ModelCall
from qa.choosing_lines import PROMPT as CHOOSING

ANSWERS_LOOKED_AT = 200
FEWEST_SENTENCES = 20
# More dropped sentences than this and the model or its prompt does not quote what it reads.
MOST_DROPPED = 0.25
NEARLY_SPENT = 0.9
LOST_WITHIN = timedelta(days=1)
MOST_FAILED = 0.05
FEWEST_ASKS = 20


def findings() -> Iterator[Finding]:
    yield model()
    yield budget()
    yield citations()
    yield failures()


def model() -> Finding:
    """Whether the model answers, by its last calls; nothing is sent to it."""
    name = "Language model"
    if not llm.is_configured():
        return Finding(name, ok=True, message="none: answers are the documents' own sentences")
    if llm.is_open():
        return Finding(
            name, ok=False, message="failed repeatedly and is left alone a while",
            hint="see the errors of its last calls, and check OPENAI_BASE_URL",
        )  # fmt: skip
    last = ModelCall.objects.filter(status__in=["ok", "failed"]).first()
    if last is None:
        return Finding(name, ok=True, message="configured, not asked yet")
    ok = last.status == ModelCall.Status.OK
    said = "answered" if ok else f"failed: {last.error[:200]}"
    return Finding(
        name, ok, f"{last.model} {said} ({last.created_at:%Y-%m-%d %H:%M})",
        "" if ok else "answers are the documents' own sentences until it answers again",
    )  # fmt: skip


def budget() -> Finding:
    spent, limit = llm.spent_today(), Decimal(settings.LLM_DOLLARS_PER_DAY)
    ok = not llm.is_configured() or spent < limit * Decimal(str(NEARLY_SPENT))
    return Finding(
        "Model budget", ok, f"${spent:.2f} of ${limit:.2f} spent today",
        "" if ok else "raise LLM_DOLLARS_PER_DAY, or wait for midnight UTC",
    )  # fmt: skip


def citations() -> Finding:
    """The share of the sentences that a model drafted and the verifier dropped."""
    # Where all of a model's sentences failed the answer is extractive, and what it shows is not the
    # model's.
    wrote = ModelCall.objects.filter(ask=OuterRef("pk"), status__in=["ok", "cancelled"])
    wrote = wrote.exclude(prompt=CHOOSING)
    asks = Ask.objects.filter(Q(mode="model") | Q(Exists(wrote), mode="extractive"))
    asks = asks.filter(finished_at__isnull=False, cached_from=None)
    latest = list(asks.values_list("pk", flat=True)[:ANSWERS_LOOKED_AT])
    drafted = AnswerSentence.objects.filter(ask__in=latest).exclude(
        ask__mode="extractive", state=AnswerSentence.State.KEPT
    )
    total = drafted.count()
    dropped = drafted.filter(state=AnswerSentence.State.DROPPED).count()
    share = dropped / total if total else 0.0
    ok = total < FEWEST_SENTENCES or share <= MOST_DROPPED
    return Finding(
        "Failed citations",
        ok,
        f"{dropped} of {total} drafted sentences dropped in the last {len(latest)} answers",
        ""
        if ok
        else "no reader saw them; read their reasons, and look at the model and its prompt",
    )


def failures() -> Finding:
    recent = Ask.objects.filter(created_at__gte=timezone.now() - LOST_WITHIN).order_by()
    total = recent.count()
    failed = recent.filter(state=Ask.State.FAILED).count()
    ok = total < FEWEST_ASKS or failed / total <= MOST_FAILED
    return Finding(
        "Answers", ok, f"{failed} of {total} failed since yesterday", "" if ok else "see the log"
    )
