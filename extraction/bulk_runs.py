"""Start, pause, resume and cancel a bulk run; its documents are listed in the background.

Every verb is one conditional update, so that two people who click at once do one thing.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Avg, Exists, F, OuterRef
from django.utils import timezone

from docintel.models import Measurement
from docintel.scheduling import enqueue
from extraction import bulk_items, choosing
from extraction.choosing import Chosen
from extraction.claiming_runs import Versions
from extraction.extracting import NothingLive, versions_of
from extraction.result_tables import BulkDocument, BulkRun, ExtractionRun
from extraction.schema_tables import Schema
from ingestion.querysets import User

ROWS_AT_ONCE = 5_000
# What a document takes is judged by the last ones that took something.
JUDGED_BY = 200
TASK = "extraction.tasks.extract_pending"
State = BulkRun.State


class Refused(Exception):
    """Why a bulk run was not started, in words."""


def start(chosen: Chosen, schema: Schema, user: Any, *, again: bool = False) -> BulkRun:
    """A bulk run over the documents that this person may see now. Raises Refused."""
    try:
        versions = versions_of(schema)
    except NothingLive as error:
        raise Refused(f"Nothing can be extracted: {error}.") from error
    if not choosing.documents_of(chosen, user).exists():
        raise Refused("No document that you may see is in this scope.")
    bulk = BulkRun.objects.create(
        schema=schema,
        schema_version=versions.schema_version,
        model_version=versions.model_version,
        scope=chosen.as_json(),
        described=choosing.in_words(chosen),
        again=again,
        created_by=user,
    )
    enqueue(TASK)
    return bulk


def prepare_pending() -> None:
    """List the documents of those just started, each whole or not at all."""
    while True:
        with transaction.atomic():
            rows = BulkRun.objects.preparing().select_for_update(skip_locked=True, of=("self",))
            bulk = rows.select_related("schema", "created_by").first()
            if bulk is None:
                return
            _prepare(bulk)


def pause(bulk: BulkRun) -> bool:
    """No further document is begun; False if it is not running."""
    return _let_rest(bulk, State.PAUSED, from_states=[State.RUNNING])


def resume(bulk: BulkRun) -> bool:
    """Go on where it was paused; False if it is not paused."""
    paused = BulkRun.objects.filter(pk=bulk.pk, state=State.PAUSED)
    done = bool(paused.update(state=State.RUNNING, resumed_at=timezone.now()))
    if done:
        enqueue(TASK)
    return done


def cancel(bulk: BulkRun) -> bool:
    """For good; what was found stays. False if it is over already."""
    open_states = [State.PREPARING, State.RUNNING, State.PAUSED]
    done = _let_rest(bulk, State.CANCELLED, from_states=open_states)
    if done:
        BulkRun.objects.filter(pk=bulk.pk).update(finished_at=timezone.now())
    return done


ACTIONS = {"pause": pause, "resume": resume, "cancel": cancel}


def is_running(bulk: BulkRun) -> bool:
    """Asked of the database: somebody may have paused it a moment ago."""
    return BulkRun.objects.filter(pk=bulk.pk, state=State.RUNNING).exists()


def say_why(schema: Schema, why: str) -> None:
    """Note on the running bulk runs of this schema why they make no headway; "" when they do."""
    running = BulkRun.objects.running().filter(schema=schema)
    running.exclude(error=why).update(error=why)


def seconds_expected(schema: Schema) -> float | None:
    """What a document takes by this schema, by the latest; None where none was read yet."""
    rows = Measurement.objects.filter(name="extract_seconds", labels__schema=schema.name)
    latest = rows.order_by("-recorded_at").values_list("pk", flat=True)[:JUDGED_BY]
    found = Measurement.objects.filter(pk__in=list(latest)).aggregate(each=Avg("value"))["each"]
    return None if found is None else float(found)


def expected(chosen: Chosen, schema: Schema, user: User, *, again: bool) -> dict[str, Any]:
    """What a run would be: `total` and `new` documents, `each` and `seconds`, `dollars`, `problem`.

    Times are None where nothing was read by this schema yet.
    """
    documents = choosing.documents_of(chosen, user)
    total = new = documents.count()
    try:
        versions = versions_of(schema)
    except NothingLive as error:
        return {"total": total, "problem": f"Nothing can be extracted: {error}."}
    if not again:
        read = versions.runs.filter(
            document=OuterRef("pk"), state=ExtractionRun.State.FINISHED, shown=True
        )
        new = documents.exclude(Exists(read)).count()
    each = seconds_expected(schema)
    seconds = None if each is None else each * new
    return {
        "total": total,
        "new": new,
        "each": each,
        "seconds": seconds,
        "dollars": None if seconds is None else bulk_items.cost(seconds),
    }


def _let_rest(bulk: BulkRun, state: State, from_states: list[State]) -> bool:
    with transaction.atomic():
        row = BulkRun.objects.select_for_update().filter(pk=bulk.pk, state__in=from_states).first()
        if row is None:
            return False
        worked = bulk_items.active_seconds(row)
        BulkRun.objects.filter(pk=row.pk).update(
            state=state, seconds_before=worked, resumed_at=None
        )
        return True


def _prepare(bulk: BulkRun) -> None:
    if bulk.created_by is None:
        BulkRun.objects.filter(pk=bulk.pk).update(
            state=State.CANCELLED, error="Whoever started it has left.", finished_at=timezone.now()
        )
        return
    documents = choosing.documents_of(choosing.from_json(bulk.scope), bulk.created_by)
    newest_first = documents.order_by(F("received_at").desc(), "pk")
    rows: list[BulkDocument] = []
    count = 0
    for pk in newest_first.values_list("pk", flat=True).iterator(ROWS_AT_ONCE):
        rows.append(BulkDocument(bulk=bulk, document_id=pk))
        if len(rows) == ROWS_AT_ONCE:
            count += _keep(rows)
    count += _keep(rows)
    if not bulk.again:
        _leave_out_known(bulk)
    BulkRun.objects.filter(pk=bulk.pk).update(
        state=State.RUNNING, document_count=count, resumed_at=timezone.now()
    )


def _keep(rows: list[BulkDocument]) -> int:
    BulkDocument.objects.bulk_create(rows)
    count = len(rows)
    rows.clear()
    return count


def _leave_out_known(bulk: BulkRun) -> None:
    """What the same versions read already, all at once."""
    try:
        versions: Versions = versions_of(bulk.schema)
    except NothingLive:
        return
    read = versions.runs.filter(
        document=OuterRef("document"), state=ExtractionRun.State.FINISHED, shown=True
    )
    waiting = bulk.items.filter(Exists(read), state=BulkDocument.State.WAITING)
    waiting.update(state=BulkDocument.State.KNOWN, finished_at=timezone.now())
