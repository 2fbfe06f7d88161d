"""`manage.py ingest FOLDER` takes its files in; `ingest status` says how far all is.

`manage.py ingest rerun --stage index` does a stage again for `--source NAME`, `--document ID` or
everything.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.timesince import timesince

from ingestion import fetching, lexical, pipeline, rerunning
from ingestion.ledger import COUNTS, Ledger, ledger
from ingestion.models import Document
from ingestion.receiving import Refused

SECONDS_BETWEEN_LINES = 5.0


class Command(BaseCommand):
    help = "Take in the files of a folder (or of the sources that its sources.json lists)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", metavar="FOLDER|status|rerun")
        parser.add_argument("--source", default="", help="the name of a new source, or to rerun")
        parser.add_argument("--stage", default="", help="with rerun: parse, index or embed")
        parser.add_argument("--document", default="", help="with rerun: a document's id")
        parser.add_argument(
            "--wait",
            action="store_true",
            help="work here, beside any worker, until every document is embedded",
        )
        parser.add_argument("--json", action="store_true", help="print the counts as JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["what"] == "rerun":
            self._rerun(options["stage"], options["source"], options["document"])
        elif options["what"] != "status":
            self._take_in(Path(options["what"]), options["source"])
            if options["wait"]:
                self._work()
        counts = pipeline.progress()
        kept = ledger()
        if options["json"]:
            total, sources = kept.total.as_dict(), [each.as_dict() for each in kept.lines]
            self.stdout.write(json.dumps({**counts, "ledger": total, "sources": sources}))
            return
        self.stdout.write(line(counts))
        for row in table(kept):
            self.stdout.write(row)
        for document in Document.objects.quarantined().listed()[:20]:
            self.stdout.write(f"  quarantined: {document.file_name}: {document.failed_reason}")

    def _take_in(self, folder: Path, name: str) -> None:
        try:
            sources = fetching.open_folder(folder, name)
        except Refused as error:
            raise CommandError(str(error)) from error
        now = timezone.now()
        for source in sources:
            documents = fetching.scan_folder(source, now)
            self.stdout.write(f"{source}: {len(documents)} new or changed files")
            if source.last_error:
                self.stderr.write(source.last_error)

    def _rerun(self, stage: str, source: str, document: str) -> None:
        documents = Document.objects.all()
        if source:
            documents = documents.filter(source__name=source)
        if document:
            try:
                documents = documents.filter(public_id=document)
            except ValidationError as error:
                raise CommandError(f"{document} is no document's id.") from error
        try:
            done = rerunning.rerun(documents, stage)
        except rerunning.Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{done} documents go through {stage} again")

    def _work(self) -> None:
        while pipeline.work_once(SECONDS_BETWEEN_LINES):
            self.stdout.write(line(pipeline.progress()))
        # Without a worker no schedule counts the words, and none could be looked up.
        lexical.refresh_if_changed()


def line(counts: dict[str, Any]) -> str:
    """The counts in one line, for people."""
    left = counts["seconds_left"]
    return (
        f"{counts['total']} documents: {counts['parsed']} parsed, {counts['searchable']} "
        f"searchable, {counts['embedded']} embedded, {counts['recognised']} read for "
        f"mentions, {counts['duplicate']} duplicates, "
        f"{counts['quarantined']} quarantined; vectors {counts['chunks_embedded']}/"
        f"{counts['chunks_total']}" + (f", about {left:.0f} s left" if left else "")
    )


def table(kept: Ledger) -> Iterator[str]:
    """The ledger as lines of even columns, for people."""
    names = ("source", *COUNTS, "oldest waiting", "p50", "p95")
    yield "  ".join([f"{names[0]:<24}", *(f"{name:>11}" for name in names[1:])])
    for each in [*kept.lines, kept.total]:
        source = each.source.name if each.source else "all"
        oldest = timesince(each.oldest_waiting, depth=1) if each.oldest_waiting else "-"
        lags = [f"{lag:.1f} s" if lag is not None else "-" for lag in (each.p50, each.p95)]
        values = [*(str(getattr(each, name)) for name in COUNTS), oldest, *lags]
        yield "  ".join([f"{source[:24]:<24}", *(f"{value:>11}" for value in values)])
    for alert in kept.total.alerts:
        yield f"  alert: {alert}"
