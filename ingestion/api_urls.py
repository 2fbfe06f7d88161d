"""API routes of `ingestion`, and the API's description of itself."""

from __future__ import annotations

from csp.decorators import csp_update
from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import IsAuthenticated

from ingestion import api, mention_api

app_name = "ingestion_api"

signed_in = {"permission_classes": [IsAuthenticated]}
# Swagger UI styles its elements from its script and has one style block; scripts stay our own.
docs = csp_update({"style-src": ["'unsafe-inline'"]})(
    SpectacularSwaggerSplitView.as_view(url_name="ingestion_api:schema", **signed_in)
)

urlpatterns = [
    path("documents/", api.Documents.as_view(), name="documents"),
    path("documents/upload/", api.Uploads.as_view(), name="upload"),
    path("documents/<uuid:public_id>/", api.DocumentDetails.as_view(), name="document"),
    path("documents/<uuid:public_id>/status/", api.Status.as_view(), name="status"),
    path("documents/<uuid:public_id>/mentions/", mention_api.Mentions.as_view(), name="mentions"),
    path("schema/", SpectacularAPIView.as_view(**signed_in), name="schema"),
    path("docs/", docs, name="docs"),
]
