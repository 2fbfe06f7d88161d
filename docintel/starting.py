"""Make a machine ready to serve: the database with its tables, static files, the schedule."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable

from django.core.management import call_command
from django.db import connections

from docintel import postgres
from docintel.scheduling import start_all, sync_schedule


def prepare(say: Callable[[str], None]) -> str:
    """The database's URL, once everything is in place; a second call only checks.

    Raises PostgresUnavailable, a database error when it refuses, OSError when a disk does.
    """
    logging.getLogger("django-q").setLevel(logging.WARNING)
    url = postgres.ensure()
    try:
        if _is_new():
            say("Creating the tables.")
        with contextlib.redirect_stdout(io.StringIO()):
            call_command("migrate", interactive=False, verbosity=0)
            call_command("createcachetable", verbosity=0)
            call_command("collectstatic", interactive=False, verbosity=0)
        sync_schedule()
        # Among the jobs are the checks of the indexes, which a crash may have damaged.
        start_all()
    finally:
        connections.close_all()
    return url


def _is_new() -> bool:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT to_regclass('django_migrations') IS NULL")
        return bool(cursor.fetchone()[0])
