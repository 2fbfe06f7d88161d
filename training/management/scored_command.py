"""A command whose subject names a module with `add_arguments(parser)` and `run(**options)`.

`run` returns a `Score`; with --json it is printed as the output's last line.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError, connection

from docintel.health import migrations
from docintel.scoring import CannotScore, Score


class ScoredCommand(BaseCommand):
    subjects: dict[str, str] = {}  # what is measured -> dotted module

    def add_arguments(self, parser: CommandParser) -> None:
        subjects = parser.add_subparsers(dest="subject", required=True, metavar="WHAT")
        for name, module in self.subjects.items():
            # A checkout without its benchmarks still measures the rest.
            if find_spec(module) is None:
                continue
            found = import_module(module)
            summary = (found.__doc__ or "").strip().splitlines()[0]
            subject = subjects.add_parser(name, help=summary, description=summary)
            subject.add_argument(
                "--json", action="store_true", help="end the output with one line of JSON"
            )
            found.add_arguments(subject)

    def handle(self, *_: Any, subject: str, json: bool, **options: Any) -> None:
        score = self.measure(subject, options)
        self.stdout.write(in_words(score))
        if json:
            self.stdout.write(score.json_line())

    def measure(self, subject: str, options: dict[str, Any]) -> Score:
        """Raises CommandError where there is nothing to measure."""
        try:
            score: Score = import_module(self.subjects[subject]).run(**options)
        except CannotScore as error:
            raise CommandError(str(error)) from error
        except ProgrammingError as error:
            # A table or column that is missing says so only in the words of Postgres.
            connection.close()
            tables = migrations()
            if tables.ok:
                raise
            raise CommandError(f"{tables.message}; {tables.hint}") from error
        return score


def in_words(score: Score) -> str:
    """The headline with its interval, on one line."""
    low, high = score.interval or (None, None)
    interval = "" if low is None else f" [{low:.4g}, {high:.4g}]"
    return f"{score.headline}: {score.value:.4g}{interval}, n={score.n}, {score.seconds:.1f} s"
