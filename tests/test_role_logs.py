"""What is shown of a role's output: its errors, once each and on one line, never a traceback."""

from __future__ import annotations

import os
from pathlib import Path

from docintel.role_logs import RoleLog

FAILED_TASK = """\
2026-11-22 4:11:02,114 INFO django-q: Process-1:1 processing 1
2026-11-22 4:11:03,02 ERROR django-q: Failed 'parse' (1) - gone : Traceback (most recent call last):
  File "worker.py", line 97, in worker
    res = f(*task["args"])
psycopg.OperationalError: gone
"""


def test_an_error_is_shown_without_its_traceback_which_is_in_the_file(tmp_path: Path) -> None:
    said: list[str] = []
    reading, writing = os.pipe()
    log = RoleLog("worker", os.fdopen(reading, "rb"), tmp_path / "worker.log", said.append)
    log.start()
    with os.fdopen(writing, "w") as output:
        output.write(FAILED_TASK * 2)
    log.join()

    assert said == [
        "worker: django-q: Failed 'parse' (1) - gone",
        "worker: psycopg.OperationalError: gone",
    ]
    assert (tmp_path / "worker.log").read_text() == FAILED_TASK * 2
