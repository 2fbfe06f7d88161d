"""Documents that name a company which the tables learn of only later: linked once it is known.

A company's first filing may come after the news about it, and an expert may give it another name.
Each name waits, in its own row, until the documents that were read before it are linked.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from ingestion.attributing import attribution
from ingestion.claiming import ClaimLost, lock
from ingestion.linking import catalogue, link_mentions
from ingestion.models import Company, CompanyAlias, Document, LinkWord, Mention
from ingestion.recognising.legal_forms import without_form

TURN_SECONDS = 10.0
# A longer name begins like this one, but need not be spelled like it ("Best Buy Co." for "Best
# Buy"); of the shortest everything begins, and they are looked for as they stand.
SHORTEST_BEGINNING = 4


def link_older(seconds: float = TURN_SECONDS) -> int:
    """Link what was read before a name was known, the oldest name first; how many documents.

    A turn that ends early goes on at the next: what is linked by then is not found again.
    """
    until = time.monotonic() + seconds
    linked = 0
    for table in (Company, CompanyAlias):
        waiting: list[Any] = list(table.objects.filter(older_linked_at=None).order_by("pk"))
        if waiting:
            # A name that was changed would be known some minutes later only.
            catalogue(fresh=True)
        for row in waiting:
            company = row.pk if isinstance(row, Company) else row.company_id
            for document in _unlinked(row.name, company):
                linked += _link(document)
                if time.monotonic() > until:
                    return linked
            # Unless it was given another name meanwhile.
            done = table.objects.filter(pk=row.pk, name=row.name)
            done.update(older_linked_at=timezone.now())
            if time.monotonic() > until:
                return linked
    return linked


def look_again(named: Company | CompanyAlias) -> None:
    """The row, which the caller saves, has another name than it had: that one waits in its turn."""
    named.older_linked_at = None


def _unlinked(name: str, company: int) -> Iterable[int]:
    """Documents with a name that is this company's by now, and was nobody's when they were read."""
    spelled = Mention.objects.filter(kind=Mention.Kind.COMPANY, company=None)
    core = without_form(name)
    if len(core) < SHORTEST_BEGINNING:
        spelled = spelled.filter(name__in={name, core})
    else:
        spelled = spelled.filter(name__startswith=core)
    names = spelled.order_by().values_list("name", flat=True).distinct()
    matcher = catalogue().matcher
    meant = [one for one in names if matcher.company(one) == company]
    read = spelled.filter(name__in=meant, document__recognised_at__isnull=False)
    # What a person said of it stays, however often it is linked.
    judged = LinkWord.objects.filter(document=OuterRef("document"), name=OuterRef("name"))
    found = read.exclude(Exists(judged)).values_list("document", flat=True)
    # Those that no turn has linked yet come first.
    return list(found.order_by("document__recognised_at", "document").distinct())


@transaction.atomic
def _link(pk: int) -> bool:
    """Whether the document is linked anew; one that a worker reads just now links itself."""
    document = Document.objects.select_related("company").filter(pk=pk).first()
    if document is None:
        return False
    try:
        lock(document)
    except ClaimLost:
        return False
    link_mentions(document)
    # Whoever has read its links, as the feed has, sees that they are newer.
    changes = {"recognised_at": timezone.now(), **attribution(document)}
    Document.objects.filter(pk=pk).update(**changes)
    return True
