"""The rows of topics, kept in step with the data; what a person wrote or switched off stays."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from docintel.scheduling import enqueue
from ingestion.classifying.known import known_topics
from ingestion.models import Topic


@transaction.atomic
def sync_topics() -> tuple[int, int]:
    """(topics added, topics that changed); safe to call again.

    A topic that the data no longer has is switched off, so that documents keep what they have.
    """
    rows = {topic.key: topic for topic in Topic.objects.select_for_update()}
    added, changed = [], []
    for ordinal, known in enumerate(known_topics()):
        wanted: dict[str, Any] = {
            "name": known.name,
            "group": known.group,
            "phrases": list(known.phrases),
            "ordinal": ordinal,
        }
        row = rows.pop(known.key, None)
        if row is None:
            added.append(Topic(key=known.key, description=known.description, **wanted))
            continue
        if not row.edited:
            wanted["description"] = known.description
        if any(getattr(row, name) != value for name, value in wanted.items()):
            for name, value in wanted.items():
                setattr(row, name, value)
            changed.append(row)
    Topic.objects.bulk_create(added, ignore_conflicts=True)
    Topic.objects.bulk_update(changed, ["name", "group", "phrases", "ordinal", "description"])
    Topic.objects.filter(key__in=rows).update(active=False)
    return len(added), len(changed)


def save_topic(topic: Topic) -> None:
    """Keep what a person changed; documents are classified anew if it is the description."""
    known = {row.key: row.description for row in known_topics()}
    topic.edited = topic.description != known.get(topic.key)
    topic.save()
    enqueue("ingestion.tasks.classify_pending")
