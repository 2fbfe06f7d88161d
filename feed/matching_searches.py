"""New documents against saved searches: what became searchable since each was last looked at.

A search's words must all stand in one passage, in any of their forms; words in double quotes
exactly so, one of two around `or`, none after a minus. In languages without spaces the whole query
must stand there. A document is looked at when it becomes searchable, and again once its companies
and topics are known.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from feed.models import SavedSearch, SearchMatch
from feed.saving_searches import scope_of
from ingestion.language import has_runs
from ingestion.models import Chunk, Document
from ingestion.querysets import DocumentQuerySet

# What a transaction committed late has an earlier time than what was seen; a match is made once.
OVERLAP = timedelta(minutes=5)
MOST_AT_ONCE = 500
DOCUMENTS_AT_ONCE = 100


def match_pending(now: datetime | None = None) -> int:
    """Look at what is new for every search that is not paused; how many matches were made."""
    now = now or timezone.now()
    active = SavedSearch.objects.filter(paused=False, user__is_active=True)
    oldest = active.order_by("looked_at").values_list("looked_at", flat=True).first()
    if oldest is None:
        return 0
    fresh = list(_since(Document.objects.searchable(), oldest).values_list("pk", flat=True))
    made = 0
    if fresh:
        searches = list(active.select_related("user"))
        said = saying({search.query for search in searches if search.query}, fresh)
        made = sum(_match(search, said.get(search.query, fresh), now) for search in searches)
    # One that was saved meanwhile has looked later.
    active.filter(looked_at__lt=now).update(looked_at=now)
    return made


def saying(queries: Collection[str], documents: Sequence[int]) -> dict[str, list[int]]:
    """Query -> those of these documents that have a passage with all its words.

    Each passage is taken apart once, however many queries there are; no index is asked, which
    knows all passages and not the few that are new.
    """
    found: dict[str, list[int]] = {query: [] for query in queries}
    plain = [query for query in queries if not has_runs(query)]
    for start in range(0, len(documents), DOCUMENTS_AT_ONCE):
        few = list(documents[start : start + DOCUMENTS_AT_ONCE])
        with connection.cursor() as cursor:
            cursor.execute(_SAYING, [few, plain])
            for query, pk in cursor.fetchall():
                found[query].append(pk)
        for query in set(queries) - set(plain):
            rows = Chunk.objects.containing(query, by_index=False).of(few).order_by()
            found[query] += rows.values_list("document", flat=True).distinct()
    return found


_SAYING = """
WITH fresh AS MATERIALIZED (
    SELECT document_id, to_tsvector('english', body) AS words
    FROM ingestion_chunk WHERE document_id = ANY(%s)
)
SELECT DISTINCT query, document_id
FROM fresh, unnest(%s::text[]) query
WHERE words @@ websearch_to_tsquery('english', query)
"""


def _match(search: SavedSearch, among: Sequence[int], now: datetime) -> int:
    if not among or not search.user.has_perm("ingestion.view_document"):
        return 0
    documents = Document.objects.visible_to(search.user).searchable().within(scope_of(search))
    documents = documents.filter(pk__in=among, received_at__gt=search.created_at)
    known = SearchMatch.objects.filter(search=search, document=OuterRef("pk"))
    new = _since(documents, search.looked_at).exclude(Exists(known))
    ids = new.order_by("-received_at").values_list("pk", flat=True)
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
