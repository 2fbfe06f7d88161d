"""A database and folder for processes that are measured: dropped at the end, or kept.

The trap: the caller's own Django stays on its own database; only processes started with the
environment that is yielded work in the place.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from psycopg import sql

from docintel import postgres

ROOT = Path(__file__).resolve().parent.parent
# How the code of a process in a place begins; and how one begins that makes its tables.
SETUP = "import django; django.setup(); "
TABLES = SETUP + (
    "from django.core.management import call_command; call_command('migrate', verbosity=0); "
    "call_command('createcachetable', verbosity=0); "
)


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
            url = urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl()
            yield _environment(url, settings.VAR_DIR, Path(files))
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            server.execute(drop)


@contextmanager
def kept_place(folder: Path) -> Iterator[dict[str, str]]:
    """The same with an embedded server in this folder, which is there again the next time."""
    try:
        postgres.ensure(folder)
        yield _environment(postgres.url(folder), folder, folder / "files")
    finally:
        postgres.stop(folder)


@contextmanager
def written_carelessly(url: str) -> Iterator[None]:
    """The server of `url` meanwhile takes no care to survive a crash, which saves half the time.

    Only for a server whose data can be made again.
    """
    careless = ("fsync", "full_page_writes", "synchronous_commit", "autovacuum")
    with psycopg.connect(url, autocommit=True) as server:
        for name in careless:
            server.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(name)))
        server.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            for name in careless:
                server.execute(sql.SQL("ALTER SYSTEM RESET {}").format(sql.Identifier(name)))
            server.execute("SELECT pg_reload_conf()")
            server.execute("CHECKPOINT")


def _environment(url: str, var: Path, files: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "docintel.settings",
        "DATABASE_URL": url,
        "DOCINTEL_VAR": str(var),
        "MODELS_DIR": str(settings.MODELS_DIR),
        "MEDIA_ROOT": str(files),
        "LOG_LEVEL": "ERROR",
    }


def said(code: str, environment: dict[str, str], word: str, *sizes: object) -> dict[str, Any]:
    """The JSON after `word` in what the code prints, run in a process of its own."""
    command = [sys.executable, "-c", code, *map(str, sizes)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    line = next(each for each in done.stdout.splitlines() if each.startswith(f"{word} "))
    found: dict[str, Any] = json.loads(line.removeprefix(f"{word} "))
    return found
