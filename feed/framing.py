"""What stands around the cards of a feed: menus, what is hidden, what else waits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from docintel.compiled_queries import CompiledQuery
from feed import rating, reading
from feed.menus import menus
from feed.models import FeedProfile, Follow
from feed.reading import Page
from feed.saving_searches import searches_of
from feed.walking import Filters
from ingestion.querysets import User
from ingestion.seeing import SOMEBODY

# Looking again within a minute is the same look; each is a row written.
SAME_LOOK = timedelta(minutes=1)
# Nobody waits for the disk: that somebody looked may be lost when the database's machine dies.
_SEEN = """
UPDATE feed_feedprofile SET seen_at = %s
FROM (SELECT set_config('synchronous_commit', 'off', true)) AS careless WHERE user_id = %s
"""
_SEARCHES = CompiledQuery(lambda: searches_of(SOMEBODY).filter(fresh__gt=0))


def frame(profile: FeedProfile, user: User, filters: Filters, page: Page) -> dict[str, Any]:
    """By the names of the template."""
    return {
        "menus": menus(user, filters),
        "hidden": reading.count_hidden(user, filters),
        "searches": _SEARCHES(person=user.pk),
        "to_rate": 0 if filters.confine else rating.waiting(user, [s.item for s in page.slots]),
        # Whoever has said nothing is asked to.
        "unknown": profile.started_at is None and not Follow.objects.filter(user=user.pk).exists(),
    }


def note_seen(profile: FeedProfile) -> None:
    """The feed was opened."""
    now = timezone.now()
    if profile.seen_at is None or now - profile.seen_at > SAME_LOOK:
        with connection.cursor() as cursor:
            cursor.execute(_SEEN, [now, profile.pk])
