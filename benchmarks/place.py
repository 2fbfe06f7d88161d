"""A fresh database and folder for processes that are measured, dropped at the end.

The trap: the caller's own Django stays on its own database; only processes started with the
environment that is yielded work in the place.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def fresh_place() -> Iterator[dict[str, str]]:
    """The environment of processes that work on a fresh database and folder."""
    name = f"docintel_bench_{os.getpid()}"
    with (
        tempfile.TemporaryDirectory(prefix="docintel-bench-") as files,
        psycopg.connect(settings.DATABASE_URL, autocommit=True) as server,
    ):
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield {
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "docintel.settings",
                "DATABASE_URL": urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl(),
                "DOCINTEL_VAR": str(settings.VAR_DIR),
                "MODELS_DIR": str(settings.MODELS_DIR),
                "MEDIA_ROOT": files,
                "LOG_LEVEL": "ERROR",
            }
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            server.execute(drop)
