"""API routes of `extraction`."""

from __future__ import annotations

from django.urls import path

from extraction import api

app_name = "extraction_api"
urlpatterns = [
    path("extractions/spans/", api.Spans.as_view(), name="spans"),
    path("extractions/relations/", api.Relations.as_view(), name="relations"),
    path("extractions/runs/", api.Runs.as_view(), name="runs"),
    path("extractions/bulk-runs/", api.BulkRuns.as_view(), name="bulk_runs"),
    path("extractions/bulk-runs/<uuid:public_id>/", api.BulkRunById.as_view(), name="bulk_run"),
]
