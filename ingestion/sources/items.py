"""What every kind of source gives: items, and what was odd about the list of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

# Clocks may differ, and a day begins earlier elsewhere.
DAYS_AHEAD = 1


class Unusable(Exception):
    """The source cannot be read as it is set up or as it answers; the message says why."""


# Whether this source's item of this id and version is known already.
Known = Callable[[str, str], bool]


@dataclass(slots=True)
class Item:
    """One thing on offer: at `url`, or with its bytes in `content`; `version` tells its changes."""

    external_id: str
    url: str = ""
    content: bytes | None = None
    file_name: str = ""
    title: str = ""
    published_on: dt.date | None = None
    version: str = ""
    pushed: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Listing:
    """What a source offers now. `unchanged`: it says itself that nothing is new."""

    items: Iterable[Item] = ()
    etag: str = ""
    last_modified: str = ""
    unchanged: bool = False
    notes: list[str] = field(default_factory=list)


def day_of(stated: str) -> dt.date | None:
    """The day of an ISO date or time; None if it is none."""
    try:
        return dt.date.fromisoformat(stated[:10])
    except ValueError:
        return None


def is_future(day: dt.date, today: dt.date) -> bool:
    """Whether a date of publication cannot be true yet."""
    return day > today + dt.timedelta(days=DAYS_AHEAD)
