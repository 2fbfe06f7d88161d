"""`manage.py load_companies`: the catalogue of companies that mentions are linked to."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ingestion import catalogue


class Command(BaseCommand):
    help = "Add the default catalogue of listed companies, or those of a CSV file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        columns = ", ".join(catalogue.COLUMNS)
        parser.add_argument("--csv", type=Path, help=f"a file in UTF-8 with the columns {columns}")

    def handle(self, *_: Any, csv: Path | None, **__: Any) -> None:
        try:
            if csv:
                added, learned = catalogue.load_csv(csv)
            else:
                added, learned = catalogue.load(catalogue.default_catalogue())
        except catalogue.BadCatalogue as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{added} companies added, {learned} completed")
