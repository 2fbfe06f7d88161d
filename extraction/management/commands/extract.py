"""`manage.py extract SCHEMA` extracts from documents here and now, and writes what it found.

Of every document that the schema applies to, or of `--document ID`, `--folder PATH` (a folder that
was ingested, or one within it), `--source NAME`; with `--export FILE` as .jsonl, .csv or .xlsx.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from extraction import choosing, exporting, writing_exports
from extraction.choosing import Chosen
from extraction.extracting import NothingLive, extract
from extraction.result_tables import ExtractionRun
from extraction.schema_tables import Schema
from extraction.tagging import TaggerUnavailable
from ingestion.models import Document, Source
from ingestion.querysets import DocumentQuerySet, Scope

State = ExtractionRun.State
# Whoever may run commands on this machine sees everything in it.
OPERATOR = User(username="command", is_superuser=True)


class Command(BaseCommand):
    help = "Extract spans and relations from documents by a schema."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("schema", help="the name of a schema")
        parser.add_argument("--document", default="", help="a document's id")
        parser.add_argument("--folder", default="", help="a folder that was ingested, or in one")
        parser.add_argument("--source", default="", help="the name of a source")
        parser.add_argument("--again", action="store_true", help="also what was read already")
        parser.add_argument("--export", default="", help="a file: .jsonl, .csv or .xlsx")

    def handle(self, *_: Any, **options: Any) -> None:
        schema = Schema.objects.filter(name=options["schema"]).first()
        if schema is None:
            names = ", ".join(Schema.objects.values_list("name", flat=True)) or "none"
            raise CommandError(f"There is no schema {options['schema']!r}; there are: {names}.")
        file = Path(options["export"]) if options["export"] else None
        if file and file.suffix.removeprefix(".").lower() not in writing_exports.FORMATS:
            raise CommandError("Export to a file that ends in .jsonl, .csv or .xlsx.")
        documents = _documents(schema, options)
        self._extract(documents, schema, again=options["again"])
        if file:
            count = writing_exports.write(exporting.of_documents(documents, schema, OPERATOR), file)
            self.stdout.write(f"{count:,} rows in {file}")

    def _extract(self, documents: DocumentQuerySet, schema: Schema, *, again: bool) -> None:
        ids = list(documents.order_by("-received_at", "pk").values_list("pk", flat=True))
        start = time.monotonic()
        spans = relations = failed = 0
        for number, pk in enumerate(ids, start=1):
            document = Document.objects.listed().get(pk=pk)
            try:
                run = extract(document, schema, again=again)
            except (NothingLive, TaggerUnavailable) as error:
                raise CommandError(str(error)) from error
            if run.state == State.FINISHED:
                spans += run.span_count
                relations += run.relation_count
                said = f"{run.span_count} spans, {run.relation_count} relations"
            else:
                failed += 1
                said = run.failed_reason or "another worker has it"
            self.stdout.write(f"[{number}/{len(ids)}] {document}: {said}")
        seconds = time.monotonic() - start
        self.stdout.write(
            f"{len(ids)} documents in {seconds:.1f} s: {spans:,} spans, {relations:,} relations, "
            f"{failed} failed"
        )


def _documents(schema: Schema, options: dict[str, Any]) -> DocumentQuerySet:
    if options["document"]:
        return _one(options["document"])
    if options["folder"]:
        return choosing.documents_of(_folder(options["folder"]), OPERATOR)
    if options["source"]:
        source = Source.objects.filter(name=options["source"]).first()
        if source is None:
            raise CommandError(f"There is no source {options['source']!r}.")
        return choosing.documents_of(Chosen(Scope(sources=(source.pk,))), OPERATOR)
    return schema.documents()


def _one(public_id: str) -> DocumentQuerySet:
    try:
        row = Document.objects.filter(public_id=public_id).only("pk", "duplicate_of").first()
    except ValidationError as error:
        raise CommandError(f"{public_id} is no document's id.") from error
    if row is None:
        raise CommandError(f"There is no document {public_id}.")
    return Document.objects.filter(Q(pk=row.duplicate_of_id or row.pk), parsed_at__isnull=False)


def _folder(name: str) -> Chosen:
    """The source whose folder this is or holds, and the rest of the way."""
    path = Path(name).expanduser().resolve()
    for source in Source.objects.filter(kind=Source.Kind.FOLDER).order_by("-location"):
        if path.is_relative_to(source.location):
            inside = path.relative_to(source.location).as_posix()
            return Chosen(Scope(sources=(source.pk,)), "" if inside == "." else inside)
    raise CommandError(f"No source has this folder: {path}. Take it in with: manage.py ingest")
