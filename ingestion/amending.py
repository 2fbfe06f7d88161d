"""Which earlier document an amended report replaces: "10-K/A", "Amendment No. 1".

The trap: ambiguous stays unlinked, two candidates are as good as none.
"""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Length, Substr

from ingestion.audiences import covering
from ingestion.models import Document
from ingestion.querysets import BODY_FIELDS

FIRST_PAGE_CHARACTERS = 3_000
# An amendment that is much shorter amends a part; the rest of the original still stands.
LEAST_SHARE = 0.5
FEW = 10
PERIODIC = (Document.Kind.ANNUAL_REPORT, Document.Kind.QUARTERLY_REPORT)
MARKER = re.compile(
    r"""
    \b(?:10-?[KQ]|20-?F|40-?F)[-/_.]?A\b   # form names: 10-K/A, and 10-K_A of file names
    | \bamendment\s+no\.?\s*\d+
    | \bamendment[-_]\d+
    """,
    re.IGNORECASE | re.VERBOSE,
)
NAME_MARKER = re.compile(r"(?:^|[-_.\s])10[-_]?[kq]a(?:[-_.\s]|\d|$)", re.IGNORECASE)


def is_amendment(file_name: str, title: str, text: str) -> bool:
    """Whether its name, its title or the head of its first page says that it amends another.

    A mention further down ("see our Form 10-K/A") does not count, nor one of somebody else's form.
    """
    if NAME_MARKER.search(file_name) or MARKER.search(file_name) or MARKER.search(title):
        return True
    head = text[:FIRST_PAGE_CHARACTERS]
    # Where the form's name stands by itself; in running text it may be any form's.
    return any(
        MARKER.search(line) and len(line.split()) <= 12 for line in head.splitlines() if line
    )


def link(document: Document) -> Document | None:
    """Note that this parsed report amends an earlier one, or that an amendment of it is here.

    Returns the pair's newer one, or None. Reports may arrive in either order. Nothing is linked
    when there is more than one candidate, when the amendment is of a part only, and when somebody
    who may see the earlier report could not see the amendment.
    """
    if not document.company_id or not document.fiscal_year or document.kind not in PERIODIC:
        return None
    if is_amendment(document.file_name, document.title, document.text):
        if document.supersedes_id is None and (earlier := _amended_by(document)):
            Document.objects.filter(pk=document.pk).update(supersedes=earlier)
            document.supersedes = earlier
            return document
        return None
    later = _amendment_of(document)
    if later is not None:
        Document.objects.filter(pk=later.pk, supersedes=None).update(supersedes=document)
    return later


def _amended_by(document: Document) -> Document | None:
    longest = len(document.text) / LEAST_SHARE
    rows = _same_report(document).filter(successors__isnull=True, length__lte=longest)
    published = document.published_on or document.received_at.date()
    rows = rows.filter(Q(published_on__isnull=True) | Q(published_on__lte=published))
    found = list(rows[:FEW])
    seen = covering((document.source_id, row.source_id) for row in found)
    found = [row for row in found if (document.source_id, row.source_id) in seen]
    return found[0] if len(found) == 1 else None


def _amendment_of(document: Document) -> Document | None:
    if document.successors.exists():
        return None
    shortest = len(document.text) * LEAST_SHARE
    rows = _same_report(document).filter(supersedes=None, length__gte=shortest)
    if document.published_on:
        later = Q(published_on__isnull=True) | Q(published_on__gte=document.published_on)
        rows = rows.filter(later)
    found = [row for row in rows[:FEW] if is_amendment(row.file_name, row.title, row.head)]
    seen = covering((row.source_id, document.source_id) for row in found)
    found = [row for row in found if (row.source_id, document.source_id) in seen]
    return found[0] if len(found) == 1 else None


def _same_report(document: Document) -> QuerySet[Any]:
    """Other parsed reports of its company, kind and period; `head` and `length` of the text."""
    rows = Document.objects.current().exclude(pk=document.pk)
    return (
        rows.filter(
            company=document.company_id,
            kind=document.kind,
            fiscal_year=document.fiscal_year,
            fiscal_quarter=document.fiscal_quarter,
            parsed_at__isnull=False,
        )
        .annotate(head=Substr("text", 1, FIRST_PAGE_CHARACTERS), length=Length("text"))
        .defer(*BODY_FIELDS)
    )
