"""`manage.py export_verifier_cases FILE --as NAME`: what the verifier got wrong, to test it by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from review.exporting_cases import verifier_cases


class Command(BaseCommand):
    help = "Write the dropped sentences that experts would have kept, as lines of JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--as", dest="person", required=True, help="whose eyes: a user name")

    def handle(self, *_: Any, file: Path, person: str, **__: Any) -> None:
        user = User.objects.filter(username=person, is_active=True).first()
        if user is None or not user.has_perm("review.correct_reviewitem"):
            raise CommandError(f"“{person}” is nobody who may review")
        lines = [json.dumps(case, ensure_ascii=False) for case in verifier_cases(user)]
        try:
            file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{file} could not be written: {error}") from error
        self.stdout.write(f"{len(lines)} test cases in {file}")
