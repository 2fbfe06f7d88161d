"""A person corrects what a document is; their word outranks every later reading of the file."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Q

from docintel.scheduling import enqueue
from ingestion.companies import company_named
from ingestion.models import DESCRIBED, Company, Document
from ingestion.revising import UNSHARED

logger = logging.getLogger(__name__)

EDITABLE = (*DESCRIBED, "company")
# What the header of every passage says: changing it means both indexes read something new.
IN_HEADER = frozenset(EDITABLE) - {"published_on"}


@transaction.atomic
def edit(document: Document, changes: Mapping[str, Any], user: AbstractBaseUser) -> bool:
    """Write validated changes; whether anything changed. `company` may be a row, a name or None.

    Where the header changes, the document leaves the search until its passages are rewritten,
    which is enqueued and takes about a second.
    """
    row = Document.objects.select_for_update().defer("text").get(pk=document.pk)
    wanted = {name: changes[name] for name in EDITABLE if name in changes}
    if "company" in wanted and not isinstance(wanted["company"], Company | None):
        wanted["company"] = company_named(str(wanted["company"]))
    changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if not changed:
        return False
    update: dict[str, Any] = {
        **changed,
        "provenance": {**row.provenance, **dict.fromkeys(changed, "edited")},
    }
    header_changed = bool(IN_HEADER & set(changed))
    retired = row.superseded_at or row.withdrawn_at
    if header_changed or not row.parsed_at:
        # Whoever works on it loses its claim, and with it what it read before the change.
        update |= {"claim": None, "claimed_until": None}
    if "company" in changed:
        # "the Company" now stands for another one.
        update |= {"recognised_at": None, "recognised_to": 0}
    if header_changed and row.searchable_at and not retired:
        update |= {"searchable_at": None, "embedded_at": None, "embedder": None}
        enqueue("ingestion.tasks.index_pending")
    if header_changed:
        # Whether one stands for another depends on what both are.
        linked = Document.objects.filter(Q(near_duplicate_of=row.pk) | Q(pk=row.pk))
        if linked.exclude(near_duplicate_of=None).update(**UNSHARED):
            enqueue("ingestion.tasks.index_pending")
    Document.objects.filter(pk=row.pk).update(**update)
    for name, value in update.items():
        setattr(document, name, value)
    logger.info("user %s edited %s of document %s", user.pk, sorted(changed), row.pk)
    return True
