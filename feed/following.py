"""An analyst follows, mutes or forgets one thing; the feed changes at once.

Whoever names what they may not know of gets the same answer as for what is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from docintel.compiled_queries import CompiledQuery, Given
from docintel.scheduling import enqueue
from feed import known
from feed.models import FeedProfile, Follow, Interest
from feed.signal_tables import LONGEST_INTEREST, LONGEST_PHRASE
from ingestion.models import Company, Document
from ingestion.querysets import User

Kind = Follow.Kind
MOST_FOLLOWED = 5_000
MOST_INTERESTS = 20
# Of one kind on the page.
MOST_LISTED = 200
_PROFILE = CompiledQuery(
    lambda: FeedProfile.objects.filter(user=Given("person")).defer("facts", "vector")
)


class CannotFollow(ValueError):
    """There is no such thing, or too much of it; the message tells the person."""


@transaction.atomic
def follow(user: User, kind: str, value: str, *, muted: bool = False) -> Follow:
    """Follows the thing, or mutes it; what was said of it before no longer holds.

    Raises CannotFollow.
    """
    target = _target(user, kind, value)
    rows = Follow.objects.filter(user=user.pk)
    found = rows.filter(**target).first()
    if found is None:
        if rows.count() >= MOST_FOLLOWED:
            raise CannotFollow(f"You follow or mute {MOST_FOLLOWED:,} things; remove some first.")
        found = Follow(user_id=id_of(user), **target)
    found.muted, found.created_at = muted, timezone.now()
    found.save()
    changed(user)
    return found


@transaction.atomic
def forget(user: User, kind: str, value: str) -> bool:
    """Neither followed nor muted from now on; whether it was either."""
    try:
        named = _named(kind, value)
    except CannotFollow:
        return False
    gone, _ = Follow.objects.filter(user=user.pk, **named).delete()
    if gone:
        changed(user)
    return bool(gone)


@transaction.atomic
def follow_all(user: User, companies: list[int], topics: list[str]) -> int:
    """Follows what was picked or confirmed, leaving out what may not be known; how many."""
    wanted: list[dict[str, Any]] = [
        {"kind": Kind.COMPANY, "company_id": pk} for pk in known.known_of(companies, user)
    ]
    there = known.topics().filter(key__in=topics).values_list("key", flat=True)
    wanted += [{"kind": Kind.TOPIC, "topic_id": key} for key in there]
    room = MOST_FOLLOWED - Follow.objects.filter(user=user.pk).count()
    if len(wanted) > room:
        raise CannotFollow(f"At most {MOST_FOLLOWED:,} things can be followed or muted.")
    rows = [Follow(user_id=id_of(user), **target) for target in wanted]
    Follow.objects.bulk_create(
        rows, update_conflicts=True, update_fields=["muted", "created_at"],
        unique_fields=["user", "company", "topic", "source", "document_kind", "phrase"],
    )  # fmt: skip
    changed(user)
    return len(rows)


@transaction.atomic
def state_interest(user: User, text: str) -> Interest:
    """An interest in the person's own words. Raises CannotFollow."""
    text = " ".join(text.replace("\0", " ").split())
    if not any(character.isalpha() for character in text):
        raise CannotFollow("Say in words what you are interested in.")
    if len(text) > LONGEST_INTEREST:
        raise CannotFollow(f"At most {LONGEST_INTEREST:,} characters.")
    if Interest.objects.filter(user=user.pk).count() >= MOST_INTERESTS:
        raise CannotFollow(f"At most {MOST_INTERESTS} interests; remove one first.")
    found, _ = Interest.objects.get_or_create(user_id=id_of(user), text=text)
    changed(user)
    return found


def drop_interest(user: User, pk: int) -> bool:
    gone, _ = Interest.objects.filter(user=user.pk, pk=pk).delete()
    if gone:
        changed(user)
    return bool(gone)


def said_by(user: User) -> list[Follow]:
    """All that this person follows and mutes, but for what was closed to them since."""
    rows = list(Follow.objects.filter(user=user.pk).select_related("company", "topic", "source"))
    sources = set(known.sources(user).values_list("pk", flat=True)) | {None}
    companies = {None, *known.known_of([row.company_id for row in rows if row.company_id], user)}
    return [row for row in rows if row.source_id in sources and row.company_id in companies]


@dataclass(frozen=True, slots=True)
class Group:
    """What of one kind is followed and muted; `more` were left out."""

    label: str
    rows: list[Follow]
    more: int


def grouped(user: User, find: str = "") -> tuple[list[Group], bool]:
    """By kind, 200 of each, those with `find` in their name; and whether that leaves any out."""
    mine = said_by(user)
    found = []
    for kind, label in Kind.choices:
        rows = [row for row in mine if row.kind == kind and find.lower() in row.label.lower()]
        if rows:
            more = max(0, len(rows) - MOST_LISTED)
            found.append(Group(str(label), rows[:MOST_LISTED], more))
    return found, bool(find) or any(group.more for group in found)


def id_of(user: User) -> int:
    """Of somebody who is signed in."""
    return int(user.pk or 0)


def profile_of(user: User) -> FeedProfile:
    """The person's profile, made with the first look at the feed; what it learned is not read."""
    found: list[FeedProfile] = _PROFILE(person=user.pk)
    if found:
        return found[0]
    rows = FeedProfile.objects.defer("facts", "vector")
    return rows.get_or_create(user_id=id_of(user), defaults={"newest_due": True})[0]


def changed(user: User, *, at_once: bool = True) -> None:
    """What this person said or did has changed: their feed is ranked anew, in turn.

    With `at_once` the next page has it already, see `feed.catching_up`.
    """
    profile_of(user)
    due = {"newest_due": True} if at_once else {}
    FeedProfile.objects.filter(user=user.pk).update(changed_at=timezone.now(), **due)
    if at_once:
        transaction.on_commit(lambda: enqueue("feed.tasks.rescore_pending"))


def _target(user: User, kind: str, value: str) -> dict[str, Any]:
    """The columns that name the thing, if it is there and may be known. Raises CannotFollow."""
    named = _named(kind, value)
    there = True
    if kind == Kind.COMPANY:
        row = Company.objects.filter(pk=named["company_id"]).first()
        there = row is not None and known.may_know(row, user)
    elif kind == Kind.SOURCE:
        there = known.sources(user).filter(pk=named["source_id"]).exists()
    elif kind == Kind.TOPIC:
        there = known.topics().filter(pk=named["topic_id"]).exists()
    if not there:
        raise CannotFollow("There is no such thing.")
    return named


def _named(kind: str, value: str) -> dict[str, Any]:
    value = " ".join(value.replace("\0", " ").split())
    if kind in {Kind.COMPANY, Kind.SOURCE}:
        if not (value.isascii() and value.isdigit() and len(value) < 19):
            raise CannotFollow("There is no such thing.")
        return {"kind": kind, f"{kind}_id": int(value)}
    if kind == Kind.TOPIC:
        return {"kind": kind, "topic_id": value[:40]}
    if kind == Kind.DOCUMENT_KIND and value in Document.Kind.values:
        return {"kind": kind, "document_kind": value}
    if kind == Kind.PHRASE:
        if not 2 < len(value) <= LONGEST_PHRASE:
            raise CannotFollow(f"A phrase has 3 to {LONGEST_PHRASE} characters.")
        return {"kind": kind, "phrase": value.lower()}
    raise CannotFollow("There is no such thing.")
