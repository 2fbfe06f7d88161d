"""One stage again, for a document, a source or everything, without touching the other stages.

The trap: a frozen text is never read again in its place. Reading a document again makes a
revision, which takes its place when it is searchable; if the text comes out the same, nothing is
left of it.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from docintel.scheduling import enqueue
from ingestion import claiming
from ingestion.claiming import FREE, NO_FAILURE
from ingestion.models import Document, EmbeddedBeside, Source, UnitVectors
from ingestion.querysets import BODY_FIELDS, DocumentQuerySet
from ingestion.revising import UNSHARED
from ingestion.vector_tables import TABLES

STAGES = {str(value): str(label) for value, label in Document.Stage.choices}
AGAIN = {
    "parse": "read",
    "index": "indexed",
    "embed": "embedded",
    "recognise": "read for names and figures",
    "classify": "sorted by topic",
    "units": "embedded unit by unit",
}
COPIED = (
    *("source_id", "external_id", "uploaded_by_id", "file", "file_name", "file_size"),
    *("file_sha256", "title", "kind", "company_id", "fiscal_year", "fiscal_quarter"),
    *("published_on", "provenance"),
)


class Refused(Exception):
    """Why a stage was not done again, in words."""


def rerun_document(document: Document, stage: str) -> str:
    """What is being done, in words. Raises Refused."""
    done = rerun(Document.objects.filter(pk=document.duplicate_of_id or document.pk), stage)
    if not done:
        raise Refused(
            "There is nothing to do again: it is superseded, withdrawn or dropped, or has not "
            "come to this stage yet."
        )
    return f"“{document}” is being {AGAIN[stage]} again."


def rerun_source(source: Source, stage: str) -> str:
    """What is being done, in words. Raises Refused."""
    done = rerun(Document.objects.filter(source=source), stage)
    return f"{done:,} documents of {source} are being {_checked(stage)} again."


@transaction.atomic
def rerun(documents: DocumentQuerySet, stage: str) -> int:
    """How many of these will go through the stage again; those given up get all their attempts.

    Until the result is there, search goes on with what it has. Raises Refused.
    """
    _checked(stage)
    failed = documents.living().quarantined().filter(failed_stage=stage)
    done = sum(claiming.retry(row) for row in failed.defer(*BODY_FIELDS))
    ready = documents.current().filter(parsed_at__isnull=False)
    if stage == Document.Stage.PARSE:
        done += sum(_read_again(row) for row in ready.defer(*BODY_FIELDS).iterator(500))
    elif stage == Document.Stage.INDEX:
        left = Q(searchable_at__isnull=False) | Q(near_duplicate_of__isnull=False)
        done += ready.filter(left).update(index_again=True, **UNSHARED, **NO_FAILURE, **FREE)
    elif stage == Document.Stage.RECOGNISE:
        found = ready.filter(searchable_at__isnull=False)
        done += found.update(recognised_at=None, recognised_to=0, **NO_FAILURE, **FREE)
    elif stage == Document.Stage.CLASSIFY:
        sorted_before = ready.filter(embedder__isnull=False)
        done += sorted_before.update(classifier=None, **NO_FAILURE, **FREE)
    elif stage == Document.Stage.UNITS:
        found = ready.filter(unit_embedder__isnull=False)
        UnitVectors.objects.filter(chunk__document__in=found).delete()
        done += found.update(unit_embedder=None, **NO_FAILURE, **FREE)
    else:
        found = ready.filter(searchable_at__isnull=False)
        ids = list(found.select_for_update().order_by("pk").values_list("pk", flat=True))
        for table in TABLES.values():
            table.objects.filter(chunk__document__in=ids).delete()
        EmbeddedBeside.objects.filter(document__in=ids).delete()
        cleared = Document.objects.filter(pk__in=ids)
        done += cleared.update(
            embedder=None, embedded_at=None, classifier=None, **NO_FAILURE, **FREE
        )
    enqueue(f"ingestion.tasks.{stage}_pending")
    return done


def _checked(stage: str) -> str:
    if stage not in STAGES:
        raise Refused(f"There is no stage of this name; there are {', '.join(STAGES)}.")
    return AGAIN[stage]


def _read_again(document: Document) -> bool:
    """A new row of the same bytes; False if one waits already."""
    waiting = document.successors.filter(parsed_at=None, dropped_at=None)
    if waiting.exists():
        return False
    copied = {name: getattr(document, name) for name in COPIED}
    Document.objects.create(**copied, supersedes=document)
    return True
