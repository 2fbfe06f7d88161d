"""The admin of sources, companies and documents.

Documents are read as everywhere by `visible_to`, and no list loads a body.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from docintel.admin import ReadOnlyAdmin
from ingestion.linking_older import look_again
from ingestion.merging import merge_companies, split_alias
from ingestion.metadata import company_key
from ingestion.models import Company, CompanyAlias, Document, Source
from ingestion.reembedding_admin import ReembeddingAdmin
from ingestion.sightings import STATES, arrivals
from ingestion.topic_admin import TopicAdmin, TopicLabelAdmin

__all__ = [
    "CompanyAdmin",
    "CompanyAliasAdmin",
    "DocumentAdmin",
    "ReembeddingAdmin",
    "SourceAdmin",
    "TopicAdmin",
    "TopicLabelAdmin",
]


@admin.register(Source)
class SourceAdmin(ModelAdmin):
    """Sources; who may see one is up to those who may manage people's groups."""

    list_display = (
        "name",
        "kind",
        "active",
        "credibility",
        "last_success_at",
        "next_run_at",
        "last_error",
    )
    list_filter = ("kind", "active")
    search_fields = ("name",)
    filter_horizontal = ("groups",)
    readonly_fields = (
        "created_at",
        "last_success_at",
        "last_error",
        "notes",
        "failures",
        "polled_at",
        "next_run_at",
    )
    exclude = ("etag", "last_modified", "last_turn_at", "rest_until")

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        if change and {"location", "kind", "active"} & set(form.changed_data):
            obj.start_over()
        super().save_model(request, obj, form, change)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        sources = super().get_queryset(request)
        if may_restrict(request):
            return sources
        return sources.filter(pk__in=Source.objects.visible_to(request.user))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if may_restrict(request) else (*fields, "groups")

    def has_delete_permission(self, *_: Any) -> bool:
        # Its confirmation would list documents that the person may not see; make it inactive.
        return False


@admin.register(Company)
class CompanyAdmin(ModelAdmin):
    list_display = ("name", "ticker", "cik", "lei", "key")
    search_fields = ("name", "ticker", "key", "aliases__name")
    actions = ("merge",)

    def save_model(self, request: HttpRequest, obj: Company, form: Any, change: bool) -> None:
        if "name" in form.changed_data:
            look_again(obj)
        super().save_model(request, obj, form, change)

    @admin.action(description="Merge into the first of the list", permissions=["change"])
    def merge(self, request: HttpRequest, companies: QuerySet[Company]) -> None:
        kept, *others = companies
        count = merge_companies(kept, others, request.user)  # type: ignore[arg-type]
        self.message_user(request, f"{count} companies merged into {kept.name}.")

    def has_delete_permission(self, *_: Any) -> bool:
        # As for sources.
        return False


@admin.register(CompanyAlias)
class CompanyAliasAdmin(ModelAdmin):
    """Other names of companies; a name that two of them have links to neither."""

    list_display = ("name", "company", "key")
    search_fields = ("name", "company__name")
    autocomplete_fields = ("company",)
    fields = ("company", "name")
    actions = ("split",)

    def save_model(self, request: HttpRequest, obj: CompanyAlias, form: Any, change: bool) -> None:
        obj.key = company_key(obj.name)
        if "name" in form.changed_data:
            look_again(obj)
        super().save_model(request, obj, form, change)

    @admin.action(description="Make companies of their own", permissions=["change"])
    def split(self, request: HttpRequest, aliases: QuerySet[CompanyAlias]) -> None:
        for alias in aliases:
            split_alias(alias, request.user)  # type: ignore[arg-type]


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, *_: Any) -> list[tuple[str, str]]:
        return [(state, state.capitalize()) for state in STATES]

    def queryset(self, _: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(shown_state=self.value()) if self.value() in STATES else queryset


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdmin):
    """Arrivals in sources that the person may see; edited on their pages, retried in quarantine."""

    list_display = ("__str__", "kind", "company", "period", "source", "state", "received_at")
    list_filter = (
        StateFilter,
        "kind",
        ("source", admin.RelatedOnlyFieldListFilter),
        ("company", admin.RelatedOnlyFieldListFilter),
        "received_at",
    )
    list_per_page = 50
    search_fields = ("title", "file_name", "external_id")
    fields = (
        ("title", "kind"),
        ("company", "fiscal_year", "fiscal_quarter", "published_on"),
        ("source", "external_id"),
        ("file_name", "file_size", "media_type"),
        ("state", "failed_stage", "failed_reason", "attempts", "retry_after"),
        ("received_at", "parsed_at", "searchable_at", "embedded_at"),
        ("provenance", "notes"),
    )
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return arrivals(request.user).listed().order_by("-received_at", "-pk")

    def view_on_site(self, document: Document) -> str:
        return document.get_absolute_url()

    @admin.display(description="State")
    def state(self, document: Any) -> str:
        return str(document.shown_state)

    @admin.display(description="Searchable at")
    def searchable_at(self, document: Any) -> Any:
        return document.shown_searchable_at

    @admin.display(description="Embedded at")
    def embedded_at(self, document: Any) -> Any:
        return document.shown_embedded_at


def may_restrict(request: HttpRequest) -> bool:
    """Whoever may put people into groups decides as well what a group may see."""
    return request.user.has_perm("auth.change_user")
