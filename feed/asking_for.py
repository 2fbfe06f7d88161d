"""What an address says of the feed: filters, as far as this person may know of them."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import QueryDict

from feed import known
from feed.reading import PERIODS, SORTS, Filters
from ingestion.models import Document
from ingestion.querysets import User

MOST_VALUES = 20


def read_filters(params: QueryDict, user: User) -> Filters:
    """Values that this person may not know of are left out as if they were not there."""
    companies = [int(v) for v in several(params, "company") if v.isascii() and v.isdigit()]
    sources = [int(v) for v in several(params, "source") if v.isascii() and v.isdigit()]
    seen = known.sources(user).filter(pk__in=[pk for pk in sources if pk < 2**63])
    there = known.topics().filter(key__in=[v[:40] for v in several(params, "topic")])
    period, sort = params.get("period", ""), params.get("sort", "")
    return Filters(
        companies=tuple(known.known_of([pk for pk in companies if pk < 2**63], user)),
        topics=tuple(there.values_list("key", flat=True)),
        kinds=tuple(v for v in several(params, "kind") if v in Document.Kind.values),
        sources=tuple(seen.values_list("pk", flat=True)),
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
