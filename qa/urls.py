"""Routes of `qa`."""

from __future__ import annotations

from django.urls import path

from qa import ask_views, views

app_name = "qa"
urlpatterns = [
    path("", views.search, name="search"),
    path("documents/<uuid:public_id>/hits/", views.hits, name="hits"),
    path("ask/stream/", ask_views.stream, name="ask_stream"),
]
