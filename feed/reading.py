"""A page of one analyst's feed: ranked, diverse, with a few slots for exploring.

Every document is one that this person may see, whatever has been ranked for them. The order is that
of an index, see `feed.ml.freshness`; a cursor carries what diversity made wait, so that scrolling
neither loses nor repeats a document.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.core import signing
from django.utils import timezone

from docintel.compiled_queries import CompiledQuery, Given
from feed.marking_cards import Mark, sign
from feed.ml import diversity
from feed.models import Engagement, FeedItem
from feed.walking import EVERYTHING, WINDOW, Filters, Place, Ranked, Walk
from ingestion.models import Document
from ingestion.querysets import User
from ingestion.sightings import nearly_the_same, standing_for

PER_PAGE = 20
# The share of slots in which something from beyond the top is tried.
EXPLORING = 0.05
SALT = "feed cursor"
# What a card tells of its document.
COLUMNS = ("public_id", "title", "file_name", "kind", "published_on", "received_at", "source__name")
# Its items, without what only choosing among them needs.
_ITEMS = CompiledQuery(
    lambda: (
        FeedItem.objects.filter(pk__any_of=Given("ids"))
        .order_by()
        .only("document", "features", "fresh_at", "version")
    )
)
_ENGAGEMENTS = CompiledQuery(
    lambda: Engagement.objects.filter(
        user=Given("person"), document__any_of=Given("ids")
    ).order_by()
)


class BadCursor(ValueError):
    """It was not made here for this person."""


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

    below: Place | None = None
    waiting: list[int] = field(default_factory=list)
    before: list[diversity.Origin] = field(default_factory=list)
    explored: list[int] = field(default_factory=list)
    position: int = 1
    page: UUID = field(default_factory=uuid4)


def page(
    user: User,
    filters: Filters = EVERYTHING,
    cursor: str = "",
    *,
    chance: random.Random | None = None,
) -> Page:
    """The next cards. Raises BadCursor."""
    at = _read_cursor(cursor, user) if cursor else _Cursor()
    by_time = filters.sort == "time"
    walk = Walk(user, filters)
    rows = walk.window(at.below, WINDOW - len(at.waiting))
    candidates = _folded(
        [row for row in (*walk.rows(at.waiting), *rows) if row.document not in at.explored]
    )
    origins = [(row.company_ref, row.source_ref) for row in candidates]
    if by_time:
        chosen = list(range(min(PER_PAGE, len(candidates))))
    else:
        chosen = diversity.arrange(
            origins, PER_PAGE, at.before,
            companies=not filters.companies, sources=not filters.sources,
        )  # fmt: skip
    shown = [Shown(candidates[index].pk, candidates[index].document) for index in chosen]
    if not (filters.confine or by_time or filters.hidden):
        shown = _explored(shown, walk, at, rows, chance or random.SystemRandom())
    slots = _slots(shown, at, user)
    taken = set(chosen)
    left = [row.pk for index, row in enumerate(candidates) if index not in taken]
    following = _next(at, rows, left, [origins[i] for i in chosen], shown, by_time=by_time)
    return Page(slots, _write_cursor(following, user) if following else "", timezone.now())


def count_hidden(user: User, filters: Filters) -> int:
    """Documents that the reader would see had they muted nothing."""
    return Walk(user, replace(filters, hidden=True)).count()


def count_new(user: User, since: datetime) -> int:
    """Documents that were ranked since then and are not hidden."""
    return Walk(user, EVERYTHING).count_ranked_since(since)


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
    row = _engagements([pk], user).get(pk)
    return [Slot(item or FeedItem(document_id=pk), document, 1, False, "", [], row)]


def _folded(rows: Sequence[Ranked]) -> list[Ranked]:
    """Of documents that say nearly the same the first alone."""
    first: dict[int, Ranked] = {}
    for row in rows:
        first.setdefault(row.group, row)
    return list(first.values())


class Shown(NamedTuple):
    """A row of the feed and its document, and by what chance it has its slot."""

    item: int
    document: int
    exploring: bool = False
    propensity: float = 1 - EXPLORING


def _explored(
    shown: list[Shown], walk: Walk, at: _Cursor, window: Sequence[Ranked], chance: random.Random
) -> list[Shown]:
    """With a document from beyond this page in each slot that the dice give to exploring.

    Each of the pool is as likely as the other, which is what its propensity says.
    """
    lucky = [place for place in range(len(shown)) if chance.random() < EXPLORING]
    if not lucky or not window:
        return shown
    ranked = {each.document for each in shown} | set(at.explored)
    beyond = walk.beyond(window[min(PER_PAGE, len(window)) - 1].order)
    pool = [row for row in beyond if row[1] not in ranked]
    drawn = [(place, pool.pop(chance.randrange(len(pool))), len(pool) + 1)
             for place in lucky if pool]  # fmt: skip
    made = list(shown)
    for added, (place, row, among) in enumerate(drawn):
        made.insert(place + added, Shown(*row, True, EXPLORING / among))
    return made


def _slots(shown: Sequence[Shown], at: _Cursor, user: User) -> list[Slot]:
    items = {row.pk: row for row in _ITEMS(ids=[each.item for each in shown])}
    ids = [each.document for each in shown]
    known = standing_for(ids, user, columns=COLUMNS)
    near = nearly_the_same(ids, user, columns=COLUMNS)
    engagements = _engagements(ids, user)
    slots = []
    for position, each in enumerate(shown, start=at.position):
        pk = each.document
        if pk not in known or each.item not in items:
            continue
        item = items[each.item]
        mark = Mark(pk, at.page, position, each.exploring, each.propensity, item.version_id)
        slots.append(
            Slot(item, known[pk], position, each.exploring, sign(mark, user), near.get(pk, []),
                 engagements.get(pk))
        )  # fmt: skip
    return slots


def _engagements(documents: Iterable[int], user: User) -> Mapping[int, Engagement]:
    rows = _ENGAGEMENTS(person=user.pk, ids=list(documents))
    return {row.document_id: row for row in rows}


def _next(
    at: _Cursor, rows: Sequence[Ranked], left: list[int], chosen: list[diversity.Origin],
    shown: Sequence[Shown], *, by_time: bool,
) -> _Cursor | None:  # fmt: skip
    """The cursor of what follows, None at the end."""
    if not left and len(rows) < WINDOW - len(at.waiting):
        return None
    below = at.below
    if rows:
        last = rows[-1]
        below = (last.fresh_at.isoformat() if by_time else last.order, last.pk)
    explored = [each.document for each in shown if each.exploring]
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
