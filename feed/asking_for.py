"""What an address says of the feed: filters, as far as this person may know of them."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import QueryDict

from feed import known
from feed.walking import PERIODS, SORTS, Filters
from ingestion.models import Document, Source
from ingestion.querysets import User

MOST_VALUES = 20


def read_filters(params: QueryDict, user: User) -> Filters:
    """Values that this person may not know of are left out as if they were not there."""
    companies = [int(v) for v in several(params, "company") if v.isascii() and v.isdigit()]
    sources = [int(v) for v in several(params, "source") if v.isascii() and v.isdigit()]
    topics = [value[:40] for value in several(params, "topic")]
    seen = Source.objects.ids_visible_to(user) if sources else []
    there = known.topic_names() if topics else {}
    period, sort = params.get("period", ""), params.get("sort", "")
    return Filters(
        companies=tuple(known.known_of([pk for pk in companies if pk < 2**63], user)),
        topics=tuple(key for key in there if key in topics),
        kinds=tuple(v for v in several(params, "kind") if v in Document.Kind.values),
        sources=tuple(pk for pk in seen if pk in sources),
        days=int(period) if period in PERIODS else 0,
        sort=sort if sort in SORTS else SORTS[0],
        hidden=params.get("hidden") == "1",
    )


def as_query(filters: Filters) -> str:
    """The address that `read_filters` reads as these."""
    pairs: list[tuple[str, object]] = [("company", pk) for pk in filters.companies]
    pairs += [("topic", key) for key in filters.topics]
    pairs += [("kind", kind) for kind in filters.kinds]
    pairs += [("source", pk) for pk in filters.sources]
    pairs += [("period", filters.days)] if filters.days else []
    pairs += [("sort", filters.sort)] if filters.sort != SORTS[0] else []
    pairs += [("hidden", 1)] if filters.hidden else []
    return urlencode(pairs)


def several(params: QueryDict, name: str) -> list[str]:
    """The values of this name that are not empty, at most 20."""
    return [value.replace("\0", "") for value in params.getlist(name)[:MOST_VALUES] if value]
