"""`manage.py ingest FOLDER` takes its files in; `manage.py ingest status` says how far all is."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ingestion import fetching, pipeline
from ingestion.models import Document
from ingestion.receiving import Refused

SECONDS_BETWEEN_LINES = 5.0


class Command(BaseCommand):
    help = "Take in the files of a folder (or of the sources that its sources.json lists)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", metavar="FOLDER|status")
        parser.add_argument("--source", default="", help="the name of a new source")
        parser.add_argument(
            "--wait",
            action="store_true",
            help="work here, beside any worker, until every document is embedded",
        )
        parser.add_argument("--json", action="store_true", help="print the counts as JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["what"] != "status":
            self._take_in(Path(options["what"]), options["source"])
            if options["wait"]:
                self._work()
        counts = pipeline.progress()
        self.stdout.write(json.dumps(counts) if options["json"] else line(counts))
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

    def _work(self) -> None:
        while pipeline.work_once(SECONDS_BETWEEN_LINES):
            self.stdout.write(line(pipeline.progress()))


def line(counts: dict[str, Any]) -> str:
    """The counts in one line, for people."""
    left = counts["seconds_left"]
    return (
        f"{counts['total']} documents: {counts['parsed']} parsed, {counts['searchable']} "
        f"searchable, {counts['embedded']} embedded, {counts['duplicate']} duplicates, "
        f"{counts['quarantined']} quarantined; vectors {counts['chunks_embedded']}/"
        f"{counts['chunks_total']}" + (f", about {left:.0f} s left" if left else "")
    )
