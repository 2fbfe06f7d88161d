"""What of the queue a person wants to see: filters as the address has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q

from ingestion.querysets import User
from review.item_tables import ItemQuerySet, ReviewItem

# Confidence from, and below.
BANDS = {
    "0-50": (0.0, 0.5),
    "50-70": (0.5, 0.7),
    "70-90": (0.7, 0.9),
    "90-100": (0.9, 1.01),
}
LONGEST = 120


@dataclass(frozen=True, slots=True)
class Filters:
    """Empty fields confine nothing, several add up (and); what is no filter's value finds nothing.

    `mine` is the id of a person, or 0.
    """

    kind: str = ""
    schema: str = ""
    label: str = ""
    source: int = 0
    band: str = ""
    version: int = 0
    mine: int = 0
    state: str = ReviewItem.State.OPEN

    def of(self, items: ItemQuerySet) -> ItemQuerySet:
        """Those of these items."""
        low, high = BANDS.get(self.band, (None, None))
        wanted: dict[str, Any] = {
            "kind": self.kind,
            "schema__name": self.schema,
            "label": self.label,
            "document__source": self.source,
            "model_version": self.version,
            "confidence__gte": low,
            "confidence__lt": high,
            "state": self.state,
        }
        found = items.filter(**{name: value for name, value in wanted.items() if value})
        if self.mine:
            found = found.filter(Q(assigned_to=self.mine) | Q(leased_to=self.mine))
        return found

    @property
    def query(self) -> str:
        """For an address, without what has its default; `read` reads it."""
        given = {
            one.name: getattr(self, one.name)
            for one in fields(self)
            if getattr(self, one.name) != one.default
        }
        if "mine" in given:
            given["mine"] = "me"
        return urlencode(given)


def read(params: Mapping[str, str], user: User) -> Filters:
    """From an address; a value that is none is left out."""
    return Filters(
        kind=_one_of(ReviewItem.Kind.values, params.get("kind", "")),
        schema=_words(params.get("schema", "")),
        label=_words(params.get("label", "")),
        source=number(params.get("source", "")),
        band=_one_of(BANDS, params.get("band", "")),
        version=number(params.get("version", "")),
        mine=(user.pk or 0) if params.get("mine") == "me" else 0,
        state=_one_of(ReviewItem.State.values, params.get("state", "")) or ReviewItem.State.OPEN,
    )


def _one_of(known: Any, value: str) -> str:
    return value if value in known else ""


def _words(value: str) -> str:
    return value.replace("\0", "")[:LONGEST]


def number(value: str) -> int:
    """A number of an address; 0 where it is none."""
    return int(value) if value.isascii() and value.isdecimal() and len(value) <= 9 else 0
