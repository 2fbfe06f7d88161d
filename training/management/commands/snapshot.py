"""`manage.py snapshot NAME`: freeze what a model learns from; with --export, write what it did."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date

from docintel.scoring import CannotScore
from training import datasets


class Command(BaseCommand):
    help = "Freeze gold labels and corrections as a snapshot, or write the one of any day."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="of the model, such as tagger:kpis")
        parser.add_argument("--gold", type=Path, help="a folder of labelled texts to start from")
        parser.add_argument("--export", type=Path, help="only write examples.jsonl into a folder")
        parser.add_argument("--on", help="the training set of the end of that day, as 2026-11-21")

    def handle(
        self, *_: Any, name: str, gold: Path | None, export: Path | None, on: str | None, **__: Any
    ) -> None:
        try:
            if export is None:
                self.stdout.write(described(datasets.build(name, gold=gold)))
                return
            found = datasets.newest(name, end_of(on) if on else None)
            if found is None:
                raise CommandError(f"{name} has no snapshot{f' of {on}' if on else ''}")
            self.stdout.write(f"{datasets.export(found, export)}: {described(found)}")
        except (CannotScore, OSError) as error:
            raise CommandError(str(error)) from error


def end_of(day: str) -> datetime:
    """Its last moment, in the time zone of the settings. Raises CommandError."""
    try:
        found = parse_date(day)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"{day!r} is no day; write it as 2026-11-21")
    return timezone.make_aware(datetime.combine(found, time.max))


def described(snapshot: datasets.Snapshot) -> str:
    said = (
        f"{snapshot}: {snapshot.examples} examples of {snapshot.documents} documents, "
        f"{snapshot.corrections} corrections; {snapshot.test_examples} examples of "
        f"{snapshot.test_documents} documents are for testing; SHA-256 {snapshot.digest[:12]}…"
    )
    return "\n".join([said, *snapshot.notes])
