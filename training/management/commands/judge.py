"""`manage.py judge NAME [NUMBER]`: put a candidate through the gate, as the trainer does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from docintel import registry
from docintel.artefacts import ArtefactDamaged
from docintel.models import ModelVersion
from docintel.registry import CannotFlip
from docintel.scoring import CannotScore
from training import promotion
from training.models import FlywheelSettings
from training.runs import at_the_command_line


class Command(BaseCommand):
    help = "Measure a candidate beside what is live; promote it if it is better, else reject it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="of the model, such as tagger:kpis")
        parser.add_argument("number", type=int, nargs="?", help="the newest candidate if not given")
        parser.add_argument("--data", type=Path, help="labelled texts, in place of the snapshot's")
        parser.add_argument("--mode", choices=FlywheelSettings.Mode.values, default="")

    def handle(
        self, *_: Any, name: str, number: int | None, data: Path | None, mode: str, **__: Any
    ) -> None:
        try:
            candidate = registry.get(name, number) if number else newest_candidate(name)
            verdict = promotion.judge(candidate, folder=data, mode=mode, who=at_the_command_line())
        except (CannotScore, CannotFlip, ArtefactDamaged) as error:
            raise CommandError(str(error)) from error
        for check in verdict.report["checks"]:
            self.stdout.write(f"{'passed' if check['passed'] else 'FAILED':7} {check['said']}")
        self.stdout.write(str(verdict))


def newest_candidate(name: str) -> ModelVersion:
    """Raises CannotFlip."""
    rows = ModelVersion.objects.filter(name=name, state=ModelVersion.State.CANDIDATE)
    found = rows.order_by("-number").first()
    if found is None:
        raise CannotFlip(f"{name} has no candidate")
    return found
