"""A person's permissions, their own and those of their groups, by one query instead of two.

It decides nothing: it fills what Django's `ModelBackend`, which is asked next, keeps with the user.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Q
from django.http import HttpRequest

from docintel.compiled_queries import CompiledQuery, Given

_PERMISSIONS = CompiledQuery(
    lambda: (
        Permission.objects.filter(
            Q(
                pk__in=Permission.user_set.through.objects.filter(user=Given("person")).values(
                    "permission"
                )
            )
            | Q(
                pk__in=Permission.objects.filter(group__user=Given("person"))
                .order_by()
                .values("pk")
            )
        )
        .order_by()
        .values_list("content_type__app_label", "codename")
    )
)


class PermissionsAtOnce:
    """An authentication backend that signs nobody in, and has no `get_user`, so nobody is its."""

    def authenticate(self, request: HttpRequest | None) -> None:
        """Takes no credentials, so Django passes it over."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:  # noqa: ARG002
        plain = user_obj.is_active and not user_obj.is_anonymous and not user_obj.is_superuser
        if plain and obj is None and not hasattr(user_obj, "_perm_cache"):
            found = _PERMISSIONS(person=user_obj.pk)
            user_obj._perm_cache = {f"{app}.{name}" for app, name in found}
        return False
