"""One document through one schema: tagged, related, and its rows written in one transaction.

What an earlier version found stays shown until the new rows are there.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from docintel import measuring
from extraction import layouts, relating, settling, tagging
from extraction.claiming_runs import (
    ClaimLost,
    Versions,
    begin,
    fail,
    finish,
    held,
    lock,
    release,
)
from extraction.ml.spans import FoundSpan
from extraction.relating import FoundRelation
from extraction.result_rows import ROWS_AT_ONCE, BadResult, relation_row, span_row
from extraction.result_tables import ExtractedRelation, ExtractedSpan, ExtractionRun
from extraction.schema import BadSchema, SchemaSpec
from extraction.schema_tables import Schema
from extraction.tagging import TaggerUnavailable
from ingestion.models import Document

logger = logging.getLogger(__name__)

UNEXPECTED = "Something unexpected went wrong; the log has the details."
State = ExtractionRun.State


@dataclass(frozen=True, slots=True)
class Result:
    """What was found in one text; relations name spans by their place in `spans`."""

    spans: Sequence[FoundSpan]
    relations: Sequence[FoundRelation]
    notes: list[str]
    seconds: float


class NothingLive(Exception):
    """This schema reads nothing now; the message says why and what to do."""


def versions_of(schema: Schema) -> Versions:
    """What reads documents by this schema now. Raises NothingLive."""
    if not schema.version:
        raise NothingLive(f"the schema {schema} was never saved whole")
    tagger = tagging.live_tagger(schema.name)
    if tagger is None:
        raise NothingLive(
            f"no tagger is live for the schema {schema}; train one with: python manage.py train "
            f"tagger --schema {schema.name}, then make it live with: python manage.py promote"
        )
    version = schema.current
    equal = schema.versions.filter(result_digest=version.result_digest)
    return Versions(schema, version, tagger, tuple(equal.values_list("pk", flat=True)))


def extract(document: Document, schema: Schema, *, again: bool = False) -> ExtractionRun:
    """The finished or failed run of this document as things are now, made if there is none.

    `again` makes it anew. It is unfinished if another worker has it, or if it failed and will be
    tried again. Raises NothingLive and TaggerUnavailable.
    """
    versions = versions_of(schema)
    pk = document.duplicate_of_id or document.pk
    run = work(pk, versions, since=timezone.now(), again=again)
    if run is None:
        run = versions.runs.get(document=pk)
    return run


def work(
    document_id: int, versions: Versions, *, since: datetime | None = None, again: bool = False
) -> ExtractionRun | None:
    """Extract from this document if it is due, and note how that ended.

    None where there was nothing to begin; `since` and `again` are those of `begin`. A failure of
    the document ends in its run; TaggerUnavailable and a lost database are raised.
    """
    if not again and (known := _shown_again(document_id, versions)):
        return known
    run = begin(document_id, versions, since=since, again=again)
    if run is None:
        return None
    try:
        with held(run):
            _extract(run, versions)
    except (OperationalError, InterfaceError):
        # The database, not the document: the lease ends by itself.
        raise
    except ClaimLost:
        logger.info("the extraction of document %s was taken over", document_id)
        return None
    except TaggerUnavailable:
        release(run)
        raise
    except (BadResult, BadSchema) as error:
        fail(run, str(error), permanent=True)
    except Exception:
        logger.exception("document %s failed in extraction", document_id)
        fail(run, UNEXPECTED)
    except BaseException:
        release(run)
        raise
    return run


def show(run: ExtractionRun) -> None:
    """Within a transaction: readers see this run, unless what is shown is newer than it."""
    settling.lock(run.document_id, run.schema_id)
    of_both = ExtractionRun.objects.filter(document=run.document_id, schema=run.schema_id)
    shown = of_both.shown().exclude(pk=run.pk)
    now = timezone.now()
    if shown.exists() and not _is_current(run):
        of_both.filter(pk=run.pk, shown=False).update(superseded_at=now)
        return
    shown.update(shown=False, superseded_at=now)
    of_both.filter(pk=run.pk).update(shown=True, superseded_at=None)
    run.shown = True
    if settling.is_needed(run):
        settling.settle(run.document_id, run.schema_id)


def _is_current(run: ExtractionRun) -> bool:
    """Whether nothing newer has gone live while it was at work."""
    try:
        now = versions_of(Schema.objects.get(pk=run.schema_id))
    except NothingLive:
        return False
    return run.model_version_id == now.model_version.pk and run.schema_version_id in now.equal


def _shown_again(document_id: int, versions: Versions) -> ExtractionRun | None:
    """A run of these versions that another displaced: after a roll-back it is shown at once."""
    found = versions.runs.filter(document=document_id, state=State.FINISHED, shown=False).first()
    if found is None:
        return None
    with transaction.atomic():
        show(found)
    return found


def _extract(run: ExtractionRun, versions: Versions) -> None:
    start = time.perf_counter()
    spec = versions.schema_version.read()
    document = Document.objects.select_related("company", "source").get(pk=run.document_id)
    found: list[FoundSpan] = []
    related: list[FoundRelation] = []
    notes: list[str] = []
    if document.text.strip():
        tagged = tagging.tag(document.text, spec.name)
        found, notes = _kept(tagged, len(document.text), spec)
        if found:
            layout = layouts.layout_of(document)
            related = list(relating.relate(document.text, found, layout, spec))
    seconds = time.perf_counter() - start
    run.schema_version = versions.schema_version
    _write(run, document, Result(found, related, notes, seconds))
    measuring.record(
        "extract_seconds",
        seconds,
        schema=spec.name,
        characters=len(document.text),
        spans=len(found),
        relations=len(related),
    )


def _kept(
    tagged: Sequence[FoundSpan], length: int, spec: SchemaSpec
) -> tuple[list[FoundSpan], list[str]]:
    """Those that the schema knows and keeps, in reading order, each once; and what was left out."""
    best: dict[tuple[int, int, str], FoundSpan] = {}
    unknown: Counter[str] = Counter()
    known = set(spec.label_names)
    for span in tagged:
        if not 0 <= span.start < span.end <= length or not 0 <= span.confidence <= 1:
            raise BadResult(
                f"The tagger found {span.label} at {span.start} to {span.end} with a confidence of "
                f"{span.confidence}, and the text has {length:,} characters."
            )
        if span.label not in known:
            unknown[span.label] += 1
        elif span.confidence >= spec.thresholds.keep:
            key = (span.start, span.end, span.label)
            if key not in best or best[key].confidence < span.confidence:
                best[key] = span
    notes = [
        f"{count:,} spans of {label} were left out: the schema has no such label."
        for label, count in sorted(unknown.items())
    ]
    return sorted(best.values()), notes


def _write(run: ExtractionRun, document: Document, result: Result) -> None:
    with transaction.atomic():
        lock(run)
        # Done again: what a person added stays.
        run.spans.filter(origin=ExtractedSpan.Origin.MODEL).delete()
        spans = ExtractedSpan.objects.bulk_create(
            [span_row(run, document, span) for span in result.spans], batch_size=ROWS_AT_ONCE
        )
        ExtractedRelation.objects.bulk_create(
            [relation_row(run, document, one, spans) for one in result.relations],
            batch_size=ROWS_AT_ONCE,
        )
        finish(
            run,
            schema_version=run.schema_version,
            span_count=len(spans),
            relation_count=len(result.relations),
            characters=len(document.text),
            seconds=result.seconds,
            notes=result.notes,
        )
        # Last, because what people said changes what is shown of these rows.
        show(run)
