"""The companies, sources and topics that a person may know of, by id and by what they type.

A company that only hidden documents brought is unknown, as it is everywhere else.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from django.db.models import Exists, OuterRef, Q, QuerySet

from docintel.compiled_queries import CompiledQuery, Given
from docintel.remembering import remembered
from ingestion.catalogue import default_catalogue
from ingestion.metadata import company_key
from ingestion.models import Company, Document, Mention, Source, Topic
from ingestion.querysets import DocumentQuerySet, User
from ingestion.seeing import SOMEBODY

MOST_FOUND = 12
_OF_SEEN = CompiledQuery(
    lambda: Company.objects.filter(
        Exists(_seen_by(SOMEBODY).filter(company=OuterRef("pk"))), pk__any_of=Given("companies")
    ).order_by()
)
_SEEN = CompiledQuery(lambda: companies(SOMEBODY).filter(pk__any_of=Given("companies")).order_by())
_TOPIC_NAMES = CompiledQuery(lambda: topics().values_list("key", "name"))


def companies(user: User) -> QuerySet[Company]:
    """Those that a visible document is of or mentions, one that left search included."""
    documents = _seen_by(user)
    own = documents.filter(company=OuterRef("pk"))
    named = Mention.objects.filter(company=OuterRef("pk"), document__in=documents)
    return Company.objects.filter(Exists(own) | Exists(named.order_by()))


def _seen_by(user: User) -> DocumentQuerySet:
    return Document.objects.visible_to(user).order_by()


def may_know(company: Company, user: User) -> bool:
    return company.pk in known_of([company.pk], user)


def known_of(ids: Iterable[int], user: User) -> dict[int, Company]:
    """Those of these companies that the person may know; one that no document brought, anybody."""
    wanted = set(ids)
    if not wanted:
        return {}
    given = Source.objects.given_for(user)
    seen = {row.pk: row for row in _OF_SEEN(**given, companies=wanted)}
    # To plan both takes longer than to look, and most companies brought something of their own.
    if left := wanted - seen.keys():
        seen |= {row.pk: row for row in _SEEN(**given, companies=left)}
    rows = Company.objects.in_bulk(wanted - seen.keys())
    brought = Document.objects.filter(company__in=rows.keys()).order_by()
    hidden = set(brought.values_list("company", flat=True).distinct())
    return seen | {
        pk: row
        for pk, row in rows.items()
        if pk not in hidden or row.cik or row.lei or row.key in _public_keys()
    }


def find_companies(words: str, user: User) -> list[Company]:
    """By the beginning of a name, another name or the ticker; what has documents first."""
    words = " ".join(words.replace("\0", " ").split())[:200]
    key = company_key(words)
    if not key:
        return []
    wanted = Q(key__startswith=key) | Q(ticker__iexact=words) | Q(aliases__key__startswith=key)
    found = Company.objects.filter(wanted).distinct().order_by("name")[:200]
    rows = known_of([row.pk for row in found], user)
    seen = set(companies(user).filter(pk__in=rows).values_list("pk", flat=True))
    ordered = sorted(rows.values(), key=lambda row: (row.pk not in seen, len(row.name), row.name))
    return ordered[:MOST_FOUND]


def sources(user: User) -> QuerySet[Source]:
    return Source.objects.visible_to(user)


def topics() -> QuerySet[Topic]:
    return Topic.objects.filter(active=True)


def topic_names() -> dict[str, str]:
    """Of the active ones by key, in their order; read once in a turn."""
    return remembered("topic names", lambda: dict(_TOPIC_NAMES()))


@cache
def _public_keys() -> frozenset[str]:
    """Of the companies that the default catalogue lists: knowing them tells nothing."""
    return frozenset(company_key(listed.name) for listed in default_catalogue())
