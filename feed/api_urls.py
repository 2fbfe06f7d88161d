"""Routes of the feed."""

from __future__ import annotations

app_name = "feed_api"
urlpatterns: list = []
