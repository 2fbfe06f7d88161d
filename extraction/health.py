"""Extraction's lines of the health report: what reads by each schema, what waits, what failed."""

from __future__ import annotations

from collections.abc import Iterator

from docintel.doctor import Finding
from extraction import backlog
from extraction.claiming_runs import Versions
from extraction.extracting import NothingLive, versions_of
from extraction.result_tables import BulkRun, ExtractionRun
from extraction.schema_tables import Schema
from extraction.tagging import TaggerUnavailable
from ingestion.querysets import DocumentQuerySet

# Counting further would take longer than a report may.
MOST_COUNTED = 10_000


def findings() -> Iterator[Finding]:
    for schema in Schema.objects.order_by("name"):
        yield _schema(schema)
    yield _failed()
    yield from _stuck()


def _schema(schema: Schema) -> Finding:
    name = f"Extraction: {schema}"
    if not schema.active:
        return Finding(name, ok=True, message="switched off: no document is read by it unasked")
    try:
        versions = versions_of(schema)
    except NothingLive as error:
        return Finding(
            name,
            ok=False,
            message=str(error),
            hint="or switch the schema off in the administration",
        )
    except TaggerUnavailable as error:
        return Finding(name, ok=False, message=f"the tagger cannot be used: {error}")
    return Finding(name, ok=True, message=f"{versions.model_version}; {_backlog(versions)}")


def _backlog(versions: Versions) -> str:
    never = _counted(backlog.never_read(versions))
    before = _counted(backlog.read_before(versions))
    retried = versions.runs.unfinished().exclude(failed_reason="").count()
    said = [f"{never} never read"] if never != "0" else []
    said += [f"{before} read by an earlier version"] if before != "0" else []
    said += [f"{retried:,} failed and will be tried again"] if retried else []
    return "documents waiting: " + ", ".join(said) if said else "nothing waits"


def _counted(documents: DocumentQuerySet) -> str:
    count = documents.order_by()[: MOST_COUNTED + 1].count()
    return f"{count:,}" if count <= MOST_COUNTED else f"over {MOST_COUNTED:,}"


def _failed() -> Finding:
    count = ExtractionRun.objects.failed().count()
    if not count:
        return Finding("Failed extraction", ok=True, message="none")
    return Finding(
        "Failed extraction",
        ok=True,
        message=f"{count:,} document{'s' if count > 1 else ''} could not be extracted from",
        hint="see the page Failed extraction: each has its reason, to try again",
    )


def _stuck() -> Iterator[Finding]:
    """Bulk runs that make no headway."""
    for bulk in BulkRun.objects.running().exclude(error="")[:10]:
        yield Finding("Bulk extraction", ok=False, message=bulk.error)
