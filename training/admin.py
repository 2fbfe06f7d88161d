"""The admin of training runs: what was asked, how far it is, what it left. Only to look at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from docintel.read_only_admin import ReadOnlyAdmin
from training import runs
from training.models import TrainingRun


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    list_display = (
        "id", "name", "state", "done", "started_at", "seconds", "version", "started_by",
    )  # fmt: skip
    list_filter = ("name", "state")
    list_select_related = ("version",)
    fields = (
        "name", "state", "done", "started_at", "finished_at", "seconds", "started_by", "version",
        "resumed_from", "seed", "args", "snapshot_hash", "host", "pid", "error", "log",
    )  # fmt: skip
    readonly_fields = ("done",)

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

    @admin.display(description="Done")
    def done(self, run: TrainingRun) -> str:
        return f"{run.progress:.0%}"
