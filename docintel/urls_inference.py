"""Routes of the inference role; the model is started by the ASGI application."""

from __future__ import annotations

from django.urls import path

from docintel.inference import views

urlpatterns = [
    path("v1/embeddings", views.embeddings, name="embeddings"),
    path("health", views.health, name="health"),
    path("metrics", views.metrics, name="metrics"),
]
