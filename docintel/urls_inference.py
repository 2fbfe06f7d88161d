"""Routes of the inference role."""

from __future__ import annotations

from typing import Any

urlpatterns: list[Any] = []
