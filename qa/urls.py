"""Routes of `qa`."""

from __future__ import annotations

from django.urls import path

from qa import answer_views, ask_views, views

app_name = "qa"
urlpatterns = [
    path("", views.search, name="search"),
    path("documents/<uuid:public_id>/hits/", views.hits, name="hits"),
    path("ask/", answer_views.ask, name="ask"),
    path("ask/stream/", ask_views.stream, name="ask_stream"),
    path("answers/", answer_views.answers, name="answers"),
    path("answers/<uuid:public_id>/", answer_views.answer, name="answer"),
    path("answers/<uuid:public_id>/feedback/", answer_views.feedback, name="feedback"),
    path("answers/<uuid:public_id>/opened/", answer_views.opened, name="opened"),
    path("experiment/", answer_views.experiment, name="experiment"),
]
