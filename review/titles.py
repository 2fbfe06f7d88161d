"""What people call labels and topics, in place of the keys by which tables know them."""

from __future__ import annotations

from collections.abc import Iterable

from extraction.models import Schema
from ingestion.models import Topic
from review.item_tables import ReviewItem


def label_titles() -> dict[str, str]:
    """Key to title, of the labels of all schemas; two that differ are named both."""
    found: dict[str, list[str]] = {}
    for schema in Schema.objects.order_by("name"):
        for label in schema.read().labels:
            titles = found.setdefault(label.name, [])
            if label.shown not in titles:
                titles.append(label.shown)
    return {name: " / ".join(titles) for name, titles in found.items()}


def with_titles(items: Iterable[ReviewItem]) -> list[ReviewItem]:
    """The same rows, each with `title`: what its label is called."""
    rows = list(items)
    labels = label_titles()
    topics = dict(Topic.objects.values_list("key", "name"))
    for row in rows:
        known = topics if row.kind == ReviewItem.Kind.TOPIC else labels
        row.title = known.get(row.label, row.label)  # type: ignore[attr-defined]
    return rows
