"""The five groups of people, each with the least it needs; made again after every migration."""

from __future__ import annotations

from typing import Any

from django.apps import apps as django_apps
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

READ = ("ingestion.view_document",)
# Bulk runs of one's own: to start, watch and stop them.
EXTRACT = ("extraction.view_bulkrun", "extraction.add_bulkrun")
# What was trained and how it was judged, and which version serves.
JUDGE = (
    "docintel.view_modelversion",
    "docintel.view_modelflip",
    "docintel.flip_modelversion",
    "training.view_trainingrun",
    "training.view_gateverdict",
    "training.view_snapshot",
)
# Group name -> "app.codename" permissions. A trailing ".*" stands for all of an app.
PERMISSIONS: dict[str, tuple[str, ...]] = {
    "analyst": (*READ, "ingestion.add_document"),
    "expert": (
        *READ,
        *EXTRACT,
        "ingestion.add_document",
        "ingestion.change_document",
        "ingestion.view_topic",
        "ingestion.change_topic",
        "ingestion.view_topiclabel",
        "ingestion.add_topiclabel",
        "ingestion.change_topiclabel",
        "ingestion.delete_topiclabel",
        "extraction.view_schema",
        "extraction.add_schema",
        "extraction.change_schema",
        "extraction.view_schemaversion",
        *JUDGE,
        "review.view_reviewitem",
        "review.correct_reviewitem",
        "review.adjudicate_reviewitem",
        "review.view_correction",
    ),
    "integrator": (*READ, *EXTRACT, "ingestion.add_document"),
    "operator": (
        *READ,
        *EXTRACT,
        "extraction.operate_extraction",
        "ingestion.operate_pipeline",
        "ingestion.view_reembedding",
        "ingestion.steer_reembedding",
        "ingestion.view_source",
        "ingestion.add_source",
        "ingestion.change_source",
        "docintel.view_measurement",
        *JUDGE,
        "training.view_flywheelsettings",
        "training.change_flywheelsettings",
        "review.view_reviewitem",
        "review.view_desksettings",
        "review.change_desksettings",
    ),
    "admin": (
        "ingestion.*",
        "extraction.*",
        "review.*",
        "feed.*",
        "training.*",
        "docintel.*",
        "auth.*",
        "axes.*",
        "django_q.*",
    ),
}
# Who may enter the Django admin; what they see there is up to the permissions above.
STAFF_GROUPS = ("expert", "operator", "admin")


def sync_groups(**_: Any) -> None:
    """Create the groups and give each exactly its permissions; safe to call again."""
    for name, wanted in PERMISSIONS.items():
        group, _created = Group.objects.get_or_create(name=name)
        group.permissions.set(Permission.objects.filter(_condition(wanted)))


def _condition(wanted: tuple[str, ...]) -> Q:
    condition = Q(pk__in=[])
    labels = {config.label for config in django_apps.get_app_configs()}
    for permission in wanted:
        app, _, codename = permission.partition(".")
        if app not in labels:
            continue
        one = Q(content_type__app_label=app)
        condition |= one if codename == "*" else one & Q(codename=codename)
    return condition
