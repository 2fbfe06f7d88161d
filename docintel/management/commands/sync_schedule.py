"""`manage.py sync_schedule`: make the queue's schedule that of the code."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from docintel.scheduling import sync_schedule


class Command(BaseCommand):
    help = "Upsert every app's recurring jobs by name; remove those that left the code."

    def handle(self, *_: Any, **__: Any) -> None:
        for job in sync_schedule():
            self.stdout.write(f"{job.name}: {job.func} every {job.minutes} min")
