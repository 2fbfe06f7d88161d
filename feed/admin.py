"""Why an analyst saw a document where they saw it, and how credible each source is."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, StackedInline

from docintel.read_only_admin import ReadOnlyAdmin
from feed import credibility, ranking
from feed.contributing import why
from feed.models import FeedEvent, RankFailure, RatedSource, SourceRate
from ingestion.models import Document, Source


@admin.register(FeedEvent)
class FeedEventAdmin(ReadOnlyAdmin):
    """Impressions of documents that the person at the admin may see."""

    list_display = ("occurred_at", "user", "document", "position", "exploring", "version")
    list_filter = ("exploring", "version")
    list_select_related = ("user", "document", "version")
    search_fields = ("user__username", "document__title")
    fields = (
        "user", "document", "occurred_at", "position", "exploring", "propensity", "version", "page",
        "ranked_by",
    )  # fmt: skip
    readonly_fields = ("ranked_by",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[FeedEvent]:
        found: QuerySet[Any] = super().get_queryset(request)
        documents = Document.objects.visible_to(request.user).order_by()
        return found.filter(verb=FeedEvent.Verb.IMPRESSION, document__in=documents)

    @admin.display(description="Ranked by")
    def ranked_by(self, event: FeedEvent) -> SafeString | str:
        """Feature, value and what it added, the strongest first."""
        rows = [
            (part.name, "unknown" if part.value is None else f"{part.value:.3f}",
             f"{part.added:+.3f}")
            for part in why(event)
        ]  # fmt: skip
        if not rows:
            return "Not known: it was shown before this was kept."
        return format_html_join("\n", "<p><b>{}</b> = {}: {}</p>", rows)


class RateInline(StackedInline):
    model = SourceRate
    extra = 0
    max_num = 1


@admin.register(RatedSource)
class RatedSourceAdmin(ModelAdmin):
    """What was learned of each source, and beside it what a person says instead."""

    list_display = ("name", "kind", "credibility", "learned_rate", "rate_now")
    search_fields = ("name",)
    fields = ("name", "kind", "credibility", "learned_rate")
    readonly_fields = ("name", "kind", "learned_rate")
    inlines = (RateInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RatedSource]:
        sources = Source.objects.visible_to(request.user)
        found: QuerySet[RatedSource] = super().get_queryset(request)
        # Once for the page, not for each of its rows.
        self._firm = credibility.firm()
        return found.filter(pk__in=sources).select_related("rate_by_hand")

    def has_add_permission(self, _: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, _: HttpRequest, __: Any = None) -> bool:
        return False

    @admin.display(description="Learned rate")
    def learned_rate(self, source: RatedSource) -> str:
        found = credibility.learned(self._firm, source.pk)
        return f"{found.rate:.3f} ({found.opened:,.0f} opened of {found.shown:,.0f} shown)"

    @admin.display(description="Rate by hand")
    def rate_now(self, source: RatedSource) -> str:
        rate = self._firm.by_hand.get(source.pk)
        return "" if rate is None else f"{rate:.2f}"

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: ARG002
        for row in formset.save(commit=False):
            row.set_by_id, row.set_at = request.user.pk, timezone.now()
            row.save()
        for row in formset.deleted_objects:
            row.delete()
        if formset.has_changed():
            ranking.rerank_all()


@admin.register(RankFailure)
class RankFailureAdmin(ModelAdmin):
    """Documents that could not be ranked; deleting a row has one tried again."""

    list_display = ("document", "attempts", "reason", "retry_after")
    list_select_related = ("document",)
    fields = ("document", "attempts", "reason", "retry_after")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[RankFailure]:
        documents = Document.objects.visible_to(request.user).order_by()
        found: QuerySet[RankFailure] = super().get_queryset(request)
        return found.filter(document__in=documents)

    def has_add_permission(self, _: HttpRequest) -> bool:
        return False
