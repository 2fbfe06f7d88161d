"""New documents against saved searches: what became searchable since each was last looked at.

A search's words must all stand in one passage, in any of their forms; words in double quotes
exactly so, one of two around `or`, none after a minus. In languages without spaces the whole query
must stand there. A document is looked at when it becomes searchable, and again once its companies
and topics are known.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from feed.models import SavedSearch, SearchMatch
from feed.saving_searches import scope_of
from ingestion.language import has_runs
from ingestion.models import Chunk, Document
from ingestion.querysets import ChunkQuerySet, DocumentQuerySet

logger = logging.getLogger(__name__)
# What a transaction committed late has an earlier time than what was seen; a match is made once.
OVERLAP = timedelta(minutes=5)
MOST_AT_ONCE = 500


def match_pending(now: datetime | None = None) -> int:
    """Look at what is new for every search that is not paused; how many matches were made."""
    now = now or timezone.now()
    active = SavedSearch.objects.filter(paused=False, user__is_active=True)
    oldest = active.order_by("looked_at").values_list("looked_at", flat=True).first()
    if oldest is None:
        return 0
    fresh = _since(Document.objects.searchable(), oldest)
    made = 0
    if fresh.exists():
        made = sum(_match(search, now) for search in active.select_related("user"))
    # One that was saved meanwhile has looked later.
    active.filter(looked_at__lt=now).update(looked_at=now)
    return made


def matching(search: SavedSearch, documents: DocumentQuerySet) -> DocumentQuerySet:
    """Those of these documents that the search is about."""
    found = documents.within(scope_of(search))
    if search.query:
        passages = _saying(search.query).filter(document=OuterRef("pk"))
        found = found.filter(Exists(passages.order_by()))
    return found


def _match(search: SavedSearch, now: datetime) -> int:
    if not search.user.has_perm("ingestion.view_document"):
        return 0
    documents = Document.objects.visible_to(search.user).searchable()
    documents = documents.filter(received_at__gt=search.created_at)
    known = SearchMatch.objects.filter(search=search, document=OuterRef("pk"))
    new = _since(documents, search.looked_at).exclude(Exists(known))
    ids = matching(search, new).order_by("-received_at").values_list("pk", flat=True)
    # Whoever asks for mail or a webhook later hears of what comes later.
    mailed = None if search.alert == SavedSearch.Alert.MAIL else now
    posted = None if search.webhook else now
    rows = [
        SearchMatch(search=search, document_id=pk, found_at=now, mailed_at=mailed, posted_at=posted)
        for pk in ids[:MOST_AT_ONCE]
    ]
    SearchMatch.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _since(documents: DocumentQuerySet, looked_at: datetime) -> DocumentQuerySet:
    since = looked_at - OVERLAP
    return documents.filter(Q(searchable_at__gt=since) | Q(ranked__ranked_at__gt=since))


def _saying(query: str) -> ChunkQuerySet:
    if has_runs(query):
        return Chunk.objects.containing(query, by_index=False)
    words = SearchQuery(query, config="english", search_type="websearch")
    rows = Chunk.objects.alias(words=SearchVector("body", config="english"))
    return rows.filter(words=words)
