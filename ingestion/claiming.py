"""Take one due document at a time, and say how its stage ended.

A claim is a short lease that `held` keeps renewing while this process lives. An attempt is counted
when it begins, so that a file that kills its worker runs out of attempts too.
"""

from __future__ import annotations

import logging
import uuid
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from docintel.leasing import FREE, LEASE_SECONDS, kept, retry_at
from docintel.scheduling import enqueue
from ingestion.models import MAX_ATTEMPTS, Document
from ingestion.querysets import DocumentQuerySet

logger = logging.getLogger(__name__)

NO_FAILURE = {"attempts": 0, "failed_stage": "", "failed_reason": "", "retry_after": None}
KILLED = (
    f"The worker ended without a word {MAX_ATTEMPTS} times while it worked on this document; "
    "perhaps it needs more memory than there is."
)


class ClaimLost(Exception):
    """Somebody else took this document over, or a person changed it; drop what was made."""


def claim(
    documents: DocumentQuerySet, seconds: float = LEASE_SECONDS, stage: str = ""
) -> Document | None:
    """The first due one of these, leased for `seconds` and one attempt older; None if none is.

    Those that used up their attempts without a word (a killed worker) are quarantined on the way.
    """
    while True:
        pk = documents.due().values_list("pk", flat=True).first()
        if pk is None:
            return None
        token = uuid.uuid4()
        until = timezone.now() + timedelta(seconds=seconds)
        # The conditions again, in the update: another worker may be here too.
        row = documents.filter(pk=pk).due().order_by()
        if row.filter(attempts__gte=MAX_ATTEMPTS).update(
            quarantined_at=timezone.now(), failed_stage=stage, failed_reason=KILLED, **FREE
        ):
            logger.error("document %s is quarantined: %s", pk, KILLED)
            continue
        if row.update(claim=token, claimed_until=until, attempts=F("attempts") + 1):
            found = documents.filter(pk=pk, claim=token).select_related("source", "company")
            return found.first()


def renew(document: Document, seconds: float = LEASE_SECONDS, *, progress: bool = False) -> bool:
    """Lengthen the lease; False if it is no longer held. `progress` forgives earlier attempts."""
    until = timezone.now() + timedelta(seconds=seconds)
    forgiven: dict[str, Any] = {"attempts": 1} if progress else {}
    return bool(_held(document).update(claimed_until=until, **forgiven))


def lock(document: Document) -> None:
    """Within a transaction: nobody else changes this document until it ends.

    Raises ClaimLost if the document was claimed and the claim is gone.
    """
    if not _held(document).select_for_update().values_list("pk").first():
        raise ClaimLost(document.pk)


def finish(document: Document, **fields: Any) -> bool:
    """Write a stage's result and let go; False, and nothing written, if the claim is gone."""
    changes = {**NO_FAILURE, **FREE, **fields}
    done = bool(_held(document).update(**changes))
    if done:
        _apply(document, changes)
    return done


def release(document: Document) -> None:
    """Let go without a result and without counting the attempt: it was not this document's."""
    _held(document).update(attempts=Greatest(F("attempts") - 1, 0), **FREE)


def fail(document: Document, stage: str, reason: str, *, permanent: bool = False) -> None:
    """Note why a stage failed, in words; later tries wait longer, and the last one quarantines."""
    now = timezone.now()
    changes: dict[str, Any] = {"failed_stage": stage, "failed_reason": _clean(reason), **FREE}
    if permanent or document.attempts >= MAX_ATTEMPTS:
        changes |= {"quarantined_at": now, "retry_after": None}
    else:
        changes["retry_after"] = retry_at(document.attempts, now)
    if _held(document).update(**changes):
        _apply(document, changes)
        outcome = "quarantined" if document.quarantined_at else "to be tried again"
        logger.warning("document %s is %s (%s): %s", document.pk, outcome, stage, reason)


def retry(document: Document) -> bool:
    """By hand: take it out of quarantine with all its attempts; False if it is not in there.

    After a failed embedding its passages are cut anew too, because the embedder may have changed.
    """
    changes: dict[str, Any] = {"quarantined_at": None, **NO_FAILURE, **FREE}
    if document.failed_stage == Document.Stage.EMBED:
        changes["searchable_at"] = None
    done = bool(Document.objects.filter(pk=document.pk).quarantined().update(**changes))
    if done:
        _apply(document, changes)
        stage = "index" if document.parsed_at else "parse"
        enqueue(f"ingestion.tasks.{stage}_pending")
    return done


@transaction.atomic
def drop(document: Document) -> bool:
    """By hand: leave a quarantined document for good; False if it is not in quarantine.

    If its text was sighted elsewhere, the oldest sighting becomes a document of its own, so that
    dropping one arrival loses no other.
    """
    now = timezone.now()
    # Without its digest, so that the same text may come in again.
    changes: dict[str, Any] = {
        "dropped_at": now,
        "text_sha256": "",
        "searchable_at": None,
        "embedded_at": None,
        "embedder": None,
        "unit_embedder": None,
        "chunk_count": 0,
        "recognised_at": None,
        "recognised_to": 0,
        "classifier": None,
        **FREE,
    }
    if not Document.objects.filter(pk=document.pk).quarantined().update(**changes):
        return False
    _apply(document, changes)
    document.chunks.all().delete()
    document.mentions.all().delete()
    document.topics.all().delete()
    living = document.sightings.filter(superseded_at=None, withdrawn_at=None)
    heir = living.order_by("received_at", "pk").first()
    if heir is not None:
        living.exclude(pk=heir.pk).update(duplicate_of=heir)
        Document.objects.filter(pk=heir.pk).update(
            duplicate_of=None, parsed_at=None, quarantined_at=None, **NO_FAILURE, **FREE
        )
        enqueue("ingestion.tasks.parse_pending")
    return True


def held(document: Document, seconds: float = LEASE_SECONDS) -> AbstractContextManager[None]:
    """Renew the lease in the background while the block runs."""
    return kept(_held(document), seconds)


def _held(document: Document) -> DocumentQuerySet:
    return Document.objects.filter(pk=document.pk, claim=document.claim)


def _clean(reason: str) -> str:
    return reason.replace("\0", "").strip()


def _apply(document: Document, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(document, name, value)
