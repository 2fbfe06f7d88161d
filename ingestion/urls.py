"""Routes of `ingestion`."""

from __future__ import annotations

from django.urls import path

from ingestion import arrival_views, ledger_views, revision_views, source_views, views

app_name = "ingestion"
urlpatterns = [
    path("documents/", views.documents, name="documents"),
    path("documents/status/", views.status, name="status"),
    path("documents/<uuid:public_id>/", views.document, name="document"),
    path("documents/<uuid:public_id>/text/", views.text, name="text"),
    path("documents/<uuid:public_id>/pages/", views.pages, name="pages"),
    path("documents/<uuid:public_id>/pages/<int:number>/", views.page, name="page"),
    path(
        "documents/<uuid:public_id>/pages/<int:number>/image/",
        views.page_image,
        name="page_image",
    ),
    path("documents/<uuid:public_id>/file/", views.file, name="file"),
    path("documents/<uuid:public_id>/edit/", views.edit, name="edit"),
    path("documents/<uuid:public_id>/changes/", revision_views.changes, name="changes"),
    path("documents/<uuid:public_id>/withdraw/", revision_views.withdraw, name="withdraw"),
    path("documents/<uuid:public_id>/rerun/", revision_views.rerun, name="rerun"),
    path("ledger/", ledger_views.ledger, name="ledger"),
    path("ledger/rerun/", ledger_views.rerun, name="rerun_source"),
    path("ledger/absent/", ledger_views.confirm_absent, name="confirm_absent"),
    path("upload/", arrival_views.upload, name="upload"),
    path("sources/", source_views.sources, name="sources"),
    path("sources/new/", source_views.new_source, name="new_source"),
    path("sources/<int:source>/", source_views.source, name="source"),
    path("sources/<int:source>/edit/", source_views.edit_source, name="edit_source"),
    path("quarantine/", arrival_views.quarantine, name="quarantine"),
    path("quarantine/<uuid:public_id>/retry/", arrival_views.retry, name="retry"),
    path("quarantine/<uuid:public_id>/drop/", arrival_views.drop, name="drop"),
]
