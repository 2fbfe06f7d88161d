"""What the queue's page shows: how much waits and how long, and the most valuable of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Count, Min

from docintel.models import ModelVersion
from extraction.models import Schema
from ingestion.models import Source
from review.choosing_items import BANDS, Filters
from review.item_tables import ItemQuerySet, ReviewItem
from review.titles import label_titles, with_titles

PER_PAGE = 50
DEEPEST_PAGE = 200


@dataclass(frozen=True, slots=True)
class Length:
    """How much of a kind waits, and since when the oldest does."""

    kind: str
    title: str
    count: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list; `more` says whether there is another."""

    number: int
    items: list[ReviewItem]
    more: bool


def page(user: User, filters: Filters, number: int) -> Page:
    """The items of these filters, the most valuable first; without counting them."""
    number = min(max(number, 1), DEEPEST_PAGE)
    found = filters.of(ReviewItem.objects.visible_to(user)).listed().order_by("-value", "pk")
    first = (number - 1) * PER_PAGE
    rows = list(found[first : first + PER_PAGE + 1])
    return Page(number, with_titles(rows[:PER_PAGE]), len(rows) > PER_PAGE)


def lengths(user: User) -> list[Length]:
    """By kind, those of which something waits."""
    rows = ReviewItem.objects.visible_to(user).waiting().order_by().values("kind")
    counted = rows.annotate(n=Count("pk"), oldest=Min("created_at")).order_by("kind")
    titles = dict(ReviewItem.Kind.choices)
    return [Length(row["kind"], titles[row["kind"]], row["n"], row["oldest"]) for row in counted]


def disputed(user: User) -> int:
    """How many items wait for somebody to settle them."""
    return _of(user).filter(state=ReviewItem.State.ADJUDICATE).count()


def choices(user: User) -> dict[str, list[tuple[str, str]]]:
    """What can be filtered by, as pairs of value and words; sources that this person may see."""
    schemas = list(Schema.objects.order_by("name"))
    labels = sorted(label_titles().items(), key=lambda pair: pair[1].lower())
    versions = ModelVersion.objects.filter(kind="tagger").order_by("name", "-number")
    sources = Source.objects.visible_to(user).order_by("name")
    return {
        "kind": list(ReviewItem.Kind.choices),
        "schema": [(schema.name, str(schema)) for schema in schemas],
        "label": labels,
        "source": [(str(source.pk), source.name) for source in sources],
        "band": [(band, f"{band}\N{NO-BREAK SPACE}%") for band in BANDS],
        "version": [(str(version.pk), str(version)) for version in versions],
        "state": list(ReviewItem.State.choices),
    }


def assign(user: User, ids: list[int], to: User | None) -> int:
    """Waiting items that this person may see are for somebody, or for nobody in particular."""
    return _of(user).waiting().filter(pk__in=ids).update(assigned_to=to)


def _of(user: User) -> ItemQuerySet:
    return ReviewItem.objects.visible_to(user).order_by()
