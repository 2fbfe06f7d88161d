"""What an empty answer says: what was searched, the dates covered, what the index lacks."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Max, Min

from docintel import encoders
from docintel.encoders import EncoderUnavailable
from ingestion.language import has_runs
from ingestion.models import Company, Document, Source
from ingestion.querysets import DocumentQuerySet, User
from ingestion.vector_tables import lacking_vectors
from qa.understanding import Understanding

OTHER_LANGUAGE = (
    "Questions are understood in English; other languages are only searched for word by word."
)
FEWEST_FOREIGN = 2
# None of them is an English word.
FOREIGN = frozenset(
    word
    for line in (
        "wie hoch der das und ist im ersten zweiten dritten vierten quartal jahr wurde welche",
        "warum für von auf nicht haben sind ihre quel quelle était le les dans une pour avec",
        "combien pourquoi quels sont cuál cuánto fue el por qué cómo en año una los del",
        "qual gli della nel perché quanto anno são foi não ano hoe hoog het een",
    )
    for word in line.split()
)


def scope_in_words(understanding: Understanding, user: User) -> str:
    """The documents that are searched, in words: "Tidewater Foods, fiscal years 2023 to 2024"."""
    scope = understanding.scope()
    names = dict(Company.objects.filter(pk__in=scope.companies).values_list("pk", "name"))
    parts = [", ".join(names.get(pk, "an unknown company") for pk in scope.companies)]
    if scope.fiscal_years:
        years = sorted(scope.fiscal_years)
        whole = years == list(range(years[0], years[-1] + 1)) and len(years) > 1
        listed = f"{years[0]} to {years[-1]}" if whole else ", ".join(map(str, years))
        parts.append(f"fiscal year{'s' if len(years) > 1 else ''} {listed}")
    if scope.fiscal_quarters:
        parts.append(", ".join(f"Q{quarter}" for quarter in scope.fiscal_quarters))
    parts.append(", ".join(str(Document.Kind(kind).label).lower() for kind in scope.kinds))
    if scope.published_from:
        parts.append(f"published from {scope.published_from}")
    if scope.published_to:
        parts.append(f"published until {scope.published_to}")
    if scope.sources:
        known = Source.objects.visible_to(user).filter(pk__in=scope.sources)
        parts.append("source " + ", ".join(known.values_list("name", flat=True)))
    if scope.topics:
        parts.append("topic " + ", ".join(scope.topics))
    said = [part for part in parts if part]
    return ", ".join(said) if said else "all documents that you may see"


def describe(understanding: Understanding, user: User) -> dict[str, Any]:
    """`searched` in words, `documents` (their number), `first` and `last` publication date (ISO or
    empty), `warnings` about what the index lacks."""
    documents = Document.objects.visible_to(user).within(understanding.scope())
    searchable = documents.searchable()
    dates = searchable.order_by().aggregate(first=Min("published_on"), last=Max("published_on"))
    return {
        "searched": scope_in_words(understanding, user),
        "documents": searchable.count(),
        "first": dates["first"].isoformat() if dates["first"] else "",
        "last": dates["last"].isoformat() if dates["last"] else "",
        "warnings": _warnings(understanding, documents),
    }


def _warnings(understanding: Understanding, documents: DocumentQuerySet) -> list[str]:
    of_whom = " of this company" if len(understanding.companies) == 1 else ""
    found = [
        f"No document of {company.name} is here."
        for company in understanding.companies
        if not company.has_documents
    ]
    other = _other_language(understanding.question)
    if other:
        found.append(other)
    else:
        found += [
            f"“{name}” is the name of no company known here." for name in understanding.unlinked
        ]
    waiting = documents.unparsed().count() + documents.unindexed().count()
    if waiting:
        found.append(_filings(waiting, of_whom) + " not yet searchable.")
    try:
        lacking = lacking_vectors(documents, encoders.live_embedder())
    except EncoderUnavailable:
        found.append("Meaning search is unavailable; only words were looked for.")
    else:
        if lacking:
            whose = "their" if lacking > 1 else "its"
            found.append(
                f"{_filings(lacking, of_whom)} not yet in the vector index; only {whose} words "
                "were looked for."
            )
    return found


def _other_language(question: str) -> str:
    """What to do about a question in a language that questions are not understood in.

    Whoever is asked in German takes its nouns for names. Only common little words tell: a question
    is too short for more.
    """
    words = set(re.findall(r"[^\W\d_]+", question.casefold()))
    return OTHER_LANGUAGE if len(words & FOREIGN) >= FEWEST_FOREIGN or has_runs(question) else ""


def _filings(count: int, of_whom: str) -> str:
    return f"{count:,} filing{'s' if count > 1 else ''}{of_whom} {'are' if count > 1 else 'is'}"
