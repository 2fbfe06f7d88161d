"""The companies a question names, as rows of the catalogue that this user may know of.

A company that only hidden documents brought into the catalogue is treated as one that is not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from django.db import connection

from ingestion.catalogue import default_catalogue
from ingestion.metadata import company_key
from ingestion.models import Company, CompanyAlias, Document
from ingestion.querysets import User
from ingestion.recognising.matching import Entry
from qa.question.companies import NameFound, NameIndex, find_names
from qa.understood import AmbiguousName, Candidate, CompanyRead

MOST_CANDIDATES = 8
# Read at every question, in about a millisecond for thousands: what the index was made from.
_FINGERPRINT = """
    SELECT (SELECT count(*) || ':'
                   || coalesce(sum(hashtext(id || name || '|' || ticker)::bigint), 0)
            FROM ingestion_company)
        || '/' ||
           (SELECT count(*) || ':'
                   || coalesce(sum(hashtext(company_id || '|' || name)::bigint), 0)
            FROM ingestion_companyalias)
"""


@dataclass(frozen=True, slots=True)
class _Cached:
    fingerprint: str
    index: NameIndex


_latest: list[_Cached] = []


def name_index() -> NameIndex:
    """All names, kept per process and made anew when a company or an alias changes."""
    with connection.cursor() as cursor:
        cursor.execute(_FINGERPRINT)
        fingerprint = str(cursor.fetchone()[0])
    if not _latest or _latest[0].fingerprint != fingerprint:
        entries = [Entry(*row) for row in Company.objects.values_list("pk", "name", "ticker")]
        aliases = CompanyAlias.objects.values_list("company", "name")
        entries += [Entry(company, name) for company, name in aliases]
        _latest[:] = [_Cached(fingerprint, NameIndex.of(entries))]
    return _latest[0].index


def read_companies(
    text: str,
    user: User,
    taken: Sequence[tuple[int, int]],
    known: frozenset[str],
    chosen: Sequence[int] = (),
) -> tuple[list[CompanyRead], list[AmbiguousName], list[NameFound]]:
    """(each company once, names that are several companies', what was found at all).

    A name that several bear means the one in `chosen`, where one of them is.
    """
    index = name_index()
    found = find_names(text, index, taken, known)
    wanted = {pk for name in found for pk in (*name.ids, *_also(text, name, index))}
    candidates = known_to(wanted, user)
    reads: dict[int, CompanyRead] = {}
    ambiguous: dict[str, AmbiguousName] = {}
    believed: list[NameFound] = []
    # What is certain first: it also settles "Johnson" after "Johnson & Johnson".
    for name in sorted(found, key=lambda n: (n.everyday, not n.sure, n.how == "part", n.start)):
        ids = name.ids
        others = _also(text, name, index)
        rows = [candidates[pk] for pk in ids if pk in candidates]
        longer = [candidates[pk] for pk in others if pk in candidates]
        # "Delta" is all of a name here, but the documents are those of Delta Air Lines.
        if any(r.has_documents for r in longer) and not any(r.has_documents for r in rows):
            rows += longer
        if any(row.id in reads for row in rows):
            believed.append(name)
            continue
        with_documents = [row for row in rows if row.has_documents]
        if not rows or not _believed(name, with_documents, alone=not (reads or ambiguous)):
            continue
        believed.append(name)
        one = rows if len(rows) == 1 else with_documents
        one = [row for row in rows if row.id in chosen] or one
        if len(one) == 1:
            row = one[0]
            reads[row.id] = CompanyRead(
                name.start, name.end, row.id, row.name, row.ticker, name.how, row.has_documents
            )
        else:
            ordered = sorted(rows, key=lambda row: (not row.has_documents, row.name))
            read = AmbiguousName(
                name.start, name.end, text[name.start : name.end], tuple(ordered[:MOST_CANDIDATES])
            )
            ambiguous.setdefault(read.key, read)
    return (
        sorted(reads.values(), key=lambda read: read.start),
        sorted(ambiguous.values(), key=lambda read: read.start),
        believed,
    )


def _also(text: str, name: NameFound, index: NameIndex) -> frozenset[int]:
    """Companies whose longer name begins with what is all of another's name."""
    if name.how != "name":
        return frozenset()
    return frozenset(index.leading.get(company_key(text[name.start : name.end]), ())) - name.ids


def _believed(name: NameFound, with_documents: list[Candidate], *, alone: bool) -> bool:
    """A word that may be no name needs a company with documents; a common one, to be alone too."""
    if name.sure and name.how != "part":
        return True
    if name.everyday and not name.sure:
        return name.how == "name" and bool(with_documents) and alone
    return name.sure or bool(with_documents)


def known_to(ids: Iterable[int], user: User) -> dict[int, Candidate]:
    """Those of them that this user may know of."""
    rows = {row.pk: row for row in Company.objects.filter(pk__in=list(ids))}
    if not rows:
        return {}
    visible = set(
        Document.objects.visible_to(user)
        .searchable()
        .filter(company__in=rows)
        .order_by()
        .values_list("company", flat=True)
        .distinct()
    )
    unseen = rows.keys() - visible
    hidden = set(
        Document.objects.filter(company__in=unseen)
        .order_by()
        .values_list("company", flat=True)
        .distinct()
    )
    return {
        pk: Candidate(pk, row.name, row.ticker, pk in visible)
        for pk, row in rows.items()
        if pk in visible or pk not in hidden or row.cik or row.lei or row.key in _public_keys()
    }


@cache
def _public_keys() -> frozenset[str]:
    """Keys of the companies that the default catalogue lists: knowing them tells nothing."""
    return frozenset(company_key(listed.name) for listed in default_catalogue())
