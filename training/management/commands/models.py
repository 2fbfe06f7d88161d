"""`manage.py models [NAME]`: every version, which is live, and what training left."""

from __future__ import annotations

from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.table import Table

from docintel.models import ModelVersion
from training import runs
from training.models import TrainingRun

RUNS_SHOWN = 10


class Command(BaseCommand):
    help = "List the versions of models with state, measures and origin, and the latest runs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", default="", help="only of this name")

    def handle(self, *_: Any, name: str, **__: Any) -> None:
        runs.mark_killed()
        of_name = {"name": name} if name else {}
        table = Table("name", "number", "version", "state", "measures", "created by", "created")
        for row in ModelVersion.objects.filter(**of_name):
            table.add_row(
                row.name, str(row.number), row.version[:40], row.state, measures(row.metrics),
                row.created_by, f"{row.created_at:%Y-%m-%d %H:%M}",
            )  # fmt: skip
        console = Console(
            file=cast("IO[str]", self.stdout), width=None if self.stdout.isatty() else 160
        )
        console.print(table if table.row_count else "No version of any model is registered.")
        latest = TrainingRun.objects.filter(**of_name)[:RUNS_SHOWN]
        if latest:
            console.print(_runs(latest))


def measures(metrics: dict[str, Any]) -> str:
    """The numbers of the first level, rounded; the nested ones are in the administration."""
    numbers = {k: v for k, v in metrics.items() if isinstance(v, int | float)}
    return ", ".join(f"{key} {value:.4g}" for key, value in numbers.items())


def _runs(rows: Any) -> Table:
    table = Table("run", "name", "state", "done", "started", "seconds", "left", "error")
    for row in rows:
        table.add_row(
            str(row.pk), row.name, row.state, f"{row.progress:.0%}",
            f"{row.started_at:%Y-%m-%d %H:%M}",
            "" if row.seconds is None else f"{row.seconds:.0f}",
            str(row.version or ""), row.error[-80:],
        )  # fmt: skip
    return table
