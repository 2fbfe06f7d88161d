"""What a document mentions, in brief; and which documents mention a company."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from ingestion.metadata import company_key
from ingestion.models import Company, Document, Mention
from ingestion.querysets import DocumentQuerySet

MOST_COMPANIES = 10
MOST_PEOPLE = 6
MOST_METRICS = 12
MOST_PERIODS = 8
# Figures have no names worth listing; their number is said.
FIGURES = (Mention.Kind.MONEY, Mention.Kind.PERCENT)


@dataclass(frozen=True, slots=True)
class Named:
    """A name and how often it is mentioned; `first` is the offset of its first mention."""

    name: str
    count: int
    first: int
    company: int | None = None
    role: str = ""


@dataclass(slots=True)
class Mentioned:
    """The most frequent of each kind, and the number of amounts and percentages.

    `waiting` says that nothing is shown yet because the document is still to be read.
    """

    waiting: bool = False
    companies: list[Named] = field(default_factory=list)
    unlinked: list[Named] = field(default_factory=list)
    people: list[Named] = field(default_factory=list)
    metrics: list[Named] = field(default_factory=list)
    periods: list[Named] = field(default_factory=list)
    n_companies: int = 0
    n_figures: int = 0

    @property
    def has_any(self) -> bool:
        return bool(self.companies or self.unlinked or self.people or self.metrics or self.periods)


def mentioned(body: Document) -> Mentioned:
    """In brief, of the document that holds the text; half a dozen queries by its index."""
    if body.recognised_at is None:
        return Mentioned(waiting=body.searchable_at is not None)
    rows = body.mentions.order_by()
    companies = rows.filter(kind=Mention.Kind.COMPANY)
    linked = companies.filter(company__isnull=False)
    found = (
        linked.values("company", "company__name")
        .annotate(n=Count("pk"), first=Min("start"))
        .order_by("-n", "company__name")
    )
    names = [
        Named(row["company__name"], row["n"], row["first"], row["company"])
        for row in found[:MOST_COMPANIES]
    ]
    unlinked = companies.filter(company=None).exclude(value__has_key="reference")
    return Mentioned(
        companies=names,
        unlinked=_most(unlinked, MOST_COMPANIES),
        people=_with_roles(rows, _most(rows.filter(kind=Mention.Kind.PERSON), MOST_PEOPLE)),
        metrics=_most(rows.filter(kind=Mention.Kind.METRIC), MOST_METRICS),
        periods=_most(rows.filter(kind=Mention.Kind.PERIOD), MOST_PERIODS),
        n_companies=linked.aggregate(n=Count("company", distinct=True))["n"],
        n_figures=rows.filter(kind__in=FIGURES).count(),
    )


def mentioning(documents: DocumentQuerySet, names: list[str]) -> DocumentQuerySet:
    """Those of the documents that mention any company of these names or tickers.

    A name that no company has finds nothing. A duplicate mentions what its original does.
    """
    companies = companies_called(names)
    rows = Mention.objects.filter(
        company__in=list(companies.values_list("pk", flat=True)),
        document=Coalesce(OuterRef("duplicate_of"), OuterRef("pk")),
    )
    return documents.filter(Exists(rows))


def companies_called(names: list[str]) -> QuerySet[Company]:
    """Companies by name in any spelling, by another name, or by ticker."""
    wanted = Q(pk__in=[])
    for name in names:
        wanted |= Q(name__iexact=name) | Q(ticker__iexact=name)
        if key := company_key(name):
            wanted |= Q(key=key) | Q(aliases__key=key)
    return Company.objects.filter(wanted).distinct()


def _most(rows: QuerySet[Mention], limit: int) -> list[Named]:
    found = rows.values("name").annotate(n=Count("pk"), first=Min("start")).order_by("-n", "name")
    return [Named(row["name"], row["n"], row["first"]) for row in found[:limit]]


def _with_roles(rows: QuerySet[Mention], people: list[Named]) -> list[Named]:
    named = rows.filter(
        kind=Mention.Kind.PERSON, name__in=[p.name for p in people], value__has_key="role"
    )
    roles: dict[str, str] = {}
    for name, value in named.order_by("start").values_list("name", "value"):
        roles.setdefault(name, value["role"])
    return [Named(p.name, p.count, p.first, role=roles.get(p.name, "")) for p in people]
