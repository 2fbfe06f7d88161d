from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _sync_groups(**kwargs: Any) -> None:
    from docintel.groups import sync_groups  # noqa: PLC0415  models are not ready at import

    sync_groups(**kwargs)


class DocintelConfig(AppConfig):
    name = "docintel"

    def ready(self) -> None:
        # Without a sender: the last app to migrate brings the last permissions.
        post_migrate.connect(_sync_groups, dispatch_uid="docintel.sync_groups")
