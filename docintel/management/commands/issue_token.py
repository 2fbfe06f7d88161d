"""Issue an API token for a person and print it, this once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from docintel.models import ApiToken


class Command(BaseCommand):
    help = "Issue an API token for a user; it is printed once and stored only as a digest."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="command line", help="to tell tokens apart")
        parser.add_argument("--write", action="store_true", help="it may push documents")
        parser.add_argument("--days", type=int, help="it expires after this many days")

    def handle(self, *_args: Any, username: str, name: str, **options: Any) -> None:
        """The token alone goes to standard output, so that a script can read it."""
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {username!r}.")
        days = options["days"]
        if days is not None and not 1 <= days <= 3_650:
            raise CommandError("--days takes a number from 1 to 3650.")
        if len(name) > 80:
            raise CommandError("--name takes at most 80 characters.")
        _, token = ApiToken.issue(
            user,
            name,
            may_write=options["write"],
            expires_at=timezone.now() + timedelta(days=days) if days else None,
        )
        self.stderr.write(f"Keep this token for {username}; it cannot be shown again:")
        self.stdout.write(token)
