"""What a person did, written down by one app for another that learns from it.

So an app that answers questions and one that ranks a feed need not know each other.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from docintel.activity_tables import Activity

ASKED = "asked"


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
