"""The page from which an operator changes the embedder without a gap, and looks how far it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from docintel import registry, weights
from docintel.models import ModelVersion
from docintel.read_only_admin import ReadOnlyAdmin
from ingestion import reembedding
from ingestion.models import Reembedding
from ingestion.reembedding import CannotReembed

SHOWN = 20


@admin.register(Reembedding)
class ReembeddingAdmin(ReadOnlyAdmin):
    """Its list is the page; every button is a POST that `ingestion.reembedding` may refuse."""

    fields = (
        "embedder", "before", "state", "automatic", "chunks", "seconds", "note", "started_by",
        "started_at", "switched_at",
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, "ingestion_reembedding"
        own: list[URLPattern] = [
            path("start/", view(self.start), name=f"{name}_start"),
            path("steer/<int:pk>/<str:verb>/", view(self.steer), name=f"{name}_steer"),
        ]
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """What embeds, what is being made beside it, and what was."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = list(Reembedding.objects.select_related("embedder", "before")[:SHOWN])
        newest = rows[0] if rows else None
        context = {
            **self.admin_site.each_context(request),
            "title": "Embedder",
            "opts": self.opts,
            "live": registry.live(registry.EMBEDDER),
            "row": newest,
            "progress": reembedding.progress(newest) if newest and newest.is_under_way else None,
            "verbs": _verbs(newest),
            "rows": rows,
            "choices": _choices(),
            "may_steer": request.user.has_perm("ingestion.steer_reembedding"),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/ingestion/reembedding.html", context)

    def start(self, request: HttpRequest) -> HttpResponse:
        """By the number of a version in the registry, or the name of a known model."""
        user = _steering(request)

        def begin() -> None:
            chosen = request.POST.get("embedder", "")
            if chosen.isdecimal():
                rows = ModelVersion.objects.filter(name=registry.EMBEDDER)
                version = get_object_or_404(rows, pk=int(chosen[:9]))
            elif chosen in weights.KNOWN:
                version = reembedding.candidate(chosen)
            else:
                raise CannotReembed("choose an embedder")
            automatic = request.POST.get("when") != "asked"
            reembedding.start(version, who=user.get_username(), automatic=automatic)

        return self._done(request, begin)

    def steer(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """Pause, resume, cancel, switch, roll back or tidy."""
        user = _steering(request)
        row = Reembedding.objects.select_related("embedder", "before").filter(pk=pk).first()
        if row is None:
            return self._done(request, _no_such_step)
        who = user.get_username()
        verbs: dict[str, Callable[[], None]] = {
            "pause": partial(reembedding.pause, row),
            "resume": partial(reembedding.resume, row),
            "cancel": partial(reembedding.cancel, row),
            "switch": partial(reembedding.switch, row, who=who),
            "back": partial(reembedding.roll_back, row, who=who),
            "tidy": partial(reembedding.tidy, row),
        }
        return self._done(request, verbs.get(verb, _no_such_step))

    def _done(self, request: HttpRequest, act: Callable[[], None]) -> HttpResponse:
        try:
            act()
        except CannotReembed as error:
            self.message_user(request, f"Nothing has changed: {error}.", messages.ERROR)
        return redirect("admin:ingestion_reembedding_changelist")


def _no_such_step() -> None:
    raise CannotReembed("there is no such step")


def _steering(request: HttpRequest) -> User:
    if request.method != "POST" or not request.user.has_perm("ingestion.steer_reembedding"):
        raise PermissionDenied
    return cast("User", request.user)


def _verbs(row: Reembedding | None) -> list[tuple[str, str]]:
    """The buttons of a state, the likeliest first."""
    state = Reembedding.State
    if row is None:
        return []
    return {
        state.MAKING: [("pause", "Pause"), ("cancel", "Give up")],
        state.PAUSED: [("resume", "Go on"), ("cancel", "Give up")],
        state.COMPLETE: [
            ("switch", "Switch now"), ("resume", "Try again what failed"), ("cancel", "Give up"),
        ],
        state.LIVE: [("back", "Roll back"), ("tidy", "Let the old vectors go")],
        state.BACK: [("tidy", "Let its vectors go")],
    }.get(state(row.state), [])  # fmt: skip


def _choices() -> list[tuple[str, str]]:
    """Versions in the registry that are not live, and known models without a version."""
    rows = ModelVersion.objects.filter(name=registry.EMBEDDER).exclude(
        state=ModelVersion.State.REJECTED
    )
    known = {row.version for row in rows}
    found = [(str(row.pk), f"{row.version} ({row.state})") for row in rows if not row.is_live]
    return found + [(name, f"{name} (new)") for name in weights.KNOWN if name not in known]
