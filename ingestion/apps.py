from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.apps import apps as all_apps
from django.db.models.signals import post_migrate


def _sync_topics(apps: Any = all_apps, **_: Any) -> None:
    from ingestion.topic_catalogue import sync_topics  # noqa: PLC0415  no models at import

    try:
        apps.get_model("ingestion", "Topic")
    except LookupError:
        return  # Migrated back to before there were topics.
    sync_topics()


class IngestionConfig(AppConfig):
    name = "ingestion"

    def ready(self) -> None:
        post_migrate.connect(_sync_topics, sender=self, dispatch_uid="ingestion.sync_topics")
