"""Work off what waits to be extracted from, for a while; any number of workers may do so."""

from __future__ import annotations

import logging
import time

from docintel.scheduling import enqueue
from extraction import backlog, bulk_items, bulk_runs
from extraction.backlog import Waiting
from extraction.claiming_runs import Versions
from extraction.extracting import NothingLive, versions_of, work
from extraction.result_tables import BulkRun
from extraction.schema_tables import Schema
from extraction.tagging import TaggerUnavailable
from ingestion.models import Document

logger = logging.getLogger(__name__)

# A tick's share, as of ingestion's stages: what is left is enqueued again.
STAGE_SECONDS = 10.0
TASK = "extraction.tasks.extract_pending"


def extract_pending(seconds: float = STAGE_SECONDS) -> int:
    """Extract from what is due; how many documents were handled, failures included.

    Gives way, between two documents, to documents that wait to become searchable. A schema whose
    tagger cannot be used is left alone, and its bulk runs say why.
    """
    until = time.monotonic() + seconds
    bulk_runs.prepare_pending()
    automatic = _live(Schema.objects.active())
    of_bulk = _live(Schema.objects.filter(bulk_runs__state=BulkRun.State.RUNNING).distinct())
    unusable: set[int] = set()
    handled = 0
    for one in backlog.waiting(automatic, {versions.schema.pk: versions for versions in of_bulk}):
        if one.versions.schema.pk in unusable:
            continue
        if time.monotonic() >= until or _others_wait_for_search():
            enqueue(TASK)
            break
        try:
            handled += _handle(one)
        except TaggerUnavailable as error:
            logger.warning("extraction by %s waits: %s", one.versions.schema, error)
            bulk_runs.say_why(one.versions.schema, str(error))
            unusable.add(one.versions.schema.pk)
    for bulk in BulkRun.objects.running():
        bulk_items.close_if_over(bulk)
    return handled


def _live(schemas: object) -> list[Versions]:
    found = []
    for schema in schemas:  # type: ignore[attr-defined]
        try:
            found.append(versions_of(schema))
        except (NothingLive, TaggerUnavailable) as error:
            logger.info("nothing is extracted by %s: %s", schema, error)
            bulk_runs.say_why(schema, str(error))
    return found


def _handle(one: Waiting) -> bool:
    if one.item is None or one.bulk is None:
        return work(one.document_id, one.versions) is not None
    if not bulk_runs.is_running(one.bulk):
        return False
    known = one.versions.runs.filter(document=one.document_id)
    run = work(one.document_id, one.versions, since=one.bulk.created_at, again=one.bulk.again)
    run = run or known.first()
    settled = run is not None and bulk_items.settle(one.item, one.bulk, run)
    if settled and one.bulk.error:
        bulk_runs.say_why(one.versions.schema, "")
    return settled


def _others_wait_for_search() -> bool:
    documents = Document.objects
    return documents.unparsed().due().exists() or documents.unindexed().due().exists()
