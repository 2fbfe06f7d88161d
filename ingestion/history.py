"""A document's earlier and later revisions and its near duplicates, as one person may know them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from ingestion.comparing import Difference, compare
from ingestion.models import Document
from ingestion.querysets import User
from ingestion.sightings import arrivals

# A document revised more often than this shows the nearest ones only.
LONGEST_CHAIN = 100
MOST_NEAR = 20


@dataclass(slots=True)
class History:
    """`earlier` is what it replaced, `later` what stands in its place; None where not visible.

    `stands_in` is the document that search shows in its place as nearly the same, `near` are those
    for which it is shown.
    """

    earlier: Any = None
    later: Any = None
    stands_in: Any = None
    near: list[Any] = field(default_factory=list)


def history(arrival: Any, user: User) -> History:
    """What this person may know of an arrival's past and future."""
    rows = arrivals(user).listed()
    found = History(earlier=earlier_revision(arrival, user))
    if arrival.superseded_at:
        found.later = _later(arrival, user)
    body = arrival.duplicate_of_id or arrival.pk
    if arrival.shown_state == "near_duplicate":
        original = rows.filter(Q(near_duplicates=body) | Q(sightings__near_duplicates=body))
        found.stands_in = original.order_by("pk").first()
    near = rows.filter(near_duplicate_of=body, superseded_at=None, withdrawn_at=None)
    found.near = list(near.order_by("pk")[:MOST_NEAR])
    return found


def earlier_revision(arrival: Any, user: User) -> Any:
    """The nearest earlier revision that could be read, or None."""
    return _walk(arrival, user, lambda row: Q(pk=row.supersedes_id))


def difference_from(earlier: Document, later: Document) -> Difference:
    """What changed between the texts of two arrivals."""
    wanted = {row.duplicate_of_id or row.pk for row in (earlier, later)}
    texts = dict(Document.objects.filter(pk__in=wanted).values_list("pk", "text"))
    return compare(*(texts[row.duplicate_of_id or row.pk] for row in (earlier, later)))


def _later(arrival: Any, user: User) -> Any:
    last = None
    row = arrival
    for _ in range(LONGEST_CHAIN):
        row = _walk(row, user, lambda row: Q(supersedes=row.pk))
        if row is None:
            return last
        last = row
    return last


def _walk(arrival: Any, user: User, step: Any) -> Any:
    """Along the chain to the next one that was readable; those between were not."""
    rows = arrivals(user).listed().exclude(dropped_at__isnull=False)
    row = arrival
    seen = {arrival.pk}
    for _ in range(LONGEST_CHAIN):
        row = rows.filter(step(row)).exclude(pk__in=seen).order_by("-pk").first()
        if row is None or row.parsed_at:
            return row
        seen.add(row.pk)
    return None
