"""Routes of `qa`."""

from __future__ import annotations

from typing import Any

app_name = "qa_api"
urlpatterns: list[Any] = []
