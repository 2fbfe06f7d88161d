"""The admin of accounts, tokens, model versions, measurements and the queue.

The trap it guards against: somebody who may manage accounts must not gain by it what they lack.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django_q.models import Failure, OrmQ, Schedule, Success
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from docintel.model_admin import ModelFlipAdmin, ModelVersionAdmin
from docintel.models import ApiToken, Measurement
from docintel.read_only_admin import ReadOnlyAdmin

__all__ = ["ModelFlipAdmin", "ModelVersionAdmin", "ReadOnlyAdmin"]


def permissions_of(user: Any) -> QuerySet[Permission]:
    """What this person may pass on: what they hold themselves."""
    if user.is_superuser:
        return Permission.objects.all()
    return Permission.objects.filter(Q(user=user) | Q(group__user=user)).distinct()


def manageable_groups(user: Any) -> QuerySet[Group]:
    """Groups that grant nothing which this person lacks."""
    if user.is_superuser:
        return Group.objects.all()
    lacking = Permission.objects.exclude(pk__in=permissions_of(user).values("pk"))
    return Group.objects.exclude(permissions__in=lacking)


def manageable_users(user: Any) -> QuerySet[User]:
    """People who hold nothing which this person lacks."""
    if user.is_superuser:
        return User.objects.all()
    lacking = Permission.objects.exclude(pk__in=permissions_of(user).values("pk"))
    beyond = Group.objects.exclude(pk__in=manageable_groups(user).values("pk"))
    people = User.objects.filter(is_superuser=False)
    return people.exclude(groups__in=beyond).exclude(user_permissions__in=lacking)


for model in (User, Group, Schedule, Success, Failure, OrmQ):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    """People; one who is not a superuser sees only those who hold no more than they do."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "groups")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).filter(pk__in=manageable_users(request.user))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if _is_superuser(request) else (*fields, "is_superuser", "user_permissions")

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs["queryset"] = manageable_groups(request.user)
        return super().formfield_for_manytomany(db_field, request, **kwargs)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Groups that hold no more than the person who looks, and what these may be given."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        return super().get_queryset(request).filter(pk__in=manageable_groups(request.user))

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "permissions" and field is not None:
            field.queryset = permissions_of(request.user).select_related("content_type")
        return field


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
    """Issue and revoke; the token is shown on the page after it was made and never again."""

    list_display = ("name", "hint", "user", "may_write", "expires_at", "last_used_at", "revoked_at")
    list_filter = ("may_write",)
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    fields = ("user", "name", "may_write", "expires_at")
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        return super().get_queryset(request).filter(user__in=manageable_users(request.user))

    def get_fields(self, _: HttpRequest, obj: Any = None) -> Any:
        shown = ("hint", "created_at", "last_used_at", "revoked_at")
        return self.fields if obj is None else (*self.fields, *shown)

    def get_readonly_fields(self, _: HttpRequest, obj: Any = None) -> Any:
        shown = ("hint", "created_at", "last_used_at", "revoked_at")
        return () if obj is None else ("user", "may_write", *shown)

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "user":
            kwargs["queryset"] = manageable_users(request.user).filter(is_active=True)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        row, token = ApiToken.issue(
            obj.user, obj.name, may_write=obj.may_write, expires_at=obj.expires_at
        )
        obj.__dict__.update(row.__dict__)
        request.issued_token = token  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Any, *_: Any, **__: Any) -> HttpResponse:
        """The token itself, in an answer that nobody may keep; no message, cookie or log has it."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Token issued",
            "opts": self.opts,
            "row": obj,
            "token": request.issued_token,  # type: ignore[attr-defined]
        }
        response = render(request, "admin/token_issued.html", context)
        add_never_cache_headers(response)
        return response

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        revoked = tokens.filter(revoked_at=None).update(revoked_at=timezone.now())
        self.message_user(request, f"Tokens revoked: {revoked}.")


@admin.register(Measurement)
class MeasurementAdmin(ReadOnlyAdmin):
    list_display = ("name", "value", "labels", "recorded_at")
    list_filter = ("recorded_at",)
    search_fields = ("name",)
    ordering = ("-recorded_at",)
    # Append-only and long: counting all of it on every look would cost more than the look.
    show_full_result_count = False


# A schedule names any function of this installation, so one made here would be code run by form.
@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    list_display = ("name", "func", "minutes", "next_run")


@admin.register(Success)
class SuccessAdmin(ReadOnlyAdmin):
    list_display = ("func", "started", "stopped")
    fields = ("name", "func", "started", "stopped")


@admin.register(Failure)
class FailureAdmin(ReadOnlyAdmin):
    list_display = ("func", "started", "stopped")
    fields = ("name", "func", "started", "stopped", "result")


@admin.register(OrmQ)
class WaitingAdmin(ReadOnlyAdmin):
    """What waits; its payload is signed and pickled, so it is not unpacked here."""

    list_display = ("id", "key", "lock")
    fields = ("key", "lock")


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
