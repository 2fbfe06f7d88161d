"""`manage.py promote NAME NUMBER`: make a version live by hand, or take it back."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from docintel import registry
from docintel.artefacts import ArtefactDamaged
from docintel.registry import CannotFlip
from training.runs import at_the_command_line


class Command(BaseCommand):
    help = "Make a version of a model live; with --back, the one that was live before."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="as `manage.py models` lists it, such as tagger:kpis")
        chosen = parser.add_mutually_exclusive_group(required=True)
        chosen.add_argument("number", type=int, nargs="?", help="which version")
        chosen.add_argument("--back", action="store_true", help="roll back to the one before")
        parser.add_argument("--why", default="", help="kept in the history")

    def handle(self, *_: Any, name: str, number: int | None, why: str, **__: Any) -> None:
        who = at_the_command_line()
        try:
            if number is None:
                flip = registry.roll_back(name, who=who, why=why)
            else:
                made = registry.make_live(registry.get(name, number), who=who, why=why)
                if made is None:
                    self.stdout.write(f"{name} version {number} is live already.")
                    return
                flip = made
        except (CannotFlip, ArtefactDamaged) as error:
            raise CommandError(str(error)) from error
        before, after = flip.from_version, flip.to_version
        was = f"; version {before.number} is retired" if before else ""
        self.stdout.write(f"{name} version {after.number if after else None} is live{was}.")
