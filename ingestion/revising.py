"""A document over time: what supersedes it, what withdraws it, and what then stands for its text.

A retired document (superseded or withdrawn) changes in nothing else: it stays readable under its
address. What retires it must run in the transaction that makes its successor searchable.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from docintel.scheduling import enqueue
from ingestion.claiming import FREE, NO_FAILURE
from ingestion.models import Document
from ingestion.querysets import DocumentQuerySet

logger = logging.getLogger(__name__)

MOST_MENDED = 1_000
UNSHARED: dict[str, Any] = {"near_duplicate_of": None, "similarity": None}


def latest_revision(source_id: int, external_id: str) -> Document | None:
    """The newest arrival under this id of this source, retired or not; None without an id."""
    if not external_id:
        return None
    rows = Document.objects.filter(source=source_id, external_id=external_id, dropped_at=None)
    return rows.listed().order_by("-received_at", "-pk").first()


def retire_predecessors(document: Document) -> int:
    """Everything that this document or a living sighting of it replaces leaves search; how many.

    Called when the document becomes searchable, in that transaction. The whole chain goes, so a
    revision that was never readable does not keep its own predecessor in search.
    """
    same = Document.objects.living().filter(Q(pk=document.pk) | Q(duplicate_of=document.pk))
    newer = set(same.exclude(supersedes=None).values_list("supersedes_id", flat=True))
    found: set[int] = set()
    while newer:
        # A text that came back is not retired by the chain that led away from it.
        newer -= found | {document.pk}
        found |= newer
        rows = Document.objects.filter(pk__in=newer).exclude(supersedes=None)
        newer = set(rows.values_list("supersedes_id", flat=True))
    with transaction.atomic():
        return _retire(Document.objects.filter(pk__in=found), "superseded_at")


def withdraw(documents: Iterable[Document]) -> int:
    """These leave search because their source no longer has them; how many did."""
    ids = [document.pk for document in documents]
    with transaction.atomic():
        return _retire(Document.objects.living().filter(pk__in=ids), "withdrawn_at")


def _retire(rows: DocumentQuerySet, moment: str) -> int:
    still = rows.filter(**{f"{moment}__isnull": True}).order_by("pk")
    # Locked in one order; whoever works on one loses its claim and can write nothing more.
    ids = list(still.select_for_update().values_list("pk", flat=True))
    if ids:
        retired = Document.objects.filter(pk__in=ids)
        retired.update(**{moment: timezone.now()}, **FREE)
        logger.info("%s: documents %s", moment, ids)
        pass_on(ids)
    return len(ids)


def pass_on(retired: Iterable[int]) -> None:
    """What only stood behind one of these stands for itself: sightings and near duplicates.

    The oldest living sighting of each becomes a document of its own and is read again from its
    own bytes; the retired one keeps its text for those who cite it.
    """
    ids = list(retired)
    living = Document.objects.living().filter(quarantined_at=None)
    heirs: dict[int, int] = {}
    rows = living.filter(duplicate_of__in=ids).order_by("received_at", "pk")
    for pk, original in rows.values_list("pk", "duplicate_of_id"):
        heirs.setdefault(original or 0, pk)
    for original, heir in heirs.items():
        living.filter(duplicate_of=original).exclude(pk=heir).update(duplicate_of=heir)
        Document.objects.filter(pk=heir).update(
            duplicate_of=None, parsed_at=None, **NO_FAILURE, **FREE
        )
    if heirs:
        enqueue("ingestion.tasks.parse_pending")
    if living.filter(near_duplicate_of__in=ids).update(**UNSHARED):
        enqueue("ingestion.tasks.index_pending")


def restore(document: Document) -> bool:
    """A withdrawn document whose file is back returns to search; False if it cannot as it is.

    It cannot when its text meanwhile is another document's, or it was superseded.
    """
    row = Document.objects.filter(pk=document.pk, withdrawn_at__isnull=False, superseded_at=None)
    current = Document.objects.living().filter(pk=OuterRef("duplicate_of"))
    possible = row.filter(Q(duplicate_of=None) | Exists(current), successors=None)
    try:
        with transaction.atomic():
            # Both indexes still hold its passages.
            done = possible.values_list("pk", flat=True).first() is not None and bool(
                row.update(withdrawn_at=None, missing_scans=0, **UNSHARED)
            )
    except IntegrityError:
        return False
    if done:
        document.withdrawn_at = None
        enqueue("ingestion.tasks.index_pending")
    return done


def mend() -> int:
    """Put right what two workers left between them at one moment; how many documents.

    A revision that became searchable while another worker linked it, and sightings left behind a
    retired original.
    """
    done = Document.objects.searchable().filter(pk=OuterRef("supersedes"))
    newer = Document.objects.searchable().filter(Exists(done))
    late = sum(retire_predecessors(row) for row in newer.listed()[:MOST_MENDED])
    retired = Q(duplicate_of__superseded_at__isnull=False) | Q(
        duplicate_of__withdrawn_at__isnull=False
    )
    rows = Document.objects.living().filter(retired, quarantined_at=None)
    originals = list(
        rows.order_by().values_list("duplicate_of_id", flat=True).distinct()[:MOST_MENDED]
    )
    if originals:
        with transaction.atomic():
            pass_on([pk for pk in originals if pk is not None])
    return late + len(originals)
