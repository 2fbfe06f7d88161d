"""`manage.py doctor`: what is right with this installation, line by line, and what to do."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from docintel import postgres
from docintel.doctor import Finding, collect


class Command(BaseCommand):
    help = "Check the installation; exit 0 only when all is well."
    requires_system_checks = ()

    def handle(self, *_: Any, **__: Any) -> None:
        findings = self.database()
        for finding in findings:
            self.show(finding)
        # Without a database its own line says all there is to say.
        ok = all(finding.ok for finding in findings)
        for finding in collect():
            self.show(finding)
            ok = ok and finding.ok
        if not ok:
            sys.exit(1)

    def database(self) -> list[Finding]:
        """Start the embedded server for the time of the checks, if it does not run yet."""
        try:
            postgres.ensure()
        except postgres.PostgresUnavailable as error:
            return [Finding("Database", False, str(error), f"see {settings.VAR_DIR}")]
        return []

    def show(self, finding: Finding) -> None:
        mark = self.style.SUCCESS("✔") if finding.ok else self.style.ERROR("✘")
        self.stdout.write(f"{mark} {finding.name}: {finding.message}")
        if not finding.ok and finding.hint:
            self.stdout.write(f"    {finding.hint}")
