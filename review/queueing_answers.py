"""What enters the queue from questions: dropped sentences of answers, and doubtful routes.

Work is a query here too: sentences and questions of the last weeks that have no item.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from docintel import registry
from qa import routing
from qa.answer_tables import AnswerSentence, Ask
from qa.feedback_tables import FollowUp
from qa.ml.router import CONFIDENT
from review.desk_tables import DeskSettings
from review.item_tables import ReviewItem, text_key
from review.valuing import value

AT_ONCE = 500
# Older ones are answered otherwise by now.
SENTENCES_OF = timedelta(days=30)
A_WEEK = timedelta(days=7)
# How often the verifier drops rightly; it gives no number of its own.
RIGHTLY_DROPPED = 0.8
# Who asks the same again at once was sent the wrong way as likely as not.
REASKED = 0.5
LONGEST_TEXT = 2_000
Kind, Why = ReviewItem.Kind, ReviewItem.Why


def queue_answers() -> int:
    """How many sentences and routes entered."""
    return queue_dropped() + queue_routes(DeskSettings.current().routes_a_week)


def queue_dropped() -> int:
    """Sentences that the verifier dropped, each with its reason; how many entered."""
    since = timezone.now() - SENTENCES_OF
    dropped = AnswerSentence.objects.filter(
        state=AnswerSentence.State.DROPPED, ask__created_at__gte=since, ask__cached_from=None
    )
    rows = _without_item(dropped, Kind.SENTENCE).select_related("ask").order_by("-pk")[:AT_ONCE]
    return _put(_of_sentence(row) for row in rows)


def queue_routes(most_a_week: int) -> int:
    """Questions whose route was doubtful, the least sure first; at most so many in seven days."""
    since = timezone.now() - A_WEEK
    lately = ReviewItem.objects.filter(kind=Kind.ROUTER, created_at__gte=since)
    room = most_a_week - lately.count()
    if room <= 0:
        return 0
    asks = Ask.objects.filter(created_at__gte=since, cached_from=None).exclude(route="")
    reasked = Exists(FollowUp.objects.filter(first=OuterRef("pk")))
    doubtful = asks.annotate(reasked=reasked).filter(Q(confidence__lt=CONFIDENT) | Q(reasked=True))
    rows = _without_item(doubtful, Kind.ROUTER).order_by(F("confidence").asc(nulls_last=True), "pk")
    known = set(lately.values_list("text_key", flat=True))
    fresh: dict[str, Ask] = {}
    for row in rows[:AT_ONCE]:
        # Of a question that several asked, the least sure.
        if (key := text_key(row.text)) not in known:
            fresh.setdefault(key, row)
    return _put(_of_route(row) for row in list(fresh.values())[:room])


def _without_item(rows: QuerySet, kind: str) -> QuerySet:
    key = Concat(Value(f"{kind}:"), Cast(OuterRef("pk"), CharField()))
    return rows.filter(~Exists(ReviewItem.objects.filter(kind=kind, key=key)))


def _of_sentence(row: AnswerSentence) -> ReviewItem:
    proposal = {
        "sentence": row.pk,
        "text": row.text,
        "reason": row.reason,
        "question": row.ask.text,
        "lost": row.lost,
    }
    return ReviewItem(
        kind=Kind.SENTENCE,
        key=f"{Kind.SENTENCE}:{row.pk}",
        text=row.text[:LONGEST_TEXT],
        proposal=proposal,
        asker_id=row.ask.asker_id,
        confidence=RIGHTLY_DROPPED,
        why=Why.DROPPED,
        reason=f"The verifier dropped it: {row.reason}",
        value=value(RIGHTLY_DROPPED, 1),
    ).keyed()


def _of_route(row: Ask) -> ReviewItem:
    again = bool(getattr(row, "reasked", False))
    sure = min(row.confidence or 0.0, REASKED) if again else row.confidence or 0.0
    told = "asked again at once" if again else f"its route was {sure:.0%} sure"
    return ReviewItem(
        kind=Kind.ROUTER,
        key=f"{Kind.ROUTER}:{row.pk}",
        label=row.route,
        text=row.text[:LONGEST_TEXT],
        proposal={"ask": row.pk, "question": row.text, "route": row.route},
        asker_id=row.asker_id,
        model_version=registry.live(routing.NAME),
        confidence=sure,
        why=Why.REASKED if again else Why.UNSURE,
        reason=f"The question was {told}." if again else f"Of the question, {told}.",
        value=value(sure, 1),
    ).keyed()


def _put(items: Iterable[ReviewItem]) -> int:
    made = list(items)
    ReviewItem.objects.bulk_create(made, ignore_conflicts=True)
    return len(made)
