"""What came to match a saved search is told: by mail at once, and to its webhook.

Only documents that the owner may see at that moment. A mail is sent before that is written down;
a webhook gets everything that it has not yet answered with 2xx, so it may hear of one twice.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.template.loader import render_to_string
from django.utils import timezone

from docintel import net
from docintel.net import Blocked, Failed, TooLarge, TooSlow
from feed.models import SavedSearch, SearchMatch
from ingestion.models import Document
from ingestion.sightings import standing_for

logger = logging.getLogger(__name__)
MOST_TOLD = 50
MOST_FAILURES = 8
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
POST_SECONDS = 10.0
# Whoever claimed it is done or dead by then.
CLAIM = timedelta(minutes=2)
Alert = SavedSearch.Alert


def mail_pending(now: datetime | None = None) -> int:
    """One mail for each search that wants it and has new matches; how many."""
    now = now or timezone.now()
    unmailed = SearchMatch.objects.filter(search=OuterRef("pk"), mailed_at__isnull=True)
    due = SavedSearch.objects.filter(
        Exists(unmailed.order_by()), alert=Alert.MAIL, paused=False, user__is_active=True
    ).exclude(user__email="")
    return sum(_mail(pk, now) for pk in due.values_list("pk", flat=True))


@transaction.atomic
def _mail(pk: int, now: datetime) -> bool:
    """Locks the search, so that of two workers one sends."""
    search = SavedSearch.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
    if search is None or not search.user.has_perm("ingestion.view_document"):
        return False
    matches = list(search.matches.filter(mailed_at__isnull=True)[:MOST_TOLD])
    documents = visible(search, matches)
    if documents:
        context = {
            "search": search, "documents": documents, "site": settings.SITE_URL.rstrip("/"),
        }  # fmt: skip
        subject = " ".join(
            f"{len(documents)} new for “{search.name}”: {documents[0]}"[:150].split()
        )
        body = render_to_string("feed/alert.txt", context)
        try:
            EmailMessage(subject, body, to=[search.user.email]).send()
        except OSError as error:
            logger.warning("the alert of saved search %s waits: %s", pk, error)
            return False
    _mark(matches, mailed_at=now)
    return bool(documents)


def post_pending(now: datetime | None = None) -> int:
    """Posts to each webhook that is due; how many answered."""
    now = now or timezone.now()
    unposted = SearchMatch.objects.filter(search=OuterRef("pk"), posted_at__isnull=True)
    due = SavedSearch.objects.filter(
        Exists(unposted.order_by()), paused=False, user__is_active=True, webhook_off_at=None,
        webhook_after__lte=now,
    ).exclude(webhook="")  # fmt: skip
    return sum(_post(search, now) for search in due.select_related("user"))


def _post(search: SavedSearch, now: datetime) -> bool:
    claim = SavedSearch.objects.filter(pk=search.pk, webhook_after=search.webhook_after)
    if not claim.update(webhook_after=now + CLAIM):
        return False
    matches = list(search.matches.filter(posted_at__isnull=True)[:MOST_TOLD])
    documents = visible(search, matches) if search.user.has_perm("ingestion.view_document") else []
    if documents:
        body = json.dumps(_said(search, documents), ensure_ascii=False).encode()
        try:
            net.post(
                search.webhook, body, headers=signed(search.secret, body, now), seconds=POST_SECONDS
            )
        except (Blocked, Failed, TooLarge, TooSlow) as error:
            _failed(search, str(error), now)
            return False
    _mark(matches, posted_at=now)
    SavedSearch.objects.filter(pk=search.pk).update(
        webhook_failures=0, webhook_error="", webhook_after=now
    )
    return bool(documents)


def signed(secret: str, body: bytes, at: datetime) -> dict[str, str]:
    """Headers: `X-Docintel-Signature` is "sha256=" and the HMAC of "timestamp.body" in hex.

    The timestamp, in seconds, is signed too, so that an old call cannot be played again for ever.
    """
    stamp = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-Docintel-Timestamp": stamp,
        "X-Docintel-Signature": f"sha256={digest}",
    }


def visible(search: SavedSearch, matches: Iterable[SearchMatch]) -> list[Any]:
    """The arrivals by which the owner knows the documents, as far as they may still see them."""
    wanted = [match.document_id for match in matches]
    there = Document.objects.visible_to(search.user).searchable().filter(pk__in=wanted).order_by()
    kept = set(there.values_list("pk", flat=True))
    known = standing_for(kept, search.user)
    return [known[pk] for pk in wanted if pk in known]


def _said(search: SavedSearch, documents: list[Any]) -> dict[str, Any]:
    site = settings.SITE_URL.rstrip("/")
    return {
        "search": {"id": str(search.public_id), "name": search.name, "query": search.query},
        "documents": [
            {
                "id": str(row.public_id), "title": str(row), "kind": row.kind,
                "source": row.source.name, "url": f"{site}{row.get_absolute_url()}",
                "published_on": row.published_on.isoformat() if row.published_on else None,
                "received_at": row.received_at.isoformat(),
            }
            for row in documents
        ],
    }  # fmt: skip


def _failed(search: SavedSearch, why: str, now: datetime) -> None:
    failures = search.webhook_failures + 1
    wait = min(FIRST_WAIT * 2 ** (failures - 1), LONGEST_WAIT)
    SavedSearch.objects.filter(pk=search.pk).update(
        webhook_failures=failures, webhook_error=why[:300], webhook_after=now + wait,
        webhook_off_at=now if failures >= MOST_FAILURES else None,
    )  # fmt: skip
    logger.warning("the webhook of saved search %s failed: %s", search.pk, why)


def _mark(matches: Iterable[SearchMatch], **changes: Any) -> None:
    SearchMatch.objects.filter(pk__in=[match.pk for match in matches]).update(**changes)
