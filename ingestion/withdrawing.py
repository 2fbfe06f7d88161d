"""What a source no longer holds leaves search, but never because the source could not be read.

The trap: an unmounted folder looks like one whose every file was deleted. So a file must be absent
from several complete looks in a row, and when most are absent at once a person has to confirm.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import F

from ingestion.models import Document, Source
from ingestion.querysets import DocumentQuerySet
from ingestion.revising import withdraw

# Five minutes apart: a file that is being replaced, or a short outage, withdraws nothing.
LOOKS_BEFORE_WITHDRAWAL = 3
LARGEST_SHARE = 0.5


class NotYours(Exception):
    """This person may read the document but not withdraw it."""


def note_absent(source: Source, seen: Collection[str], *, complete: bool) -> str:
    """Count the looks in which a document's file was absent; withdraw it after the last.

    `seen` are the external ids there now; a look that was not `complete` counts for nothing.
    Returns why nothing was withdrawn although files are absent, in words, or "".
    """
    if not complete:
        return ""
    Source.objects.filter(pk=source.pk).update(offered=len(seen))
    here = frozenset(seen)
    living = source.documents.living().exclude(external_id="").order_by()
    rows = list(living.values_list("pk", "external_id", "missing_scans"))
    back = [pk for pk, name, missing in rows if missing and name in here]
    living.filter(pk__in=back).update(missing_scans=0)
    absent = [(pk, missing + 1) for pk, name, missing in rows if name not in here]
    if not absent:
        return ""
    living.filter(pk__in=[pk for pk, _ in absent]).update(missing_scans=F("missing_scans") + 1)
    names = {name for _, name, _ in rows}
    n_absent = len(names - here)
    if not here or n_absent > LARGEST_SHARE * len(names):
        return (
            f"{n_absent:,} of {len(names):,} files are missing. Nothing is withdrawn until they "
            "are back, or an operator confirms on the ledger page that they were deleted."
        )
    gone = [pk for pk, missing in absent if missing >= LOOKS_BEFORE_WITHDRAWAL]
    withdraw(Document.objects.filter(pk__in=gone).only("pk"))
    return ""


def absent_from(source: Source) -> DocumentQuerySet:
    """Living documents whose file was absent when the source was last looked through."""
    found: DocumentQuerySet = source.documents.living().filter(missing_scans__gt=0)
    return found


def confirm_absent(source: Source) -> int:
    """By hand: what is absent was deleted; how many documents were withdrawn."""
    return withdraw(absent_from(source).only("pk"))


def withdraw_for(document: Document, user: Any) -> bool:
    """A person takes back what they sent, or an operator anything; False if it was done before.

    Raises NotYours.
    """
    own = document.uploaded_by_id is not None and document.uploaded_by_id == user.pk
    if not (own or user.has_perm("ingestion.operate_pipeline")):
        raise NotYours
    return bool(withdraw([document]))
