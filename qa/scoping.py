"""What a search is confined to, read from an address, and what it could be confined to.

Only values that occur in documents the user may see are known; others are left out and named, so
that no name of a hidden company or source is ever shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, QuerySet
from django.http import QueryDict

from ingestion.classifying.calibration import SHOWN
from ingestion.models import Company, Document, DocumentTopic, Source, Topic
from ingestion.querysets import DocumentQuerySet, Scope, User
from ingestion.scope_fields import OF_ADDRESS

LABELS = {
    "company": "Company",
    "kind": "Kind",
    "topic": "Topic",
    "year": "Fiscal year",
    "quarter": "Quarter",
    "source": "Source",
}
MOST_VALUES = 50


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """One menu: what may be chosen, and how many of it are."""

    name: str
    label: str
    choices: list[Choice]

    @property
    def n_chosen(self) -> int:
        return sum(choice.chosen for choice in self.choices)


@dataclass(frozen=True, slots=True)
class Chip:
    """One part of the scope; `without` is the query string of the search without it."""

    label: str
    without: str


@dataclass(slots=True)
class ReadScope:
    """A scope with its menus, its chips, and what of the address was not understood."""

    scope: Scope
    facets: list[Facet]
    chips: list[Chip] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    query: str = ""
    unconfined: str = ""


def clean(value: str) -> str:
    """A value of the address without what no database takes."""
    return value.replace("\0", " ").strip()


def read_scope(params: QueryDict, user: User) -> ReadScope:
    """The scope that the address asks for, as far as it is known to this user."""
    documents = Document.objects.visible_to(user).searchable()
    known = _known(documents, user)
    asked = {
        name: list(dict.fromkeys(filter(None, map(clean, params.getlist(name)))))[:MOST_VALUES]
        for name in LABELS
    }
    chosen = {
        name: [value for value in values if value in known[name]] for name, values in asked.items()
    }
    ignored = [
        f"{LABELS[name]} “{value[:40]}”"
        for name, values in asked.items()
        for value in values
        if value not in known[name]
    ]
    dates = {name: _date(clean(params.get(name, "")), name, ignored) for name in ("from", "to")}
    facets = [
        Facet(
            name,
            LABELS[name],
            [Choice(value, label, value in chosen[name]) for value, label in values.items()],
        )
        for name, values in known.items()
    ]
    read = ReadScope(_scope(chosen, dates), facets, ignored=ignored)
    pairs = [("q", clean(params.get("q", "")))]
    pairs += [(name, value) for name, values in chosen.items() for value in values]
    pairs += [(name, day.isoformat()) for name, day in dates.items() if day]
    read.query = urlencode([pair for pair in pairs if pair[1]])
    read.unconfined = urlencode([pair for pair in pairs[:1] if pair[1]])
    read.chips = [
        Chip(
            _label(name, value, known), urlencode([pair for pair in pairs if pair != (name, value)])
        )
        for name, value in pairs[1:]
    ]
    return read


def as_address(question: str, scope: Mapping[str, Any]) -> QueryDict:
    """The parameters that `read_scope` reads, of a question kept with its scope as JSON."""
    params = QueryDict(mutable=True)
    params["q"] = question
    for name, kept in OF_ADDRESS.items():
        value = scope.get(kept) or []
        params.setlist(name, [str(each) for each in ([value] if isinstance(value, str) else value)])
    return params


def _known(documents: DocumentQuerySet, user: User) -> dict[str, dict[str, str]]:
    """Per menu the values that occur, with their labels."""
    companies = Company.objects.filter(Exists(documents.filter(company=OuterRef("pk")).order_by()))
    sources = Source.objects.visible_to(user)
    return {
        "company": {str(pk): name for pk, name in companies.values_list("pk", "name")},
        "kind": {
            value: str(label)
            for value, label in Document.Kind.choices
            if documents.filter(kind=value).exists()
        },
        "topic": dict(_topics(documents)),
        "year": {str(year): f"FY{year}" for year in _years(documents)},
        "quarter": {str(quarter): f"Q{quarter}" for quarter in range(1, 5)},
        "source": {str(pk): name for pk, name in sources.values_list("pk", "name")},
    }


def _topics(documents: DocumentQuerySet) -> QuerySet[Topic, tuple[str, str]]:
    """The topics in use that occur: for each, a look for one document."""
    shown = DocumentTopic.objects.filter(topic=OuterRef("pk"), probability__gte=SHOWN)
    of_these = shown.filter(document__in=documents.order_by().values("pk"))
    return Topic.objects.filter(Exists(of_these), active=True).values_list("key", "name")


def _years(documents: DocumentQuerySet) -> Iterator[int]:
    """The fiscal years that occur, latest first: a look into an index each, however many rows."""
    years = documents.order_by("-fiscal_year").values_list("fiscal_year", flat=True)
    year = years.filter(fiscal_year__isnull=False).first()
    while year:
        yield year
        year = years.filter(fiscal_year__lt=year).first()


def _date(value: str, name: str, ignored: list[str]) -> date | None:
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        ignored.append(f"date {name} “{value[:40]}”")
        return None


def _scope(chosen: Mapping[str, Iterable[str]], dates: Mapping[str, date | None]) -> Scope:
    def numbers(name: str) -> tuple[int, ...]:
        return tuple(int(value) for value in chosen[name])

    return Scope(
        companies=numbers("company"),
        kinds=tuple(chosen["kind"]),
        sources=numbers("source"),
        topics=tuple(chosen["topic"]),
        fiscal_years=numbers("year"),
        fiscal_quarters=numbers("quarter"),
        published_from=dates["from"],
        published_to=dates["to"],
    )


def _label(name: str, value: str, known: Mapping[str, Mapping[str, str]]) -> str:
    if name in known:
        return known[name][value]
    return f"{'From' if name == 'from' else 'Until'} {value}"
