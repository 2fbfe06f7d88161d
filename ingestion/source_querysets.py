"""What can be asked of sources as sets: which of them somebody may see decides all else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef

from docintel.any_of import as_array
from docintel.compiled_queries import CompiledQuery, Given
from ingestion.seeing import SOMEBODY, SOURCES, seen_by

if TYPE_CHECKING:
    from ingestion.models import Source  # noqa: F401  named in the base below
    from ingestion.querysets import User


class SourceQuerySet(models.QuerySet["Source"]):
    def visible_to(self, user: User) -> SourceQuerySet:
        """Sources open to everyone or to one of the user's groups; a superuser sees all."""
        if not user.is_authenticated or not getattr(user, "is_active", False):
            return self.none()
        if getattr(user, "is_superuser", False):
            return self
        return self.open_to(user.pk)

    def open_to(self, person: int | Given) -> SourceQuerySet:
        """Sources of no group or of one that the person is in."""
        memberships = self.model.groups.through.objects.filter(source=OuterRef("pk"))
        return self.filter(~Exists(memberships) | Exists(memberships.filter(group__user=person)))

    def ids_visible_to(self, user: User) -> list[int]:
        """Their ids, once for one answer; see `ingestion.seeing`."""
        if user is SOMEBODY:
            seen: list[int] = SOURCES
            return seen
        return seen_by(user.pk, "ids", lambda: self._look(user))

    def _look(self, user: User) -> list[int]:
        if user.is_authenticated and user.is_active and not getattr(user, "is_superuser", False):
            return _OPEN_TO(person=user.pk)
        return list(self.visible_to(user).order_by().values_list("pk", flat=True))

    def given_for(self, user: User) -> dict[str, Any]:
        """The values by which a query that was compiled for SOMEBODY is asked for this user."""
        # As text, once for the dozen queries of a page.
        sources = seen_by(user.pk, "text", lambda: as_array(self.ids_visible_to(user)))
        return {"person": user.pk, "sources": sources}

    def hidden_from(self, user: User) -> SourceQuerySet:
        """The rest: sources of which this user may not even learn that they hold something."""
        return self.exclude(pk__in=self.visible_to(user).values("pk"))


def _open_to() -> models.QuerySet[Any, Any]:
    sources = SourceQuerySet(apps.get_model("ingestion.Source"))
    return sources.open_to(Given("person")).order_by().values_list("pk", flat=True)


_OPEN_TO = CompiledQuery(_open_to)
