"""What can be asked of sources, documents and chunks as sets.

`visible_to(user)` is the only way a page, the API or a retriever reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

if TYPE_CHECKING:
    from docintel.models import ModelVersion

User = AbstractBaseUser | AnonymousUser
BODY_FIELDS = ("text", "pages", "sections")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a search is confined to; an empty field confines nothing, several add up (and)."""

    companies: tuple[int, ...] = ()  # Company ids
    kinds: tuple[str, ...] = ()  # Document.Kind values
    sources: tuple[int, ...] = ()  # Source ids
    fiscal_years: tuple[int, ...] = ()
    fiscal_quarters: tuple[int, ...] = ()
    published_from: date | None = None
    published_to: date | None = None
    documents: tuple[int, ...] = ()  # Document ids

    @property
    def is_empty(self) -> bool:
        return self == Scope()


class SourceQuerySet(models.QuerySet["Source"]):
    def visible_to(self, user: User) -> SourceQuerySet:
        """Sources open to everyone or to one of the user's groups; a superuser sees all."""
        if not user.is_authenticated or not getattr(user, "is_active", False):
            return self.none()
        if getattr(user, "is_superuser", False):
            return self
        memberships = self.model.groups.through.objects.filter(source=OuterRef("pk"))
        return self.filter(~Exists(memberships) | Exists(memberships.filter(group__user=user.pk)))


class DocumentQuerySet(models.QuerySet["Document"]):
    def visible_to(self, user: User) -> DocumentQuerySet:
        """Documents of visible sources, and those also sighted in a visible source."""
        from ingestion.models import Source  # noqa: PLC0415  models imports this file

        sources = list(Source.objects.visible_to(user).values_list("pk", flat=True))
        sightings = self.model.objects.filter(duplicate_of=OuterRef("pk"), source__in=sources)
        return self.filter(Q(source__in=sources) | Exists(sightings))

    def listed(self) -> DocumentQuerySet:
        """Without the bodies, with what a list shows."""
        return self.defer(*BODY_FIELDS).select_related("company", "source")

    def current(self) -> DocumentQuerySet:
        """Leaves out duplicates, quarantined and dropped ones."""
        return self.filter(
            duplicate_of__isnull=True, quarantined_at__isnull=True, dropped_at__isnull=True
        )

    def searchable(self) -> DocumentQuerySet:
        return self.current().filter(searchable_at__isnull=False)

    def within(self, scope: Scope) -> DocumentQuerySet:
        """Confined to a scope."""
        conditions: dict[str, Any] = {
            "company__in": scope.companies,
            "kind__in": scope.kinds,
            "fiscal_year__in": scope.fiscal_years,
            "fiscal_quarter__in": scope.fiscal_quarters,
            "pk__in": scope.documents,
            "published_on__gte": scope.published_from,
            "published_on__lte": scope.published_to,
        }
        found = self.filter(**{name: value for name, value in conditions.items() if value})
        if scope.sources:
            sighted = self.model.objects.filter(
                duplicate_of=OuterRef("pk"), source__in=scope.sources
            )
            found = found.filter(Q(source__in=scope.sources) | Exists(sighted))
        return found

    # Work is a query: each stage's backlog is the rows that lack its result.
    def unparsed(self) -> DocumentQuerySet:
        return self.filter(
            parsed_at__isnull=True,
            duplicate_of__isnull=True,
            quarantined_at__isnull=True,
            dropped_at__isnull=True,
        )

    def unindexed(self) -> DocumentQuerySet:
        return self.current().filter(parsed_at__isnull=False, searchable_at__isnull=True)

    def unembedded(self, embedder: ModelVersion) -> DocumentQuerySet:
        """Searchable, but with a chunk that has no vector of this embedder."""
        return self.searchable().filter(Q(embedder__isnull=True) | ~Q(embedder=embedder))

    def quarantined(self) -> DocumentQuerySet:
        return self.filter(quarantined_at__isnull=False, dropped_at__isnull=True)

    def due(self, now: datetime | None = None) -> DocumentQuerySet:
        """Neither leased to a worker nor waiting for its next attempt; newest first."""
        now = now or timezone.now()
        return self.filter(
            Q(claimed_until__isnull=True) | Q(claimed_until__lt=now),
            Q(retry_after__isnull=True) | Q(retry_after__lte=now),
        ).order_by(F("received_at").desc(), "-pk")


class ChunkQuerySet(models.QuerySet["Chunk"]):
    def of(self, documents: DocumentQuerySet | Iterable[int]) -> ChunkQuerySet:
        """Chunks of these documents."""
        return self.filter(document__in=documents)
