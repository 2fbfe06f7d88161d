"""`manage.py check_indexes`: compare the keyword index with its table; rebuild it if short."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from ingestion.index_health import check_and_repair


class Command(BaseCommand):
    help = "Check the keyword index and rebuild it if a crash lost its content."

    def handle(self, *_: Any, **__: Any) -> None:
        report = check_and_repair()
        self.stdout.write(f"Keyword index: {report}")
        if not report.ok:
            sys.exit(1)
