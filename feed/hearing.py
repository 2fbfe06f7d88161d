"""What browsers tell of an analyst's reading, checked and kept; one bad event spoils no other.

Append-only: a replay is no second event. What the server itself knows of a card (position,
exploration, propensity) is taken from its signed mark and never from the sender.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from feed.following import changed, id_of
from feed.marking_cards import BadMark, Mark, read
from feed.models import Engagement, FeedEvent, FeedItem
from ingestion.models import Document
from ingestion.querysets import User

Verb = FeedEvent.Verb
MOST_AT_ONCE = 200
MOST_A_MINUTE = 600
WINDOW = timedelta(minutes=1)
# Clocks differ; what is further ahead or longer ago is not believed.
AHEAD = timedelta(minutes=2)
BEHIND = timedelta(days=1)
# Nobody reads one document actively for longer at a stretch; the rest is a tab left open.
LONGEST_MS = 30 * 60_000
LONGEST_VISIBLE_MS = 24 * 3_600_000
# Opened again after this, it is another reading.
ANOTHER = timedelta(minutes=30)


class TooManyEvents(Exception):
    """More than anybody does in a minute; `seconds` until it is worth another try."""

    def __init__(self) -> None:
        super().__init__(f"More than {MOST_A_MINUTE} events within a minute.")
        self.seconds = 60


@dataclass(slots=True)
class Heard:
    """How many were kept, and why the others were not: reason -> how many."""

    kept: int = 0
    refused: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Told:
    client_id: UUID
    verb: Verb
    document_id: int
    at: datetime
    mark: Mark | None
    visible_ms: int | None
    active_ms: int | None


class _Refused(ValueError):
    pass


def hear(user: User, events: object, now: datetime | None = None) -> Heard:
    """Keep the events of one request. Raises TooManyEvents, and then none of them is kept."""
    now = now or timezone.now()
    heard = Heard()
    if not isinstance(events, list) or len(events) > MOST_AT_ONCE:
        heard.refused["not a list of at most 200 events"] += 1
        return heard
    recent = FeedEvent.objects.filter(user=user.pk, received_at__gt=now - WINDOW)
    if recent.count() + len(events) > MOST_A_MINUTE:
        raise TooManyEvents
    ids = _documents(events, user)
    told = []
    for event in events:
        try:
            told.append(_checked(event, user, ids, now))
        except _Refused as error:
            heard.refused[str(error)] += 1
    heard.kept = _keep(user, told, now)
    heard.refused["heard before"] += len(told) - heard.kept
    heard.refused = +heard.refused
    return heard


def _documents(events: Sequence[Any], user: User) -> dict[str, int]:
    """Public id -> id of the text it stands for, of documents that the sender may see."""
    wanted = set()
    for event in events:
        said = event.get("document") if isinstance(event, Mapping) else None
        if isinstance(said, str) and (found := _uuid(said)):
            wanted.add(found)
    rows = Document.objects.visible_to(user).filter(public_id__in=wanted).order_by()
    found_rows = rows.values_list("public_id", "pk", "duplicate_of")
    return {str(public_id): original or pk for public_id, pk, original in found_rows}


def _checked(event: object, user: User, ids: Mapping[str, int], now: datetime) -> _Told:
    """Raises _Refused with the reason, in words that tell nothing of what is hidden."""
    if not isinstance(event, Mapping):
        raise _Refused("not an event")
    verb, said = event.get("verb"), event.get("document")
    if verb not in Verb.values or verb == Verb.REOPEN:
        raise _Refused("unknown verb")
    document = ids.get(str(_uuid(said) if isinstance(said, str) else ""))
    if document is None:
        raise _Refused("no such document")
    at = _time(event.get("at"), now)
    mark = _mark(event.get("mark"), user, document)
    if verb == Verb.IMPRESSION:
        if mark is None:
            raise _Refused("an impression without its card")
        return _Told(mark.impression_id, Verb.IMPRESSION, document, at, mark, None, None)
    client_id = _uuid(event.get("id"))
    if client_id is None:
        raise _Refused("no id")
    visible = active = None
    if verb == Verb.DWELL:
        visible = min(_milliseconds(event.get("visible_ms")), LONGEST_VISIBLE_MS)
        active = min(_milliseconds(event.get("active_ms")), visible, LONGEST_MS)
    return _Told(client_id, Verb(verb), document, at, mark, visible, active)


def _time(said: object, now: datetime) -> datetime:
    try:
        at = parse_datetime(said) if isinstance(said, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise _Refused("no time")
    if at > now + AHEAD:
        raise _Refused("in the future")
    if at < now - BEHIND:
        raise _Refused("too long ago")
    return min(at, now)


def _milliseconds(said: object) -> int:
    if not isinstance(said, int) or isinstance(said, bool) or said < 0:
        raise _Refused("no duration")
    return said


def _mark(said: object, user: User, document: int) -> Mark | None:
    if not said:
        return None
    try:
        mark = read(str(said), user)
    except BadMark as error:
        raise _Refused("not a card of your feed") from error
    if mark.document_id != document:
        raise _Refused("not a card of your feed")
    return mark


def _uuid(said: object) -> UUID | None:
    try:
        return UUID(said) if isinstance(said, str) else None
    except ValueError:
        return None


@transaction.atomic
def _keep(user: User, told: Sequence[_Told], now: datetime) -> int:
    """How many were new. Locks the person's engagements, so that two requests take turns."""
    told = list({one.client_id: one for one in told}.values())
    there = FeedEvent.objects.filter(user=user.pk, client_id__in=[one.client_id for one in told])
    known = set(there.values_list("client_id", flat=True))
    new = [one for one in told if one.client_id not in known]
    if not new:
        return 0
    pairs = {one.document_id for one in new}
    Engagement.objects.bulk_create(
        [Engagement(user_id=id_of(user), document_id=pk) for pk in sorted(pairs)],
        ignore_conflicts=True,
    )
    rows = Engagement.objects.select_for_update().filter(user=user.pk, document__in=pairs)
    engagements = {row.document_id: row for row in rows.order_by("document")}
    # As they were when it was shown: what is learned from may know nothing of what came after.
    shown = [one.document_id for one in new if one.verb == Verb.IMPRESSION]
    ranked = FeedItem.objects.filter(user=user.pk, document__in=shown)
    features = dict(ranked.values_list("document", "features"))
    events = []
    for one in sorted(new, key=lambda each: each.at):
        verb = _applied(one, engagements[one.document_id])
        known_by = features.get(one.document_id) if verb == Verb.IMPRESSION else None
        events.append(_event(user, one, verb, now, known_by))
    made = FeedEvent.objects.bulk_create(events, ignore_conflicts=True)
    Engagement.objects.bulk_update(
        engagements.values(), ["shown", "shown_at", "opens", "opened_at", "active_ms", "saved_at"]
    )
    if any(one.verb != Verb.IMPRESSION for one in new):
        # Readers tell of their reading every few seconds.
        changed(user, at_once=False)
    return len(made)


def _applied(one: _Told, row: Engagement) -> Verb:
    """Adds the event to what the person's events with the document amount to; the verb to keep."""
    if one.verb == Verb.IMPRESSION:
        row.shown, row.shown_at = row.shown + 1, one.at
    elif one.verb == Verb.OPEN:
        again = row.opened_at is not None and one.at - row.opened_at >= ANOTHER
        if row.opened_at is None or again:
            row.opens += 1
            row.opened_at = one.at
        return Verb.REOPEN if again else Verb.OPEN
    elif one.verb == Verb.DWELL:
        row.active_ms += one.active_ms or 0
    elif one.verb == Verb.SAVE:
        row.saved_at = one.at
    return one.verb


def _event(
    user: User, one: _Told, verb: Verb, now: datetime, features: list[float | None] | None
) -> FeedEvent:
    mark = one.mark
    return FeedEvent(
        client_id=one.client_id, user_id=id_of(user), document_id=one.document_id, verb=verb,
        page=mark.page if mark else None, position=mark.position if mark else None,
        exploring=bool(mark and mark.exploring), propensity=mark.propensity if mark else None,
        version_id=mark.version_id if mark else None, visible_ms=one.visible_ms,
        active_ms=one.active_ms, features=features, occurred_at=one.at, received_at=now,
    )  # fmt: skip
