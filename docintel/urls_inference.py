"""Routes of the inference role; the model is started by the ASGI application."""

from __future__ import annotations

from django.urls import path

from docintel.inference import rerank_views, views

urlpatterns = [
    path("v1/embeddings", views.embeddings, name="embeddings"),
    path("v1/rerank", rerank_views.rerank, name="rerank"),
    # TEI's own address.
    path("rerank", rerank_views.rerank),
    path("health", views.health, name="health"),
    path("metrics", views.metrics, name="metrics"),
]
