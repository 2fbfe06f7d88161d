"""Routes of `ingestion`."""

from __future__ import annotations

from typing import Any

app_name = "ingestion_api"
urlpatterns: list[Any] = []
