"""A worker in a process of its own, stopped where a test wants it and killed there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.db import connection

from docintel import postgres

ROOT = Path(__file__).resolve().parent.parent


def start(code: str, media_root: Path, **more: str) -> subprocess.Popen[str]:
    """Runs this code on the database of the test; it says where it is on standard output.

    `more` are further variables of its environment.
    """
    database = connection.settings_dict["NAME"]
    environment = {
        **os.environ,
        "DATABASE_URL": postgres.url(Path(os.environ["DOCINTEL_VAR"]), database),
        "DJANGO_SETTINGS_MODULE": "docintel.settings",
        "MEDIA_ROOT": str(media_root),
        "LOG_LEVEL": "ERROR",
        **more,
    }
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def kill_when_there(process: subprocess.Popen[str]) -> None:
    assert said(process) == "here"
    process.kill()
    process.wait()
