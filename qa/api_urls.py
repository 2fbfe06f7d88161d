"""API routes of `qa`."""

from __future__ import annotations

from django.urls import path

from qa import api

app_name = "qa_api"
urlpatterns = [path("search/", api.Search.as_view(), name="search")]
