"""Why an analyst saw a document where they saw it: what was shown, and by what it was ranked."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from docintel.read_only_admin import ReadOnlyAdmin
from feed.explaining import why
from feed.models import FeedEvent
from ingestion.models import Document


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
