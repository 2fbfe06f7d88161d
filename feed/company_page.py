"""What one person may read of one company, the newest first, by month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from django.db.models.functions import Coalesce, TruncDate

from feed import known
from feed.explaining import Thing
from feed.filing_changes import FILINGS
from feed.models import Follow
from feed.reading import COLUMNS
from ingestion.models import Company, Document, Mention
from ingestion.querysets import User
from ingestion.sightings import standing_for

MOST_DOCUMENTS = 200
# As some of them may not be visible, or were published long before they came.
MOST_MENTIONING = 1_000


class NoCompany(Exception):
    """There is none of this number, or this person may not know it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`document` is the arrival by which this person knows it; `own` says whose it is."""

    document: Any
    day: date
    own: bool


@dataclass(frozen=True, slots=True)
class CompanyPage:
    company: Company
    thing: Thing
    months: list[tuple[date, list[Entry]]]
    count: int

    @property
    def is_cut(self) -> bool:
        return self.count >= MOST_DOCUMENTS

    @property
    def has_filings(self) -> bool:
        """Whether there are two of its own that could be compared."""
        kinds = [e.document.kind for _, entries in self.months for e in entries if e.own]
        return any(kinds.count(kind) > 1 for kind in FILINGS)


def read(user: User, pk: int) -> CompanyPage:
    """Its documents and those that mention it, the last 200. Raises NoCompany."""
    company = known.known_of([pk], user).get(pk)
    if company is None:
        raise NoCompany(pk)
    found = _newest(user, company)
    arrivals = standing_for([document for document, _, _ in found], user, columns=COLUMNS)
    entries = [
        Entry(arrivals[document], day, owner == company.pk)
        for document, day, owner in found
        if document in arrivals
    ]
    row = Follow.objects.filter(user=user.pk, company=company).first()
    stance = "" if row is None else "mute" if row.muted else "follow"
    thing = Thing(Follow.Kind.COMPANY, str(company.pk), company.name, stance)
    return CompanyPage(company, thing, list(_by_month(entries)), len(entries))


def _newest(user: User, company: Company) -> list[tuple[int, date, int | None]]:
    """(document, day, whose it is) of what arrived last, the newest day first.

    Its own and what mentions it are walked down an index each: asked for either at once, the
    database reads every document there is.
    """
    rows = Document.objects.visible_to(user).searchable()
    own = rows.filter(company=company).order_by("-received_at", "-pk")[:MOST_DOCUMENTS]
    last = Mention.objects.filter(company=company).order_by("-document").values("document")
    named = list(last.distinct().values_list("document", flat=True)[:MOST_MENTIONING])
    day = Coalesce("published_on", TruncDate("received_at"))
    found: dict[int, tuple[int, date, int | None]] = {}
    for part in (own, rows.filter(pk__in=named).order_by()):
        for row in part.annotate(day=day).values_list("pk", "day", "company"):
            found[row[0]] = row
    return sorted(found.values(), key=lambda row: (row[1], row[0]), reverse=True)[:MOST_DOCUMENTS]


def _by_month(entries: list[Entry]) -> Iterator[tuple[date, list[Entry]]]:
    for month, several in groupby(entries, key=lambda entry: entry.day.replace(day=1)):
        yield month, list(several)
