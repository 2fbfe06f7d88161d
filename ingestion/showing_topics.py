"""The topics of documents that are about to be shown; one query for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ingestion.classifying.calibration import SHOWN
from ingestion.models import DocumentTopic


def with_topics(arrivals: Sequence[Any]) -> Sequence[Any]:
    """The same rows, each with `shown_topics`: its likely topics, the most likely first.

    A sighting has those of the document that stands for its text.
    """
    ids = {row.duplicate_of_id or row.pk for row in arrivals}
    rows = DocumentTopic.objects.filter(
        document__in=ids, probability__gte=SHOWN, topic__active=True
    ).select_related("topic")
    found: dict[int, list[DocumentTopic]] = {}
    for row in rows.order_by("-probability", "topic"):
        found.setdefault(row.document_id, []).append(row)
    for arrival in arrivals:
        arrival.shown_topics = found.get(arrival.duplicate_of_id or arrival.pk, [])
    return arrivals
