"""Questions worth trying, made from the documents that arrived last and that the user may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ingestion.models import Document
from ingestion.querysets import User
from ingestion.sightings import arrivals

QUESTIONS = {
    Document.Kind.ANNUAL_REPORT: "What are the main risks that {company} names in {period}?",
    Document.Kind.QUARTERLY_REPORT: "How did the revenue of {company} develop in {period}?",
    Document.Kind.EARNINGS_CALL: "What did {company} say about margins in {period}?",
    Document.Kind.CURRENT_REPORT: "What did {company} announce in {period}?",
    Document.Kind.ANNOUNCEMENT: "What did {company} announce in {period}?",
    Document.Kind.RESEARCH_NOTE: "What drives the view on {company} in {period}?",
}
# How far back to look for different companies and kinds.
LATEST = 60


@dataclass(frozen=True, slots=True)
class Start:
    """What an empty search page offers."""

    questions: list[str]
    recent: list[Document]


def start(user: User, *, limit: int = 4) -> Start:
    """Up to `limit` questions about different companies, and the latest documents."""
    known: Any = arrivals(user)
    rows = known.filter(shown_state__in=("searchable", "embedded"))
    latest = list(rows.listed()[:LATEST])
    return Start(_questions(latest, limit), latest[:5])


def _questions(documents: list[Document], limit: int) -> list[str]:
    companies: set[int] = set()
    kinds: set[str] = set()
    first: list[str] = []
    second: list[str] = []
    for document in documents:
        pattern = QUESTIONS.get(Document.Kind(document.kind))
        if pattern is None or document.company is None or document.company_id in companies:
            continue
        companies.add(document.company.pk)
        period = document.period or "its latest report"
        question = pattern.format(company=document.company.name, period=period)
        (second if document.kind in kinds else first).append(question)
        kinds.add(document.kind)
    return [*first, *second][:limit]
