"""The admin of review: the queue with its desk, agreement and experts' pages, and what was said."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.response import TemplateResponse
from django.urls import path
from unfold.admin import ModelAdmin

from docintel.read_only_admin import ReadOnlyAdmin
from extraction.models import Schema
from review import agreement, choosing_items, desk_views, experts, queue_page
from review.judged_rules import judged_rules
from review.models import Correction, DeskSettings, ReviewItem
from review.titles import label_titles

ASSIGN = {"me": "You have", "nobody": "Nobody in particular has"}


@admin.register(ReviewItem)
class ReviewItemAdmin(ReadOnlyAdmin):
    """The queue, and from it the desk; an item's own page is the desk with it."""

    fields = (
        "kind", "label", "text", "document", "schema", "schema_version", "model_version",
        "confidence", "why", "reason", "audit", "value", "state", "leased_to", "leased_until",
        "assigned_to", "wanted", "created_at", "closed_at", "proposal",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReviewItem]:
        return ReviewItem.objects.visible_to(request.user).listed()

    def get_urls(self) -> list[Any]:
        view, name = self.admin_site.admin_view, "review_reviewitem"
        return [
            path("desk/", view(desk_views.desk), name=f"{name}_desk"),
            path("desk/next/", view(desk_views.next_one), name=f"{name}_next"),
            path("desk/item/<int:pk>/", view(desk_views.one), name=f"{name}_one"),
            path("desk/verdict/<int:pk>/", view(desk_views.verdict), name=f"{name}_verdict"),
            path("desk/undo/", view(desk_views.undo_last), name=f"{name}_undo"),
            path("desk/leave/", view(desk_views.leave), name=f"{name}_leave"),
            path("desk/keys/", view(desk_views.keys), name=f"{name}_keys"),
            path("agreement/", view(self.agreement), name=f"{name}_agreement"),
            path("mine/", view(self.mine), name=f"{name}_mine"),
            path("rules/<int:pk>/", view(self.rules), name=f"{name}_rules"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The queue: its lengths, and the most valuable of what the filters leave."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        user = cast("User", request.user)
        may_correct = user.has_perm("review.correct_reviewitem")
        if request.method == "POST" and "to" in request.POST:
            return self._assigned(request, user)
        filters = choosing_items.read(request.GET, user)
        number = choosing_items.number(request.GET.get("page", "")) or 1
        context = {
            "title": "Review queue",
            "filters": filters,
            "page": queue_page.page(user, filters, number),
            "lengths": queue_page.lengths(user),
            "disputed": queue_page.disputed(user),
            "choices": queue_page.choices(user),
            "may_correct": may_correct,
            **(extra_context or {}),
        }
        return self._page(request, "queue", context)

    def _assigned(self, request: HttpRequest, user: User) -> HttpResponse:
        if not user.has_perm("review.correct_reviewitem"):
            raise PermissionDenied
        ids = [choosing_items.number(value) for value in request.POST.getlist("item")[:1_000]]
        to = request.POST.get("to", "")
        if to in ASSIGN:
            count = queue_page.assign(user, ids, user if to == "me" else None)
            messages.success(request, f"{ASSIGN[to]} {count} of them now.")
        return redirect(request.get_full_path())

    def agreement(self, request: HttpRequest) -> HttpResponse:
        """How far experts agree who were asked blind, and what waits for a third."""
        if not request.user.has_perm("review.correct_reviewitem"):
            raise PermissionDenied
        user = cast("User", request.user)
        pairs = agreement.opinions(user)
        context = {
            "title": "Agreement",
            "items": len(pairs),
            "tables": [
                ("Label", agreement.by_label(pairs, label_titles())),
                ("Experts", agreement.by_pair(pairs)),
            ],
            "disputed": queue_page.disputed(user),
        }
        return self._page(request, "agreement", context)

    def mine(self, request: HttpRequest) -> HttpResponse:
        """What this expert has done."""
        if not request.user.has_perm("review.correct_reviewitem"):
            raise PermissionDenied
        work = experts.work_of(cast("User", request.user))
        return self._page(request, "mine", {"title": "My reviews", "work": work})

    def rules(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A part of a schema's page: how right its rules are."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        schema = get_object_or_404(Schema, pk=pk)
        found = judged_rules(schema, cast("User", request.user))
        return render(request, "admin/review/_rules.html", {"rules": found})

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        full = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/review/{name}.html", full)


@admin.register(Correction)
class CorrectionAdmin(ReadOnlyAdmin):
    """What was said, for good; undone at the desk only."""

    list_display = ("at", "who", "kind", "verdict", "role", "item", "document", "seconds", "audit")
    list_filter = ("kind", "verdict", "role", "audit", "schema")
    list_select_related = ("item", "document")
    search_fields = ("who",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Correction]:
        rows = Correction.objects.visible_to(request.user)
        return rows.defer("document__text", "document__sections", "document__tables")


@admin.register(DeskSettings)
class DeskSettingsAdmin(ModelAdmin):
    """One row for everyone."""

    list_display = ("__str__", "audit_share", "double_share", "lease_minutes", "routes_a_week")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeskSettings]:
        DeskSettings.current()
        found: QuerySet[DeskSettings] = super().get_queryset(request)
        return found

    def has_add_permission(self, *_: Any) -> bool:
        return False

    def has_delete_permission(self, *_: Any) -> bool:
        return False
