"""What a person did, written down by one app for another that learns from it.

So an app that answers questions and one that ranks a feed need not know each other.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.utils import timezone

from docintel.activity_tables import Activity

ASKED = "asked"
LATELY = timedelta(days=90)
MOST_TEXTS = 100


def record(
    user: Any,
    verb: str,
    *,
    companies: Collection[int] = (),
    topics: Collection[str] = (),
    text: str = "",
) -> None:
    """Keeps it; of somebody who is no row (an evaluation) nothing."""
    if not getattr(user, "is_authenticated", False) or not user.pk:
        return
    Activity.objects.create(
        user_id=user.pk, verb=verb, companies=list(companies), topics=list(topics), text=text
    )


def asked_lately(user: Any) -> list[str]:
    """The texts of what somebody asked in the last 90 days, the newest 100; of nobody none."""
    if not getattr(user, "is_authenticated", False) or not user.pk:
        return []
    rows = Activity.objects.filter(
        user_id=user.pk, verb=ASKED, at__gte=timezone.now() - LATELY
    ).values_list("text", flat=True)
    return list(rows[:MOST_TEXTS])
