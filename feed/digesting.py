"""The digest: what came to the top of a feed since the last mail, to who wants to hear of it.

Trap: a mail is sent before that is written down; who dies between the two sends it again.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import timezone

from feed import reading
from feed.explaining import Card, cards
from feed.models import FeedProfile, SavedSearch
from feed.telling_matches import visible
from feed.walking import Filters

logger = logging.getLogger(__name__)
MOST_CARDS = 10
EVERY = {FeedProfile.Digest.DAILY: timedelta(days=1), FeedProfile.Digest.WEEKLY: timedelta(days=7)}
READ = "ingestion.view_document"


def send_due(now: datetime | None = None) -> int:
    """Send what is due; how many mails. Nothing is sent where nothing is new."""
    now = now or timezone.now()
    due = Q(pk__in=[])
    for digest, every in EVERY.items():
        waited = Q(digest_sent_at__isnull=True) | Q(digest_sent_at__lte=now - every)
        due |= Q(digest=digest) & waited
    people = FeedProfile.objects.filter(due, user__is_active=True).exclude(user__email="")
    return sum(_send(pk, now) for pk in people.values_list("pk", flat=True))


@transaction.atomic
def _send(pk: int, now: datetime) -> bool:
    """Locks the profile, so that of two workers one sends."""
    rows = FeedProfile.objects.select_for_update(skip_locked=True).select_related("user")
    profile = rows.filter(pk=pk).first()
    # It may have been left since it was found to be due.
    every = EVERY.get(FeedProfile.Digest(profile.digest)) if profile else None
    if profile is None or every is None or not profile.user.has_perm(READ):
        return False
    since = profile.digest_sent_at or now - every
    if since > now - every:
        return False
    found, searches = top(profile, since, every.days), matched(profile, since)
    if found or searches:
        context = {
            "cards": found, "searches": searches, "site": settings.SITE_URL.rstrip("/"),
            "profile": profile, "every": profile.get_digest_display().lower(),
        }  # fmt: skip
        subject = _subject(found, searches)
        mail = EmailMultiAlternatives(
            " ".join(subject.split()), render_to_string("feed/digest.txt", context),
            to=[profile.user.email],
        )  # fmt: skip
        mail.attach_alternative(render_to_string("feed/digest.html", context), "text/html")
        try:
            mail.send()
        except OSError as error:
            logger.warning("the digest of user %s waits: %s", pk, error)
            return False
    profile.digest_sent_at = now
    profile.save(update_fields=["digest_sent_at"])
    return bool(found or searches)


def _subject(found: list[Card], searches: list[tuple[SavedSearch, int]]) -> str:
    if found:
        return f"{len(found)} new on your feed: {found[0].slot.document}"[:150]
    row, count = searches[0]
    return f"{count} new for “{row.name}”"


def matched(profile: FeedProfile, since: datetime) -> list[tuple[SavedSearch, int]]:
    """Saved searches that are told by digest, each with how many visible documents it matched."""
    rows = SavedSearch.objects.filter(
        user=profile.user_id, alert=SavedSearch.Alert.DIGEST, paused=False,
        matches__found_at__gt=since,
    ).distinct()  # fmt: skip
    counted = [(row, len(visible(row, row.matches.filter(found_at__gt=since)))) for row in rows]
    return [(row, count) for row, count in counted if count]


def top(profile: FeedProfile, since: datetime, days: int) -> list[Card]:
    """The first of what is new since then on this person's feed, and not read."""
    page = reading.page(profile.user, Filters(days=days))
    new = [s for s in page.slots if s.item.fresh_at > since and not s.is_read]
    return cards(new[:MOST_CARDS], profile.user)


def unsubscribe(token: str) -> bool:
    """No more mail for whose token it is; False where it is nobody's."""
    if not token:
        return False
    rows = FeedProfile.objects.filter(unsubscribe_token=token)
    return bool(rows.update(digest=FeedProfile.Digest.OFF))
