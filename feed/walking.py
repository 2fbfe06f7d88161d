"""The rows of one analyst's feed, by queries that are compiled once for each choice of filters.

Whoever reads is named anew by each query: the sources that they may see are never kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value
from django.utils import timezone

from docintel.compiled_queries import CompiledQuery, Given
from feed.models import Engagement, FeedItem
from ingestion.models import Document, Mention, Source
from ingestion.querysets import Scope, User
from ingestion.seeing import SOMEBODY

# Candidates of a page, so that diversity has something to choose from.
WINDOW = 80
# Documents from beyond a page, among which exploring draws.
POOL = 400
# Choices of filters whose queries are kept.
MOST_KEPT = 128
SORTS = ("relevance", "time")
PERIODS = {"1": "Today", "7": "7 days", "30": "30 days"}
Place = tuple[float | str, int]  # The value of the sort, and a row's id.


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader has confined the feed to; an empty field confines nothing."""

    companies: tuple[int, ...] = ()
    topics: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    sources: tuple[int, ...] = ()
    days: int = 0
    sort: str = "relevance"
    hidden: bool = False  # what is muted instead of what is not

    @property
    def confine(self) -> bool:
        return bool(self.companies or self.topics or self.kinds or self.sources or self.days)

    @property
    def by(self) -> str:
        """The column of the order."""
        return "fresh_at" if self.sort == "time" else "order"


EVERYTHING = Filters()


class Ranked(NamedTuple):
    """What is needed to choose among rows; the columns of FeedItem."""

    pk: int
    document: int
    order: float
    fresh_at: datetime
    company_ref: int | None
    source_ref: int
    group: int


class Walk:
    """Down one person's feed, as far as they may see it now."""

    def __init__(self, user: User, filters: Filters) -> None:
        self._filters = filters
        self._queries = _queries(filters)
        self._given = given(user, filters)

    def window(self, below: Place | None, count: int) -> list[Ranked]:
        """The next rows of the order, `count` of them at most."""
        if below is None:
            rows = self._queries.first(**self._given)
        else:
            rows = self._queries.below(**self._given, value=below[0], pk=below[1])
        return [Ranked(*row) for row in rows[:count]]

    def rows(self, ids: Sequence[int]) -> list[Ranked]:
        """Those of these rows that are still there, in their order."""
        found = self._queries.some(**self._given, ids=ids) if ids else []
        known = {row[0]: Ranked(*row) for row in found}
        return [known[pk] for pk in ids if pk in known]

    def beyond(self, order: float) -> list[tuple[int, int]]:
        """(row, document) of what follows from there on and was never opened, POOL at most."""
        return self._queries.beyond(**self._given, order=order)

    def count(self) -> int:
        return sum(self._queries.count(**self._given))

    def count_ranked_since(self, at: datetime) -> int:
        return sum(self._queries.count_newer(**self._given, at=at))


class _Queries:
    """Of one choice of filters, for SOMEBODY."""

    def __init__(self, filters: Filters) -> None:
        by, value = filters.by, Given("value")

        def ordered() -> QuerySet[FeedItem, Any]:
            rows = seen_by(SOMEBODY, filters).order_by(f"-{by}", "-pk")
            return rows.values_list(*Ranked._fields)

        further = Q(**{f"{by}__lt": value}) | Q(**{by: value, "pk__lt": Given("pk")})
        self.first = CompiledQuery(lambda: ordered()[:WINDOW])
        self.below = CompiledQuery(
            lambda: ordered().filter(further, **{f"{by}__lte": value})[:WINDOW]
        )
        self.some = CompiledQuery(lambda: ordered().filter(pk__any_of=Given("ids")))
        self.beyond = CompiledQuery(lambda: _unopened(SOMEBODY, seen_by(SOMEBODY, filters))[:POOL])
        self.count = CompiledQuery(lambda: _counted(seen_by(SOMEBODY, filters)))
        newer = Q(document__ranked__ranked_at__gt=Given("at"))
        self.count_newer = CompiledQuery(lambda: _counted(seen_by(SOMEBODY, filters).filter(newer)))


@lru_cache(maxsize=MOST_KEPT)
def _queries(filters: Filters) -> _Queries:
    return _Queries(filters)


def given(user: User, filters: Filters) -> dict[str, Any]:
    """What the queries of `seen_by(SOMEBODY, filters)` have to be told."""
    seen = Source.objects.given_for(user)
    return {**seen, "since": _since(filters)} if filters.days else seen


def seen_by(user: User, filters: Filters) -> QuerySet[FeedItem]:
    """What was ranked for this person, as far as they may see it and the filters let through."""
    documents = Document.objects.visible_to(user).searchable().order_by()
    scope = Scope(topics=filters.topics, kinds=filters.kinds)
    if not scope.is_empty:
        documents = documents.within(scope)
    if filters.companies:
        named = Mention.objects.filter(document=OuterRef("pk"), company__in=filters.companies)
        documents = documents.filter(Q(company__in=filters.companies) | Exists(named.order_by()))
    rows = FeedItem.objects.filter(user=user.pk, document__in=documents)
    if filters.sources:
        rows = rows.filter(_brought_by(filters.sources))
    rows = rows.exclude(hidden_by="") if filters.hidden else rows.filter(hidden_by="")
    if filters.days:
        since = Given("since") if user is SOMEBODY else _since(filters)
        rows = rows.filter(fresh_at__gte=since)
    return rows


def _since(filters: Filters) -> datetime:
    return timezone.now() - timedelta(days=filters.days)


def _brought_by(sources: Iterable[int]) -> Q:
    """First, or as another arrival of the same or nearly the same text.

    By sets of the sources' own arrivals: asked of each document by itself, it takes as long as the
    feed is.
    """
    others = Document.objects.living().filter(source__in=sources).order_by()
    same = others.filter(duplicate_of__isnull=False).values("duplicate_of")
    near = others.filter(near_duplicate_of__isnull=False).values("near_duplicate_of")
    return Q(source_ref__in=sources) | Q(document__in=same) | Q(document__in=near)


def _unopened(user: User, rows: QuerySet[FeedItem]) -> QuerySet[FeedItem, Any]:
    """What was opened is gathered at once, from an index; to ask of each row read hundreds more."""
    opened = Engagement.objects.filter(user=user.pk, opened_at__isnull=False).order_by()
    rows = rows.filter(order__lte=Given("order")).exclude(document__in=opened.values("document"))
    return rows.order_by("-order", "-pk").values_list("pk", "document")


def _counted(rows: QuerySet[FeedItem]) -> QuerySet[FeedItem, Any]:
    """One number, or none where there is no row."""
    alike = rows.order_by().annotate(alike=Value(1)).values("alike")
    return alike.annotate(n=Count("pk")).values_list("n", flat=True)
