"""A page shows what its reader said last: before it comes, the newest documents are ranked anew.

To follow something is answered at once; the first page after it waits, once, however much was said.
So does the first page of all, and the first by another model.
"""

from __future__ import annotations

from contextlib import suppress

from docintel.encoders import EncoderUnavailable
from feed import ranking
from feed.models import FeedProfile
from ingestion.querysets import User

# Of those that a changed interest ranks anew before the page comes; a worker does the rest.
RANKED_AT_ONCE = 300


def catch_up(profile: FeedProfile, user: User) -> None:
    """Where it is not known which embedder is live, the feed stays as it was and a worker waits."""
    if not profile.newest_due:
        return
    # Before they are ranked: what is said meanwhile is due again.
    FeedProfile.objects.filter(pk=profile.pk).update(newest_due=False)
    if profile.ranked_for is None or profile.ranked_for < profile.changed_at:
        with suppress(EncoderUnavailable):
            ranking.rescore(user, most=RANKED_AT_ONCE)
