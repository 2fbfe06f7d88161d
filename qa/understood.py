"""What a question was understood to ask: companies, periods, kinds, metrics, expansions, chips.

Spans are character offsets into the question as it was given. An item's `key` names its chip and is
what `removed` takes; it is the same for the same item of another wording.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, TypeVar

from ingestion.querysets import Scope
from qa.question.filing_filters import Wanted, fiscal_years, publication_dates, wanted_filings
from qa.question.periods import Period

__all__ = ["Period", "Wanted"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One company that a name may mean; `id` is Company.pk."""

    id: int
    name: str
    ticker: str
    has_documents: bool

    @property
    def key(self) -> str:
        return f"company:{self.id}"


@dataclass(frozen=True, slots=True)
class CompanyRead:
    """A company that the question names. `how`: name, ticker, nickname, part or spelling."""

    start: int
    end: int
    id: int
    name: str
    ticker: str
    how: str
    has_documents: bool

    @property
    def key(self) -> str:
        return f"company:{self.id}"


@dataclass(frozen=True, slots=True)
class AmbiguousName:
    """A name that several companies bear; those with documents come first."""

    start: int
    end: int
    name: str
    candidates: tuple[Candidate, ...]

    @property
    def key(self) -> str:
        return f"name:{self.name.casefold()}"


@dataclass(frozen=True, slots=True)
class KindRead:
    """A kind of document that the question asks in; `kinds` are Document.Kind values."""

    start: int
    end: int
    name: str
    kinds: tuple[str, ...]
    label: str

    @property
    def key(self) -> str:
        return f"kind:{self.name}"


@dataclass(frozen=True, slots=True)
class MetricRead:
    """A metric or ratio; `items` are the line items as statements write them.

    A ratio has a `formula`, and `ingredients` that name metrics; those in `averaged` are taken over
    the ends of two years.
    """

    start: int
    end: int
    name: str
    unit: str
    statements: tuple[str, ...]
    items: tuple[str, ...]
    formula: str = ""
    ingredients: tuple[str, ...] = ()
    averaged: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return "metric:" + self.name.casefold().replace(" ", "-")


@dataclass(frozen=True, slots=True)
class StatementRead:
    """A statement or section that the question names outright."""

    start: int
    end: int
    name: str

    @property
    def key(self) -> str:
        return f"statement:{self.name}"


@dataclass(frozen=True, slots=True)
class Expansion:
    """Words to search for besides the question's own, whose weight is 1; `why` names the source."""

    term: str
    weight: float
    why: str


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a question that needs several searches.

    `relation` to the step before: "first", "intersect" (keep companies that both steps found) or
    "then" (ask it of what the step before found, which `{found}` in the question stands for).
    """

    question: str
    start: int
    end: int
    relation: str
    periods: tuple[Period, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """What was understood, for the reader to see and remove. An `ask` chip offers a choice."""

    key: str
    label: str
    group: str
    explanation: str
    ask: bool = False


@dataclass(frozen=True, slots=True)
class Understanding:
    """Everything read from one question; `confined_to` is the page's own scope, always kept."""

    question: str
    companies: tuple[CompanyRead, ...] = ()
    ambiguous: tuple[AmbiguousName, ...] = ()
    periods: tuple[Period, ...] = ()
    kind_reads: tuple[KindRead, ...] = ()
    metrics: tuple[MetricRead, ...] = ()
    statement_reads: tuple[StatementRead, ...] = ()
    statements: tuple[str, ...] = ()
    expansions: tuple[Expansion, ...] = ()
    comparison: bool = False
    temporal: bool = False
    hops: tuple[Hop, ...] = ()
    chips: tuple[Chip, ...] = ()
    notes: tuple[str, ...] = ()
    as_of: date = date.min
    confined_to: Scope = field(default_factory=Scope)
    # Names in capitals that no known company bears: a person, a product, an unknown company.
    unlinked: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """Document.Kind values named in the question, in its order."""
        return tuple(dict.fromkeys(kind for read in self.kind_reads for kind in read.kinds))

    @property
    def future(self) -> tuple[Period, ...]:
        """Periods that have not begun: no document reports them."""
        return tuple(period for period in self.periods if period.future)

    def wanted(self) -> tuple[Wanted, ...]:
        """Filings that likely answer, best first: a soft prior, or a filter; empty: no period."""
        return wanted_filings(self.periods, self.kinds)

    def scope(self, *, strict: bool = False) -> Scope:
        """The page's scope narrowed by the question; with slack, unless `strict`.

        With slack, a fiscal year lets in its neighbours, and the kinds named do not confine.
        Where question and page contradict each other the page holds. Trap: a document without a
        fiscal year (news, many notes) is outside any scope that names years; `undated()` says
        when to search by publication date instead.
        """
        page = self.confined_to
        years = fiscal_years(self.periods, strict=strict)
        quarters = self._strict_quarters() if strict else ()
        since, until = publication_dates(self.periods) if self.undated() else (None, None)
        return Scope(
            companies=_both((company.id for company in self.companies), page.companies),
            kinds=_both(self.kinds if strict or self.undated() else (), page.kinds),
            sources=page.sources,
            fiscal_years=_both(() if self.undated() else years, page.fiscal_years),
            fiscal_quarters=_both(quarters, page.fiscal_quarters),
            published_from=max(filter(None, (since, page.published_from)), default=None),
            published_to=min(filter(None, (until, page.published_to)), default=None),
            documents=page.documents,
        )

    def as_stored(self, removed: Iterable[str], as_of: date | None) -> dict[str, Any]:
        """What an answer keeps of it, as JSON; `removed` are the keys of chips left out."""
        return {
            "chips": [asdict(chip) for chip in self.chips],
            "notes": list(self.notes),
            "removed": sorted(removed),
            "as_of": as_of.isoformat() if as_of else "",
        }

    def undated(self) -> bool:
        """Whether only kinds without a reliable fiscal year are asked for: news and research."""
        return bool(self.kinds) and set(self.kinds) <= {"news", "research_note"}

    def scopes_by_company(self, *, strict: bool = False) -> tuple[Scope, ...]:
        """One scope per company of a comparison; the whole scope where there are none."""
        whole = self.scope(strict=strict)
        if len(whole.companies) < 2:
            return (whole,)
        return tuple(_with_company(whole, company) for company in whole.companies)

    def _strict_quarters(self) -> tuple[int, ...]:
        named = [period for period in self.periods if not period.future]
        if not named or not all(period.quarters for period in named):
            return ()
        return tuple(sorted({quarter for period in named for _, quarter in period.quarters}))


def _both(asked: Iterable[T], page: tuple[T, ...]) -> tuple[T, ...]:
    """What both allow; the page's where that is nothing, since its filters always hold."""
    wanted = tuple(dict.fromkeys(asked))
    if not wanted or not page:
        return wanted or page
    return tuple(value for value in wanted if value in page) or page


def _with_company(scope: Scope, company: int) -> Scope:
    return Scope(
        companies=(company,),
        kinds=scope.kinds,
        sources=scope.sources,
        fiscal_years=scope.fiscal_years,
        fiscal_quarters=scope.fiscal_quarters,
        published_from=scope.published_from,
        published_to=scope.published_to,
        documents=scope.documents,
    )
