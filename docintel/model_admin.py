"""The admin of model versions: which is live, made live or rolled back by a click, and by whom."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from unfold.forms import ActionForm
from unfold.widgets import UnfoldAdminTextInputWidget

from docintel import registry
from docintel.artefacts import ArtefactDamaged
from docintel.models import ModelFlip, ModelVersion
from docintel.read_only_admin import ReadOnlyAdmin
from docintel.registry import CannotFlip

FLIPS_SHOWN = 50


class FlipForm(ActionForm):
    why = forms.CharField(
        required=False,
        max_length=500,
        label="",
        widget=UnfoldAdminTextInputWidget({"placeholder": "Why", "aria-label": "Why"}),
    )


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Nothing is edited; the two actions go through the registry, and each leaves an audit row."""

    list_display = ("name", "number", "version", "state", "numbers", "created_by", "created_at")
    list_filter = ("name", "state")
    ordering = ("name", "-number")
    actions = ("make_live", "roll_back", "reject")
    action_form = FlipForm
    fields = (
        "name", "number", "version", "state", "created_by", "created_at", "numbers", "history",
        "card_text", "files_table", "digest", "base_encoder", "base_digest", "snapshot_hash",
        "all_metrics",
    )  # fmt: skip
    readonly_fields = ("numbers", "history", "card_text", "files_table", "all_metrics")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        found: QuerySet[ModelVersion] = super().get_queryset(request)
        # It may hold a whole small model, which no page shows.
        return found.defer("metadata")

    def has_flip_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("docintel.flip_modelversion")

    @admin.action(description="Make live", permissions=["flip"])
    def make_live(self, request: HttpRequest, versions: QuerySet[ModelVersion]) -> None:
        self._flip(request, versions, registry.make_live, "{} is live.")

    @admin.action(description="Roll back to the one before", permissions=["flip"])
    def roll_back(self, request: HttpRequest, versions: QuerySet[ModelVersion]) -> None:
        def back(version: ModelVersion, **said: str) -> ModelFlip:
            return registry.roll_back(version.name, **said)

        self._flip(request, versions, back, "{} is live again.")

    @admin.action(description="Reject", permissions=["flip"])
    def reject(self, request: HttpRequest, versions: QuerySet[ModelVersion]) -> None:
        self._flip(request, versions, registry.reject, "Rejected; {} is live.")

    def _flip(
        self,
        request: HttpRequest,
        versions: QuerySet[ModelVersion],
        verb: Callable[..., ModelFlip | None],
        done: str,
    ) -> None:
        if versions.count() != 1:
            self.message_user(request, "Choose one version.", messages.WARNING)
            return
        who = cast("AbstractBaseUser", request.user).get_username()
        try:
            flip = verb(versions.get(), who=who, why=request.POST.get("why", "")[:500])
        except (CannotFlip, ArtefactDamaged) as error:
            self.message_user(request, f"Nothing has changed: {error}.", messages.ERROR)
            return
        if flip is None:
            self.message_user(request, "It is live already.")
            return
        self.message_user(request, done.format(flip.to_version or "nothing"), messages.SUCCESS)

    @admin.display(description="Measures")
    def numbers(self, version: ModelVersion) -> str:
        """Those of the first level, for a line of a list."""
        found = {k: v for k, v in version.metrics.items() if isinstance(v, int | float)}
        return ", ".join(f"{name} {value:.4g}" for name, value in found.items()) or "–"

    @admin.display(description="All measures")
    def all_metrics(self, version: ModelVersion) -> SafeString:
        text = json.dumps(version.metrics, indent=2, ensure_ascii=False)
        return format_html('<pre class="overflow-x-auto max-h-96">{}</pre>', text)

    @admin.display(description="Card")
    def card_text(self, version: ModelVersion) -> SafeString | str:
        if not version.card:
            return "–"
        return format_html('<pre class="whitespace-pre-wrap">{}</pre>', version.card)

    @admin.display(description="Files")
    def files_table(self, version: ModelVersion) -> SafeString | str:
        rows = [
            (name, f"{known['bytes']:,} bytes", known["sha256"])
            for name, known in sorted(version.files.items())
        ]
        return _table(rows) if rows else "–"

    @admin.display(description="Which was live")
    def history(self, version: ModelVersion) -> SafeString | str:
        """Every flip of the name, the latest first."""
        flips = ModelFlip.objects.filter(name=version.name)
        flips = flips.select_related("version", "from_version", "to_version")
        return _table([_row(flip) for flip in flips[:FLIPS_SHOWN]]) or "–"


@admin.register(ModelFlip)
class ModelFlipAdmin(ReadOnlyAdmin):
    """The audit trail; the database itself refuses to change it."""

    list_display = ("at", "name", "action", "from_version", "to_version", "who", "why")
    list_filter = ("name", "action")
    list_select_related = ("from_version", "to_version")
    search_fields = ("name", "who", "why")
    ordering = ("-pk",)


def _row(flip: ModelFlip) -> tuple[str, ...]:
    before, after = (f"{v.number}" if v else "none" for v in (flip.from_version, flip.to_version))
    moved = f"{before} → {after}" if before != after else f"{flip.version.number}"
    at = date_format(localtime(flip.at), "Y-m-d H:i")
    return at, str(flip.get_action_display()), moved, flip.who or "–", flip.why


def _table(rows: list[tuple[Any, ...]]) -> SafeString:
    cell = '<td class="pr-6 py-1 align-top break-all">{}</td>'
    lines = ((format_html_join("", cell, ((each,) for each in row)),) for row in rows)
    body = format_html_join("", "<tr>{}</tr>", lines)
    return format_html("<table>{}</table>", body) if rows else SafeString("")
