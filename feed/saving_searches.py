"""A search is saved, changed and forgotten; and what its filters are, as far as its owner may know.

Values that the person may not know of are left out as if they were not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Count, F, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from docintel.net import Blocked
from docintel.net_addresses import checked_place
from feed import known
from feed.asking_for import several
from feed.following import id_of
from feed.models import SavedSearch
from feed.saved_search_tables import LONGEST_NAME, LONGEST_QUERY, LONGEST_URL
from ingestion.language import has_runs
from ingestion.models import Document
from ingestion.querysets import Scope, User
from ingestion.scope_fields import OF_ADDRESS

MOST_SEARCHES = 50


class CannotSave(ValueError):
    """It is no search, or too many; `field` says what of it, the message tells the person."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def searches_of(user: User) -> QuerySet[Any]:
    """The person's own, with `fresh`: how many matches came since they looked."""
    fresh = Count("matches", filter=Q(matches__found_at__gt=F("seen_at")))
    return SavedSearch.objects.filter(user=user.pk).annotate(fresh=fresh)


def read_scope(params: QueryDict, user: User) -> Scope:
    """The filters of a search page's address, as far as this person may know of them."""
    companies = known.known_of(_numbers(params, "company"), user)
    sources = known.sources(user).filter(pk__in=_numbers(params, "source"))
    topics = known.topics().filter(key__in=[v[:40] for v in several(params, "topic")])
    return Scope(
        companies=tuple(companies),
        kinds=tuple(v for v in several(params, "kind") if v in Document.Kind.values),
        sources=tuple(sources.values_list("pk", flat=True)),
        topics=tuple(topics.values_list("key", flat=True)),
        fiscal_years=tuple(v for v in _numbers(params, "year") if v < 10_000),
        fiscal_quarters=tuple(v for v in _numbers(params, "quarter") if v in {1, 2, 3, 4}),
        published_from=_day(params.get("from", "")),
        published_to=_day(params.get("to", "")),
    )


def save(user: User, name: str, query: str, scope: Scope, **how: Any) -> SavedSearch:
    """A new one; `how` as in `change`. Raises CannotSave."""
    if SavedSearch.objects.filter(user=user.pk).count() >= MOST_SEARCHES:
        raise CannotSave("name", f"At most {MOST_SEARCHES} searches; delete one first.")
    query = " ".join(query.replace("\0", " ").split())
    if len(query) > LONGEST_QUERY:
        raise CannotSave("query", f"At most {LONGEST_QUERY:,} characters.")
    if not query and scope.is_empty:
        raise CannotSave("query", "A search needs words or a filter.")
    if query and not _has_words(query):
        raise CannotSave("query", "Every document has these words; add one that says more.")
    row = SavedSearch(user_id=id_of(user), query=query, scope=_as_json(scope))
    _set(row, {"name": name or query or "Saved search", **how})
    row.save()
    return row


def change(row: SavedSearch, **how: Any) -> SavedSearch:
    """`name`, `alert`, `paused`, `webhook`; what is left out stays. Raises CannotSave.

    Another webhook, or the same given again, is tried anew. What arrives during a pause is not
    told afterwards.
    """
    _set(row, how)
    row.save()
    return row


def _set(row: SavedSearch, how: Mapping[str, Any]) -> None:
    if "name" in how:
        row.name = " ".join(str(how["name"]).replace("\0", " ").split())[:LONGEST_NAME]
        if not row.name:
            raise CannotSave("name", "It needs a name.")
    if "alert" in how:
        if how["alert"] not in SavedSearch.Alert.values:
            raise CannotSave("alert", "No such choice.")
        row.alert = how["alert"]
    if "paused" in how:
        if row.paused and not how["paused"]:
            row.looked_at = timezone.now()
        row.paused = bool(how["paused"])
    if "webhook" in how:
        row.webhook = _checked(str(how["webhook"]).strip())
        row.webhook_failures, row.webhook_error, row.webhook_off_at = 0, "", None
        row.webhook_after = timezone.now()


def _checked(url: str) -> str:
    """Whether the host is one of this network is only known when it is asked, each time anew."""
    if url:
        try:
            checked_place(url)
        except Blocked as error:
            raise CannotSave("webhook", str(error)) from error
        if len(url) > LONGEST_URL:
            raise CannotSave("webhook", "The address is too long.")
    return url


def scope_of(row: SavedSearch) -> Scope:
    """The filters as they were saved, whatever its owner may know of by now."""
    kept: dict[str, Any] = {f.name: row.scope[f.name] for f in fields(Scope) if f.name in row.scope}
    for name, value in kept.items():
        kept[name] = tuple(value) if isinstance(value, list) else _day(value)
    return Scope(**kept)


def address(row: SavedSearch) -> str:
    """The query string under which the search page shows it."""
    scope = asdict(scope_of(row))
    pairs: list[tuple[str, object]] = [("q", row.query)] if row.query else []
    for name, field in OF_ADDRESS.items():
        value = scope[field]
        values = value if isinstance(value, list | tuple) else [value] if value else []
        pairs += [(name, each) for each in values]
    return urlencode(pairs)


def described(row: SavedSearch, user: User) -> list[str]:
    """Its filters in words, without the names of what was closed to this person since."""
    scope = scope_of(row)
    found = [company.name for company in known.known_of(scope.companies, user).values()]
    found += [str(source) for source in known.sources(user).filter(pk__in=scope.sources)]
    found += [str(topic) for topic in known.topics().filter(key__in=scope.topics)]
    found += [str(Document.Kind(kind).label) for kind in scope.kinds]
    found += [f"FY{year}" for year in scope.fiscal_years]
    found += [f"Q{quarter}" for quarter in scope.fiscal_quarters]
    found += [f"from {scope.published_from:%-d %b %Y}"] if scope.published_from else []
    return found + ([f"until {scope.published_to:%-d %b %Y}"] if scope.published_to else [])


def _as_json(scope: Scope) -> dict[str, Any]:
    kept = {name: value for name, value in asdict(scope).items() if value}
    return {n: v.isoformat() if isinstance(v, date) else list(v) for n, v in kept.items()}


def _has_words(query: str) -> bool:
    if has_runs(query):
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT numnode(websearch_to_tsquery('english', %s))", [query])
        return bool(cursor.fetchone()[0])


def _numbers(params: QueryDict, name: str) -> list[int]:
    values = (v for v in several(params, name) if v.isascii() and v.isdigit())
    return [int(value) for value in values if len(value) < 19]


def _day(value: str) -> date | None:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
