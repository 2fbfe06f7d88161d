"""The admin of topics and of experts' labels; registered by `ingestion.admin`.

Labels are about documents, so nobody sees or sets one for a document that they may not see.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from ingestion.models import Topic, TopicLabel
from ingestion.sightings import arrivals
from ingestion.topic_catalogue import save_topic


@admin.register(Topic)
class TopicAdmin(ModelAdmin):
    """What topics speak of, and which are in use; the list itself comes with the project."""

    list_display = ("name", "group", "active", "edited")
    list_filter = ("group", "active", "edited")
    search_fields = ("name", "key", "description")
    fields = ("key", "name", "group", "description", "phrases", "active", "edited")
    readonly_fields = ("key", "name", "group", "phrases", "edited")

    def save_model(self, _: HttpRequest, obj: Topic, *__: Any) -> None:
        save_topic(obj)

    def has_add_permission(self, *_: Any) -> bool:
        return False

    def has_delete_permission(self, *_: Any) -> bool:
        return False


@admin.register(TopicLabel)
class TopicLabelAdmin(ModelAdmin):
    """An expert's yes or no; `manage.py train topics --from-corpus` learns from them."""

    list_display = ("document", "topic", "applies", "labelled_by", "labelled_at")
    list_filter = ("topic", "applies")
    search_fields = ("document__title", "document__file_name")
    autocomplete_fields = ("document", "topic")
    fields = ("document", "topic", "applies", "labelled_by", "labelled_at")
    readonly_fields = ("labelled_by", "labelled_at")
    list_select_related = ("document", "topic", "labelled_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TopicLabel]:
        labels: QuerySet[TopicLabel] = super().get_queryset(request)
        return labels.filter(document__in=arrivals(request.user).order_by().values("pk"))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "document":
            kwargs["queryset"] = arrivals(request.user).filter(duplicate_of=None)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: TopicLabel, form: Any, change: bool) -> None:
        obj.labelled_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)
