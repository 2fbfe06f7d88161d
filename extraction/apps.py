from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.apps import apps as all_apps
from django.db.models.signals import post_migrate


def _seed_schemas(apps: Any = all_apps, **_: Any) -> None:
    from extraction.changing_schemas import seed_schemas  # noqa: PLC0415  no models at import

    try:
        apps.get_model("extraction", "SchemaVersion")
    except LookupError:
        return  # Migrated back to before there were schemas.
    seed_schemas()


class ExtractionConfig(AppConfig):
    name = "extraction"

    def ready(self) -> None:
        post_migrate.connect(_seed_schemas, sender=self, dispatch_uid="extraction.seed_schemas")
