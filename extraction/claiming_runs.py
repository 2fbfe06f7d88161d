"""Begin the run of one document, hold it while it is at work, and say how it ended.

The same lease as of documents in ingestion, on a row of its own: a document that cannot be
extracted is given up for extraction only. An attempt is counted when it begins.
"""

from __future__ import annotations

import logging
import uuid
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Greatest
from django.utils import timezone

from docintel.leasing import FREE, LEASE_SECONDS, kept, retry_at
from docintel.models import ModelVersion
from extraction.result_tables import MAX_ATTEMPTS, ExtractionRun, RunQuerySet
from extraction.schema_tables import Schema, SchemaVersion

logger = logging.getLogger(__name__)

NO_FAILURE: dict[str, Any] = {"attempts": 0, "failed_reason": "", "retry_after": None}
KILLED = (
    f"The worker ended without a word {MAX_ATTEMPTS} times while it extracted from this document; "
    "perhaps it needs more memory than there is."
)
State = ExtractionRun.State


class ClaimLost(Exception):
    """Somebody else took this run over, or it was called off; drop what was made."""


@dataclass(frozen=True, slots=True)
class Versions:
    """What reads documents now: a schema as it stands, and the tagger that is live for it.

    `equal` are the ids of the schema's versions that find the same: of titles and colours only
    they differ, and no document is read again for those.
    """

    schema: Schema
    schema_version: SchemaVersion
    model_version: ModelVersion
    equal: tuple[int, ...]

    @property
    def runs(self) -> RunQuerySet:
        """All runs by these versions, in whatever state; at most one of a document."""
        return ExtractionRun.objects.filter(
            schema_version__in=self.equal, model_version=self.model_version
        )


def begin(
    document_id: int, versions: Versions, *, since: datetime | None = None, again: bool = False
) -> ExtractionRun | None:
    """The run of this document by these versions, leased and one attempt older.

    None if it has ended, is leased to somebody else, or waits for its next attempt. With `since`
    one that failed before is begun with all its attempts; with `again`, one that was finished, too.
    """
    row = versions.runs.filter(document=document_id)
    if since is not None:
        ended = Q(state=State.FAILED)
        if again:
            ended |= Q(state=State.FINISHED)
        row.filter(ended, ended_at__lt=since).update(state=State.WAITING, **NO_FAILURE)
    run = _lease(row)
    if run is None and not row.exists():
        made = ExtractionRun(
            document_id=document_id,
            schema=versions.schema,
            schema_version=versions.schema_version,
            model_version=versions.model_version,
        )
        # Another worker may make it at the same moment.
        ExtractionRun.objects.bulk_create([made], ignore_conflicts=True)
        run = _lease(row)
    return run


def _lease(row: RunQuerySet) -> ExtractionRun | None:
    token = uuid.uuid4()
    now = timezone.now()
    due = row.due().order_by()
    given_up = due.filter(attempts__gte=MAX_ATTEMPTS)
    if given_up.update(state=State.FAILED, failed_reason=KILLED, ended_at=now, **FREE):
        logger.error("extraction of %s was given up: %s", row.values_list("document").get(), KILLED)
        return None
    until = now + timedelta(seconds=LEASE_SECONDS)
    leased = due.update(
        state=State.RUNNING, claim=token, claimed_until=until, attempts=F("attempts") + 1
    )
    return row.get(claim=token) if leased else None


def lock(run: ExtractionRun) -> None:
    """Within a transaction: nobody else changes this run until it ends. Raises ClaimLost."""
    if not _held(run).select_for_update().values_list("pk").first():
        raise ClaimLost(run.pk)


def finish(run: ExtractionRun, **fields: Any) -> None:
    """Write the result and let go. Raises ClaimLost, and nothing is written."""
    changes = {
        **NO_FAILURE, **FREE, "state": State.FINISHED, "ended_at": timezone.now(), **fields,
    }  # fmt: skip
    if not _held(run).update(**changes):
        raise ClaimLost(run.pk)
    _apply(run, changes)


def release(run: ExtractionRun) -> None:
    """Let go without counting the attempt: it was not this document's fault."""
    _held(run).update(state=State.WAITING, attempts=Greatest(F("attempts") - 1, 0), **FREE)


def fail(run: ExtractionRun, reason: str, *, permanent: bool = False) -> None:
    """Note why, in words; later tries wait longer, and after the last it is given up."""
    now = timezone.now()
    changes: dict[str, Any] = {"failed_reason": reason.replace("\0", "").strip(), **FREE}
    if permanent or run.attempts >= MAX_ATTEMPTS:
        changes |= {"state": State.FAILED, "ended_at": now, "retry_after": None}
    else:
        changes |= {"state": State.WAITING, "retry_after": retry_at(run.attempts, now)}
    if _held(run).update(**changes):
        _apply(run, changes)
        logger.warning("extraction of document %s %s: %s", run.document_id, run.state, reason)


def retry(run: ExtractionRun) -> bool:
    """By hand: all its attempts again; False if it had not been given up."""
    changes: dict[str, Any] = {"state": State.WAITING, **NO_FAILURE, **FREE}
    return bool(ExtractionRun.objects.filter(pk=run.pk).failed().update(**changes))


def redo(run: ExtractionRun) -> bool:
    """By hand: once more, while what was found stays shown; False if it has not ended."""
    ended = ExtractionRun.objects.filter(pk=run.pk, state__in=[State.FINISHED, State.FAILED])
    changes: dict[str, Any] = {"state": State.WAITING, **NO_FAILURE, **FREE}
    return bool(ended.update(**changes))


def held(run: ExtractionRun) -> AbstractContextManager[None]:
    """Renew the lease in the background while the block runs."""
    return kept(_held(run))


def _held(run: ExtractionRun) -> RunQuerySet:
    return ExtractionRun.objects.filter(pk=run.pk, claim=run.claim)


def _apply(run: ExtractionRun, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(run, name, value)
