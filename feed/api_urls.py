"""API routes of `feed`."""

from __future__ import annotations

from django.urls import path

from feed import api, search_api

app_name = "feed_api"
urlpatterns = [
    path("feed/", api.Feed.as_view(), name="feed"),
    path("feed/events/", api.Events.as_view(), name="events"),
    path("follows/", api.Follows.as_view(), name="follows"),
    path("saved-searches/", search_api.Searches.as_view(), name="searches"),
    path("saved-searches/<uuid:public_id>/", search_api.Search.as_view(), name="search"),
]
