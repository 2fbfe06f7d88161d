"""The admin of training: runs, snapshots and verdicts to look at, the settings, and the story."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from docintel.read_only_admin import ReadOnlyAdmin
from training import runs, telling_story
from training.models import FlywheelSettings, GateVerdict, Snapshot, TrainingRun


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    list_display = (
        "id", "name", "state", "done", "started_at", "seconds", "version", "started_by",
    )  # fmt: skip
    list_filter = ("name", "state")
    list_select_related = ("version",)
    list_before_template = "admin/training/to_story.html"
    fields = (
        "name", "state", "done", "started_at", "finished_at", "seconds", "started_by", "version",
        "resumed_from", "seed", "args", "snapshot_hash", "host", "pid", "error", "log",
    )  # fmt: skip
    readonly_fields = ("done",)

    def get_urls(self) -> list[URLPattern]:
        story = self.admin_site.admin_view(self.story)
        own: list[URLPattern] = [path("story/", story, name="training_trainingrun_story")]
        return own + super().get_urls()

    def get_queryset(self, request: HttpRequest) -> QuerySet[TrainingRun]:
        found: QuerySet[TrainingRun] = super().get_queryset(request)
        # A log may be long, and a list of runs shows none.
        match = request.resolver_match
        if match is not None and "object_id" in match.kwargs:
            return found
        return found.defer("log", "error", "args")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        runs.mark_killed()
        return super().changelist_view(request, extra_context)

    def story(self, request: HttpRequest) -> HttpResponse:
        """Of the model that ?name= names, else of the first there is. Nothing can be changed."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(status=405)
        runs.mark_killed()
        names = telling_story.names()
        name = request.GET.get("name") or (names[0] if names else "")
        if name and name not in names:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "title": "Training story",
            "opts": self.opts,
            "names": names,
            "story": telling_story.tell(name) if name else None,
        }
        return TemplateResponse(request, "admin/training/story.html", context)

    @admin.display(description="Done")
    def done(self, run: TrainingRun) -> str:
        return f"{run.progress:.0%}"


@admin.register(GateVerdict)
class GateVerdictAdmin(ReadOnlyAdmin):
    """What the gate said; the database refuses to change it."""

    list_display = ("id", "candidate", "live", "outcome", "why", "seconds", "at")
    list_filter = ("outcome", "candidate__name")
    list_select_related = ("candidate", "live")
    fields = (
        "candidate", "live", "outcome", "why", "run", "snapshot_hash", "seconds", "who", "at",
        "all_measures",
    )  # fmt: skip
    readonly_fields = ("all_measures",)

    @admin.display(description="Report")
    def all_measures(self, verdict: GateVerdict) -> SafeString:
        text = json.dumps(verdict.report, indent=2, ensure_ascii=False)
        return format_html('<pre class="overflow-x-auto max-h-96">{}</pre>', text)


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    """What was learned from, and when; the file is written out by `manage.py snapshot`."""

    list_display = (
        "name", "number", "examples", "test_examples", "documents", "test_documents",
        "corrections", "created_at",
    )  # fmt: skip
    list_filter = ("name",)


@admin.register(FlywheelSettings)
class FlywheelSettingsAdmin(ModelAdmin):
    """One row: whether what passes goes live by itself, and how much is enough to learn again."""

    list_display = ("__str__", "mode", "enough", "weekly", "dollars_per_hour")

    def has_add_permission(self, *_: Any) -> bool:
        return False

    def has_delete_permission(self, *_: Any) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        FlywheelSettings.current()
        return super().changelist_view(request, extra_context)
