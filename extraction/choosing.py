"""Which documents a bulk run goes through: a scope as people choose it, as JSON, and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Q

from ingestion.models import Company, Document, Source
from ingestion.querysets import DocumentQuerySet, Scope, User

LONGEST_DESCRIPTION = 500


@dataclass(frozen=True, slots=True)
class Chosen:
    """A scope of documents, and within its sources a folder; empty fields confine nothing."""

    scope: Scope = field(default_factory=Scope)
    folder: str = ""

    @property
    def is_empty(self) -> bool:
        return self.scope.is_empty and not self.folder

    def as_json(self) -> dict[str, Any]:
        """Only what confines, in plain values; `from_json` reads it."""
        values = {**asdict(self.scope), "folder": self.folder}
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in values.items()
            if value
        }


def from_json(values: Mapping[str, Any]) -> Chosen:
    """The scope that `as_json` wrote."""
    fields = {name: value for name, value in values.items() if name != "folder"}
    for name, value in fields.items():
        if name in {"published_from", "published_to"}:
            fields[name] = date.fromisoformat(value)
        else:
            fields[name] = tuple(value)
    return Chosen(replace(Scope(), **fields), str(values.get("folder", "")))


def documents_of(chosen: Chosen, user: User) -> DocumentQuerySet:
    """The documents with a text that this person may see in it; each text once.

    Those behind a nearly identical one are in it too: two contracts may differ in one figure.
    """
    found = Document.objects.visible_to(user).current().filter(parsed_at__isnull=False)
    found = found.within(chosen.scope)
    if not chosen.folder:
        return found
    inside = Document.objects.living().filter(
        external_id__startswith=f"{chosen.folder.strip('/')}/"
    )
    if chosen.scope.sources:
        inside = inside.filter(source__in=chosen.scope.sources)
    else:
        inside = inside.filter(source__in=Source.objects.visible_to(user))
    inside = inside.order_by()
    return found.filter(
        Q(pk__in=inside.values("pk")) | Exists(inside.filter(duplicate_of=OuterRef("pk")))
    )


def in_words(chosen: Chosen) -> str:
    """What it is confined to, as a line."""
    scope = chosen.scope
    names = list(Source.objects.filter(pk__in=scope.sources).values_list("name", flat=True))
    parts = [", ".join(names)] if names else []
    parts += [f"in {chosen.folder.strip('/')}/"] if chosen.folder else []
    parts += [str(Document.Kind(kind).label) for kind in scope.kinds]
    companies = Company.objects.filter(pk__in=scope.companies).values_list("name", flat=True)
    parts += list(companies) or (["an unknown company"] if scope.companies else [])
    quarters = [f"Q{quarter}" for quarter in scope.fiscal_quarters]
    parts += [" ".join([*quarters, *(f"FY{year}" for year in scope.fiscal_years)])]
    parts += [f"from {scope.published_from}"] if scope.published_from else []
    parts += [f"until {scope.published_to}"] if scope.published_to else []
    said = " · ".join(part for part in parts if part) or "All documents"
    return said[:LONGEST_DESCRIPTION]
