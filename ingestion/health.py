"""Ingestion's lines of the health report: the keyword index, each stage's backlog, quarantine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Min
from django.utils import timezone
from django.utils.timesince import timesince

from docintel import encoders
from docintel.doctor import Finding
from ingestion import index_health, source_health
from ingestion.entities import live_recogniser
from ingestion.ledger import ledger
from ingestion.models import Document, Source
from ingestion.querysets import DocumentQuerySet
from ingestion.recognising import tagging
from ingestion.sources import POLLED

# Longer than this and a document is late.
LATE_FOR_SEARCH = timedelta(minutes=10)
LATE_FOR_VECTORS = timedelta(hours=12)
# Ranking goes on without them; after an upgrade they are made for the whole corpus.
LATE_FOR_UNITS = timedelta(hours=24)
LATE_FOR_MENTIONS = timedelta(hours=12)


def findings() -> Iterator[Finding]:
    """The index first: without it a search finds too little and does not say so."""
    yield _index()
    documents = Document.objects
    yield _stage("Parsing", documents.unparsed(), LATE_FOR_SEARCH)
    yield _stage("Keyword indexing", documents.unindexed(), LATE_FOR_SEARCH)
    yield from _vectors()
    yield _mentions()
    yield _quarantine()
    yield from _lateness()
    yield from _sources()


def _index() -> Finding:
    report = index_health.inspect()
    return Finding(
        "Keyword index",
        report.ok,
        str(report),
        "" if report.ok else "run: python manage.py check_indexes",
    )


def _vectors() -> Iterator[Finding]:
    try:
        embedder = encoders.live_embedder()
    except encoders.EncoderUnavailable as error:
        yield Finding("Vectors", ok=False, message=str(error))
        return
    documents = Document.objects
    yield _stage("Vectors", documents.unembedded(embedder), LATE_FOR_VECTORS)
    yield _stage("Vectors of units", documents.unitless(embedder), LATE_FOR_UNITS)


def _mentions() -> Finding:
    try:
        tagging.folder()
    except tagging.TaggerUnavailable as error:
        return Finding("Mentions", ok=False, message=str(error))
    waiting = Document.objects.unrecognised(live_recogniser())
    return _stage("Mentions", waiting, LATE_FOR_MENTIONS)


def _stage(name: str, waiting: DocumentQuerySet, late: timedelta) -> Finding:
    count = waiting.count()
    if not count:
        return Finding(name, ok=True, message="nothing waits")
    oldest = waiting.aggregate(oldest=Min("received_at"))["oldest"]
    age = timezone.now() - oldest
    failing = waiting.exclude(failed_reason="").count()
    again = f", {failing} of them failed before and will be tried again" if failing else ""
    return Finding(
        name,
        ok=age <= late,
        message=f"{_documents(count)} waiting, the oldest for {timesince(oldest)}{again}",
        hint="" if age <= late else "is a worker running? Start one with: make serve",
    )


def _quarantine() -> Finding:
    count = Document.objects.quarantined().count()
    if not count:
        return Finding("Quarantine", ok=True, message="empty")
    # A file that cannot be read is the sender's matter, not a fault of the installation.
    return Finding(
        "Quarantine",
        ok=True,
        message=f"{_documents(count)} could not be processed",
        hint="see the page Quarantine: each has its reason, to retry or drop",
    )


def _lateness() -> Iterator[Finding]:
    """The ledger's alerts: arrival to searchable over 45 minutes, vectors over 60."""
    kept = ledger()
    for alert in kept.total.alerts:
        late = ", ".join(line.source.name for line in kept.lines if line.source and line.alerts)
        yield Finding(
            "Lateness",
            ok=False,
            message=f"{alert} Sources: {late}." if late else alert,
            hint="see the page Ledger; more workers: make serve WORKERS=4",
        )
    if not kept.total.alerts:
        p95 = kept.total.p95
        within = f"p95 {p95:.0f} s from arrival to searchable" if p95 else "nothing arrived lately"
        yield Finding("Lateness", ok=True, message=within)


def _sources() -> Iterator[Finding]:
    yield from source_health.findings()
    folders = Source.objects.filter(active=True).exclude(kind__in=POLLED)
    for source in folders.exclude(last_error=""):
        yield Finding(
            f"Source {source.name}",
            ok=False,
            message=source.last_error.splitlines()[0],
            hint="make the folder and its files readable to the worker",
        )


def _documents(count: int) -> str:
    return "1 document" if count == 1 else f"{count:,} documents"
