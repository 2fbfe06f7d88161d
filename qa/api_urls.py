"""API routes of `qa`."""

from __future__ import annotations

from django.urls import path

from qa import api, ask_api

app_name = "qa_api"
urlpatterns = [
    path("search/", api.Search.as_view(), name="search"),
    path("ask/", ask_api.Asks.as_view(), name="ask"),
    path("answers/<uuid:public_id>/", ask_api.AnswerById.as_view(), name="answer"),
    path("answers/<uuid:public_id>/feedback/", ask_api.FeedbackById.as_view(), name="feedback"),
]
