"""What a question asks: its companies, periods, kinds, metrics, intents, and words to add.

`understand` is the only entry. It never fails on bad input; of a longer text it reads the first
2,000 characters.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date
from typing import TypeVar

from django.utils import timezone

from docintel.activity import asked_lately
from ingestion.models import Document
from ingestion.querysets import Scope, User
from qa.question.asked_items import read_kinds, read_metrics, read_statements, vocabulary
from qa.question.companies import unlinked_names
from qa.question.expanding import expansions, thesaurus_words
from qa.question.intents import read_hops, read_intents
from qa.question.known_companies import read_companies
from qa.question.learned_synonyms import neighbours
from qa.question.periods import Newest, Period, calendar_newest
from qa.question.relative_periods import read_periods
from qa.understood import (
    AmbiguousName,
    Chip,
    CompanyRead,
    KindRead,
    MetricRead,
    StatementRead,
    Understanding,
)

__all__ = ["Understanding", "understand"]

R = TypeVar("R", KindRead, MetricRead, StatementRead)
LONGEST_READ = 2_000
_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " "})
_HOW = {
    "name": "named in the question",
    "nickname": "a usual short name",
    "ticker": "by its ticker",
    "part": "the beginning of its name",
    "spelling": "perhaps misspelt",
}


def understand(
    question: str,
    user: User,
    *,
    as_of: date | None = None,
    removed: Collection[str] = (),
    scope: Scope = Scope(),  # noqa: B008  frozen
) -> Understanding:
    """What was understood, without what `removed` names by key.

    Relative periods count from `as_of`, or from today. `scope` is the page's own: it always holds,
    and its companies stand in where the question names none.
    """
    day = as_of or timezone.localdate()
    text = question[:LONGEST_READ].translate(_PLAIN).replace("\0", " ")
    metrics, kinds = read_metrics(text), read_kinds(text)
    statements = read_statements(text)
    taken = [(metric.start, metric.end) for metric in metrics]
    taken += [(kind.start, kind.end) for kind in kinds]
    taken += [(statement.start, statement.end) for statement in statements]
    taken += [(p.start, p.end) for p in read_periods(text, day)]
    companies, ambiguous, names = read_companies(text, user, taken, _finance(), scope.companies)
    companies = [read for read in companies if read.key not in removed]
    ambiguous = [read for read in ambiguous if read.key not in removed]
    ids = [read.id for read in companies] or list(scope.companies)
    newest = _newest(user, ids, day)
    named = {(name.start, name.end) for name in names}
    periods = tuple(
        period
        for period in read_periods(text, day, newest)
        if period.key not in removed and not _within(period, named)
    )
    metrics, kinds = _kept(metrics, removed, named), _kept(kinds, removed, named)
    statements = _kept(statements, removed, named)
    intents = read_intents(text, periods, len(companies))
    asked = tuple(
        dict.fromkeys([s.name for s in statements] + [s for m in metrics for s in m.statements])
    )
    terms = expansions(
        text, metrics, statements, neighbours(text, named), asked_before=asked_lately(user)
    )
    return Understanding(
        question,
        tuple(companies),
        tuple(ambiguous),
        periods,
        kinds,
        metrics,
        statements,
        asked,
        tuple(term for term in terms if f"expansion:{term.term.lower()}" not in removed),
        intents.comparison,
        intents.temporal,
        read_hops(text, periods),
        tuple(_chips(companies, ambiguous, periods, kinds, metrics, statements)),
        tuple(_notes(question, periods)),
        day,
        scope,
        tuple(text[s:e] for s, e in unlinked_names(text, names, taken, _finance())),
    )


def _newest(user: User, companies: list[int], day: date) -> Callable[[], Newest]:
    """Asked at most once, and only where a period depends on it."""
    found: list[Newest] = []

    def ask() -> Newest:
        if not found:
            found.append(_newest_reported(user, companies, day))
        return found[0]

    return ask


def _newest_reported(user: User, companies: list[int], day: date) -> Newest:
    """The newest year and quarter that visible documents of these companies report by this day."""
    calendar = calendar_newest(day)
    if not companies:
        return calendar
    documents = (
        Document.objects.visible_to(user)
        .searchable()
        .filter(company__in=companies, fiscal_year__isnull=False)
        .exclude(published_on__gt=day)
        .order_by()
    )
    year = (
        documents.filter(kind=Document.Kind.ANNUAL_REPORT)
        .order_by("-fiscal_year")
        .values_list("fiscal_year", flat=True)
        .first()
    )
    latest = (
        documents.filter(fiscal_quarter__isnull=False)
        .order_by("-fiscal_year", "-fiscal_quarter")
        .values_list("fiscal_year", "fiscal_quarter")
        .first()
    )
    quarter = (latest[0], latest[1]) if latest and latest[0] and latest[1] else None
    if year and (quarter is None or quarter < (year, 4)):
        # The annual report covers the fourth quarter.
        quarter = (year, 4)
    return Newest(
        year or (quarter[0] - 1 if quarter else calendar.year),
        quarter or calendar.quarter,
    )


def _finance() -> frozenset[str]:
    return vocabulary() | thesaurus_words()


def _within(period: Period, names: set[tuple[int, int]]) -> bool:
    """A number inside a company's name is no period."""
    return any(start <= period.start and period.end <= end for start, end in names)


def _kept(
    reads: Iterable[R], removed: Collection[str], names: set[tuple[int, int]]
) -> tuple[R, ...]:
    """Without what was removed, and what is but a part of a company's name."""
    return tuple(
        read
        for read in reads
        if read.key not in removed
        and not any(start <= read.start and read.end <= end for start, end in names)
    )


def _chips(  # noqa: PLR0917
    companies: Iterable[CompanyRead],
    ambiguous: Iterable[AmbiguousName],
    periods: Iterable[Period],
    kinds: Iterable[KindRead],
    metrics: Iterable[MetricRead],
    statements: Iterable[StatementRead],
) -> Iterator[Chip]:
    for company in companies:
        ticker = f" ({company.ticker})" if company.ticker else ""
        nothing = "" if company.has_documents else "; no document of it here"
        yield Chip(company.key, company.name + ticker, "Company", _HOW[company.how] + nothing)
    for name in ambiguous:
        for candidate in name.candidates:
            known = "" if candidate.has_documents else "; no document of it here"
            yield Chip(
                candidate.key, candidate.name, "Which company?", f"“{name.name}”{known}", ask=True
            )
    for period in periods:
        yield Chip(period.key, period.label, "Period", _told(period))
    for kind in kinds:
        yield Chip(kind.key, kind.label, "Kind", "named in the question")
    for metric in metrics:
        how = metric.formula or ", ".join(metric.items[:3])
        where = ", ".join(name.replace("_", " ") for name in metric.statements)
        yield Chip(metric.key, metric.name, "Metric", f"{how} ({where})" if where else how)
    for statement in statements:
        yield Chip(
            statement.key, statement.name.replace("_", " "), "Section", "named in the question"
        )


def _told(period: Period) -> str:
    if period.future:
        return "has not begun; no document reports it"
    if period.newest:
        return "the newest documents first"
    what = f"{period.first_day:%Y-%m-%d}" if period.first_day else "before"
    until = f" to {period.last_day:%Y-%m-%d}" if period.last_day else ""
    if period.implied:
        return f"the period compared with ({what}{until})"
    years = "fiscal" if period.basis == "fiscal" else "fiscal or calendar"
    return f"{what}{until}" if period.basis == "calendar" else f"{what}{until}, {years}"


def _notes(question: str, periods: Iterable[Period]) -> Iterator[str]:
    if len(question) > LONGEST_READ:
        yield f"Only the first {LONGEST_READ:,} characters were read."
    for period in periods:
        if period.future:
            yield f"{period.label} has not begun."
