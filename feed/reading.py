"""A page of one analyst's feed: ranked, diverse, with a few slots for exploring.

Every document is one that this person may see, whatever has been ranked for them. The order is that
of an index, see `feed.ml.freshness`; a cursor carries what diversity made wait, so that scrolling
neither loses nor repeats a document.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.core import signing
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from feed.marking_cards import Mark, sign
from feed.ml import diversity
from feed.models import Engagement, FeedItem
from ingestion.models import Document, Mention
from ingestion.querysets import Scope, User
from ingestion.sightings import nearly_the_same, standing_for

PER_PAGE = 20
# Candidates of a page, so that diversity has something to choose from.
WINDOW = 80
# The share of slots in which something from beyond the top is tried.
EXPLORING = 0.05
POOL = 400
SALT = "feed cursor"
# What a card tells of its document.
COLUMNS = ("public_id", "title", "file_name", "kind", "published_on", "received_at", "source__name")
SORTS = ("relevance", "time")
PERIODS = {"1": "Today", "7": "7 days", "30": "30 days"}


class BadCursor(ValueError):
    """It was not made here for this person."""


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


@dataclass(slots=True)
class Slot:
    """One card. `document` is the arrival by which this person knows the item's document."""

    item: FeedItem
    document: Any
    position: int
    exploring: bool
    mark: str
    near: list[Document] = field(default_factory=list)
    engagement: Engagement | None = None

    @property
    def is_read(self) -> bool:
        return self.engagement is not None and self.engagement.opens > 0

    @property
    def is_saved(self) -> bool:
        return self.engagement is not None and self.engagement.saved_at is not None


@dataclass(slots=True)
class Page:
    slots: list[Slot]
    cursor: str  # empty: nothing follows
    made_at: datetime


@dataclass(slots=True)
class _Cursor:
    """Where a scroll is: below (value, id) of the sort, with what waits and what was shown."""

    below: tuple[float | str, int] | None = None
    waiting: list[int] = field(default_factory=list)
    before: list[diversity.Origin] = field(default_factory=list)
    explored: list[int] = field(default_factory=list)
    position: int = 1
    page: UUID = field(default_factory=uuid4)


def page(
    user: User,
    filters: Filters = Filters(),
    cursor: str = "",
    *,
    chance: random.Random | None = None,
) -> Page:
    """The next cards. Raises BadCursor."""
    at = _read_cursor(cursor, user) if cursor else _Cursor()
    by_time = filters.sort == "time"
    items = seen_by(user, filters)
    rows = _window(items, at, by_time=by_time)
    waiting = {row.pk: row for row in items.filter(pk__in=at.waiting)} if at.waiting else {}
    candidates = [waiting[pk] for pk in at.waiting if pk in waiting]
    candidates = _folded(
        [row for row in (*candidates, *rows) if row.document_id not in at.explored]
    )
    origins = [(row.company_ref, row.source_ref) for row in candidates]
    if by_time:
        chosen = list(range(min(PER_PAGE, len(candidates))))
    else:
        chosen = diversity.arrange(
            origins, PER_PAGE, at.before,
            companies=not filters.companies, sources=not filters.sources,
        )  # fmt: skip
    shown = [(candidates[index], False, 1 - EXPLORING) for index in chosen]
    if not (filters.confine or by_time or filters.hidden):
        shown = _explored(shown, items, at, rows, chance or random.SystemRandom())
    slots = _slots(shown, at, user)
    taken = set(chosen)
    left = [row.pk for index, row in enumerate(candidates) if index not in taken]
    following = _next(at, rows, left, [origins[i] for i in chosen], shown, by_time=by_time)
    return Page(slots, _write_cursor(following, user) if following else "", timezone.now())


def count_hidden(user: User, filters: Filters) -> int:
    """Documents that the reader would see had they muted nothing."""
    if not FeedItem.objects.filter(user=user.pk).exclude(hidden_by="").exists():
        return 0
    return seen_by(user, Filters(**{**_plain(filters), "hidden": True})).order_by().count()


def count_new(user: User, since: datetime) -> int:
    """Documents that were ranked since then and are not hidden."""
    rows = seen_by(user, Filters()).filter(document__ranked__ranked_at__gt=since)
    return rows.order_by().count()


def saved(user: User) -> list[Slot]:
    """What the person keeps for later, the last first, as far as they may still see it."""
    rows = Engagement.objects.filter(user=user.pk, saved_at__isnull=False).order_by("-saved_at")
    kept = list(rows[:200])
    known = standing_for([row.document_id for row in kept], user)
    return [
        Slot(FeedItem(document_id=row.document_id), known[row.document_id], at, False, "", [], row)
        for at, row in enumerate(kept, start=1)
        if row.document_id in known
    ]


def alone(user: User, document: Any) -> list[Slot]:
    """This arrival as a card by itself, for the page of the document."""
    pk = document.duplicate_of_id or document.pk
    item = FeedItem.objects.filter(user=user.pk, document=pk).select_related("version").first()
    row = Engagement.objects.filter(user=user.pk, document=pk).first()
    return [Slot(item or FeedItem(document_id=pk), document, 1, False, "", [], row)]


def _plain(filters: Filters) -> dict[str, Any]:
    return {name: getattr(filters, name) for name in Filters.__dataclass_fields__}


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
        rows = rows.filter(fresh_at__gte=timezone.now() - timedelta(days=filters.days))
    return rows


def _brought_by(sources: Sequence[int]) -> Q:
    """First, or as another arrival of the same or nearly the same text.

    By sets of the sources' own arrivals: asked of each document by itself, it takes as long as the
    feed is.
    """
    others = Document.objects.living().filter(source__in=sources).order_by()
    same = others.filter(duplicate_of__isnull=False).values("duplicate_of")
    near = others.filter(near_duplicate_of__isnull=False).values("near_duplicate_of")
    return Q(source_ref__in=sources) | Q(document__in=same) | Q(document__in=near)


def _window(rows: QuerySet[FeedItem], at: _Cursor, *, by_time: bool) -> list[FeedItem]:
    name = "fresh_at" if by_time else "order"
    rows = rows.order_by(f"-{name}", "-pk")
    if at.below is not None:
        value, pk = at.below
        rows = rows.filter(Q(**{f"{name}__lt": value}) | Q(**{name: value, "pk__lt": pk}),
                           **{f"{name}__lte": value})  # fmt: skip
    return list(rows[: WINDOW - len(at.waiting)])


def _folded(rows: Sequence[FeedItem]) -> list[FeedItem]:
    """Of documents that say nearly the same the first alone."""
    first: dict[int, FeedItem] = {}
    for row in rows:
        first.setdefault(row.group, row)
    return list(first.values())


Shown = tuple[FeedItem, bool, float]  # item, exploring, propensity


def _explored(
    shown: list[Shown], items: QuerySet[FeedItem], at: _Cursor, window: Sequence[FeedItem],
    chance: random.Random,
) -> list[Shown]:  # fmt: skip
    """With a document from beyond this page in each slot that the dice give to exploring.

    Each of the pool is as likely as the other, which is what its propensity says.
    """
    lucky = [place for place in range(len(shown)) if chance.random() < EXPLORING]
    if not lucky or not window:
        return shown
    ranked = {item.document_id for item, _, _ in shown} | set(at.explored)
    opened = Engagement.objects.filter(user=OuterRef("user"), document=OuterRef("document"),
                                       opens__gt=0)  # fmt: skip
    beyond = items.filter(order__lte=window[min(PER_PAGE, len(window)) - 1].order)
    beyond = beyond.exclude(Exists(opened)).order_by("-order", "-pk")
    found = beyond.values_list("pk", "document")[:POOL]
    pool = [pk for pk, document in found if document not in ranked]
    drawn = [(place, pool.pop(chance.randrange(len(pool))), len(pool) + 1)
             for place in lucky if pool]  # fmt: skip
    picked = FeedItem.objects.in_bulk([pk for _, pk, _ in drawn])
    made = list(shown)
    for added, (place, pk, among) in enumerate(drawn):
        made.insert(place + added, (picked[pk], True, EXPLORING / among))
    return made


def _slots(shown: Sequence[Shown], at: _Cursor, user: User) -> list[Slot]:
    ids = [item.document_id for item, _, _ in shown]
    known = standing_for(ids, user, columns=COLUMNS)
    near = nearly_the_same(ids, user, columns=COLUMNS)
    rows = Engagement.objects.filter(user=user.pk, document__in=ids)
    engagements = {row.document_id: row for row in rows}
    slots = []
    for place, (item, exploring, propensity) in enumerate(shown):
        pk = item.document_id
        if pk not in known:
            continue
        position = at.position + place
        mark = Mark(pk, at.page, position, exploring, propensity, item.version_id)
        slots.append(
            Slot(item, known[pk], position, exploring, sign(mark, user), near.get(pk, []),
                 engagements.get(pk))
        )  # fmt: skip
    return slots


def _next(
    at: _Cursor, rows: Sequence[FeedItem], left: list[int], chosen: list[diversity.Origin],
    shown: Sequence[Shown], *, by_time: bool,
) -> _Cursor | None:  # fmt: skip
    """The cursor of what follows, None at the end."""
    if not left and len(rows) < WINDOW - len(at.waiting):
        return None
    below = at.below
    if rows:
        last = rows[-1]
        below = (last.fresh_at.isoformat() if by_time else last.order, last.pk)
    explored = [item.document_id for item, exploring, _ in shown if exploring]
    return _Cursor(
        below, left, [*at.before, *chosen][-diversity.AMONG :], [*at.explored, *explored][-40:],
        at.position + len(shown), at.page,
    )  # fmt: skip


def _write_cursor(at: _Cursor, user: User) -> str:
    said = [user.pk, at.below, at.waiting, at.before, at.explored, at.position, at.page.hex]
    return signing.dumps(said, salt=SALT, compress=True)


def _read_cursor(text: str, user: User) -> _Cursor:
    try:
        said: Any = signing.loads(text[:8_000], salt=SALT, max_age=timedelta(days=1))
    except signing.BadSignature as error:
        raise BadCursor(str(error)) from error
    person, below, waiting, before, explored, position, page_id = said
    if person != user.pk:
        raise BadCursor("the cursor of another person")
    return _Cursor(
        tuple(below) if below else None, waiting, [(c, s) for c, s in before], explored, position,
        UUID(page_id),
    )  # fmt: skip
