"""Routes of `extraction`."""

from __future__ import annotations

from django.urls import path

from extraction import bulk_views, export_views, views

app_name = "extraction"
urlpatterns = [
    path("documents/<uuid:public_id>/extracted/", views.document, name="document"),
    path("documents/<uuid:public_id>/extracted/panel/", views.panel, name="panel"),
    path("documents/<uuid:public_id>/extracted/text/", views.text, name="text"),
    path("documents/<uuid:public_id>/extracted/again/", views.again, name="again"),
    path("documents/<uuid:public_id>/extracted/export/", export_views.document, name="export"),
    path("companies/<int:pk>/figures/", views.company_figures, name="company_figures"),
    path("extraction/", bulk_views.bulk_runs, name="bulk_runs"),
    path("extraction/export/", export_views.scope, name="export_scope"),
    path("extraction/expected/", bulk_views.expected, name="expected"),
    path("extraction/failed/", bulk_views.failed, name="failed"),
    path("extraction/runs/<uuid:public_id>/", bulk_views.bulk, name="bulk"),
    path("extraction/runs/<uuid:public_id>/progress/", bulk_views.progress, name="progress"),
    path("extraction/runs/<uuid:public_id>/change/", bulk_views.change, name="change"),
    path("extraction/runs/<uuid:public_id>/export/", export_views.bulk, name="export_bulk"),
    path("extraction/colours/<slug:schema>.css", views.colour_sheet, name="colours"),
]
