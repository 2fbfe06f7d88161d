"""What the upper part of a card shows, as one value: whatever changes makes another front."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.humanize.templatetags.humanize import naturaltime

from feed.reading import Slot

# Of the reports that are nearly the same, as many are named.
MOST_NEAR = 4


class Near(NamedTuple):
    """A report that is nearly the same, and who brought it."""

    public_id: UUID
    source: str


@dataclass(frozen=True, slots=True)
class Front:
    """`ago` says in words when a document without a day of publication arrived."""

    public_id: UUID
    title: str
    source: str
    kind: str
    published_on: date | None
    received_at: datetime | None
    ago: str
    passage: str
    is_read: bool
    exploring: bool
    near: tuple[Near, ...]
    near_count: int


def front_of(slot: Slot, passage: str) -> Front:
    document: Any = slot.document
    day, arrived = document.published_on, document.received_at
    near = tuple(Near(row.public_id, row.source.name) for row in slot.near[:MOST_NEAR])
    return Front(
        document.public_id, str(document), document.source.name, document.get_kind_display(), day,
        None if day else arrived, "" if day else str(naturaltime(arrived)),
        passage, slot.is_read, slot.exploring, near, len(slot.near),
    )  # fmt: skip
