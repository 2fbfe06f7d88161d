"""A handful of documents a week that an analyst is asked to rate, drawn by chance.

Half of them from the top of the feed, half from all that was ranked for them: of all documents most
are irrelevant to anybody, and a ranker is judged by how it orders both.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from docintel.compiled_queries import CompiledQuery, Given
from feed.following import id_of
from feed.models import FeedItem, FeedProfile, Rating, RatingAsk
from feed.walking import Filters, seen_by
from ingestion.querysets import User
from ingestion.sightings import standing_for

A_WEEK = 6
TOP = 50
DAYS = 14
Drawn = RatingAsk.Drawn
# A week's asks, and whenever somebody was asked about these documents: those, and if it is open.
_ASKED = CompiledQuery(
    lambda: (
        RatingAsk.objects.filter(
            Q(week=Given("week")) | Q(document__any_of=Given("documents")), user=Given("person")
        )
        .order_by()
        .values_list(
            "document", "week", ~Exists(Rating.objects.filter(ask=OuterRef("pk")).order_by())
        )
    )
)


@dataclass(frozen=True, slots=True)
class Asked:
    """`document` is the arrival by which this person knows it."""

    ask: RatingAsk
    document: Any


class NotAsked(Exception):
    """This person was not asked about this, or may not see it any more."""


def asked(user: User, now: datetime | None = None) -> list[Asked]:
    """What this person has not yet answered of this week's, drawn on the first look."""
    now = now or timezone.now()
    week = now.date() - timedelta(days=now.weekday())
    asks = RatingAsk.objects.filter(user=user.pk, week=week)
    if not asks.exists():
        _draw(user, week, now)
    open_asks = list(asks.filter(ratings__isnull=True).order_by("pk"))
    known = standing_for([ask.document_id for ask in open_asks], user)
    return [Asked(ask, known[ask.document_id]) for ask in open_asks if ask.document_id in known]


def waiting(user: User, shown: Sequence[FeedItem] = (), now: datetime | None = None) -> int:
    """How many of this week's are open, without drawing any.

    `shown` are rows of the feed that this person sees: where they are enough, no others are sought.
    """
    now = now or timezone.now()
    week = now.date() - timedelta(days=now.weekday())
    recent = {row.document_id for row in shown if row.fresh_at >= now - timedelta(days=DAYS)}
    rows = _ASKED(person=user.pk, week=week, documents=recent)
    this_week = [unrated for _, of_week, unrated in rows if of_week == week]
    if this_week:
        return sum(this_week)
    if len(recent - {document for document, _, _ in rows}) >= A_WEEK:
        return A_WEEK
    return len(_to_draw_from(user).order_by().values_list("pk")[:A_WEEK])


def rate(user: User, ask: int, grade: int | None) -> Rating:
    """1 to 5, or None for who cannot say. Raises NotAsked."""
    row = RatingAsk.objects.filter(user=user.pk, pk=ask).first()
    if row is None or row.document_id not in standing_for([row.document_id], user):
        raise NotAsked
    if grade is not None and not 1 <= grade <= 5:
        raise NotAsked
    return Rating.objects.create(ask=row, grade=grade)


@transaction.atomic
def _draw(user: User, week: date, now: datetime) -> None:
    """Locks the profile, so that two tabs draw once."""
    list(FeedProfile.objects.select_for_update().filter(user=user.pk))
    if RatingAsk.objects.filter(user=user.pk, week=week).exists():
        return
    rows = _to_draw_from(user)
    top = list(rows.order_by("-order", "-pk").values_list("pk", flat=True)[:TOP])
    best = _some(top, A_WEEK // 2)
    rest = list(rows.exclude(pk__in=best).order_by().values_list("pk", flat=True))
    others = _some(rest, A_WEEK - len(best))
    items = FeedItem.objects.in_bulk([*best, *others])
    made = [(pk, Drawn.TOP) for pk in best] + [(pk, Drawn.ALL) for pk in others]
    # In no order that would tell which is which.
    random.SystemRandom().shuffle(made)
    RatingAsk.objects.bulk_create(
        RatingAsk(
            user_id=id_of(user), document_id=items[pk].document_id, week=week, drawn=drawn,
            features=items[pk].features, fresh_at=items[pk].fresh_at, asked_at=now,
        )
        for pk, drawn in made
    )  # fmt: skip


def _to_draw_from(user: User) -> QuerySet[FeedItem]:
    """What was published in the last two weeks and was never asked about."""
    before = RatingAsk.objects.filter(user=user.pk).values("document")
    return seen_by(user, Filters(days=DAYS)).exclude(document__in=before)


def _some(ids: Sequence[int], count: int) -> list[int]:
    return random.SystemRandom().sample(ids, min(count, len(ids)))


def answered() -> QuerySet[RatingAsk]:
    """Those with a grade, the person's last word as `grade`."""
    last = Rating.objects.filter(ask=OuterRef("pk")).order_by("-rated_at", "-pk")
    rows = RatingAsk.objects.annotate(grade=Subquery(last.values("grade")[:1]))
    return rows.filter(grade__isnull=False)
