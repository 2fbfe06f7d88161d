"""Documents that an analyst saves for later, and the history that they may see and delete."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from docintel.models import Activity
from feed.following import changed, id_of
from feed.models import Engagement, FeedEvent
from ingestion.querysets import User


@transaction.atomic
def save(user: User, document_id: int, *, saved: bool, now: datetime | None = None) -> None:
    """Keeps it for later, or no longer; whether the person may see it the caller has found out."""
    now = now or timezone.now()
    row, _ = Engagement.objects.get_or_create(user_id=id_of(user), document_id=document_id)
    if saved == bool(row.saved_at):
        return
    row.saved_at = now if saved else None
    row.save(update_fields=["saved_at"])
    if saved:
        FeedEvent.objects.create(
            client_id=uuid4(), user_id=id_of(user), document_id=document_id,
            verb=FeedEvent.Verb.SAVE, occurred_at=now, received_at=now,
        )  # fmt: skip
    changed(user, at_once=False)


def history(user: User) -> dict[str, Any]:
    """What is kept of this person: events by verb, questions, and since when."""
    events = FeedEvent.objects.filter(user=user.pk).order_by()
    counts: QuerySet[Any, Any] = events.values_list("verb").annotate(n=Count("*"))
    oldest = events.order_by("received_at").values_list("received_at", flat=True).first()
    asked = Activity.objects.filter(user=user.pk).count()
    labels = dict(FeedEvent.Verb.choices)
    return {"events": [(labels[verb], n) for verb, n in counts], "asked": asked, "since": oldest}


@transaction.atomic
def delete_history(user: User) -> int:
    """Removes what this person opened, read and asked about; what they saved and follow stays."""
    gone, _ = FeedEvent.objects.filter(user=user.pk).delete()
    gone += Activity.objects.filter(user=user.pk).delete()[0]
    rows = Engagement.objects.filter(user=user.pk)
    rows.filter(saved_at=None).delete()
    rows.update(shown=0, opens=0, active_ms=0, shown_at=None, opened_at=None)
    changed(user)
    return gone
