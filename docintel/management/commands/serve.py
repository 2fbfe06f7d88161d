"""`manage.py serve`: pages, worker and inference on this machine until Ctrl-C."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand

from docintel.serving_options import Serving
from docintel.starting import prepare
from docintel.supervising import Supervisor, in_one_line, running, stop_on_signals


class Command(BaseCommand):
    help = "Run web, worker and inference on this machine, over the embedded Postgres."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        Serving.add_arguments(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        stop_on_signals()
        with (
            in_one_line(self.say, "Stopped."),
            running(
                Serving.of(options), say=self.say, prepare=partial(prepare, self.say)
            ) as supervisor,
        ):
            self.watch(supervisor)

    def watch(self, supervisor: Supervisor) -> None:
        announced = False
        while True:
            supervisor.poll()
            if not announced and supervisor.is_ready():
                self.say(f"docintel is ready: {supervisor.url}  (Ctrl-C stops it)")
                announced = True
            time.sleep(0.3)

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
