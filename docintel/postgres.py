"""The embedded Postgres server: the only place that imports pgserver.

`ensure()` starts the server if `DATABASE_URL` names none, and holds it for this process; the last
process that holds it stops it. `url()` is pure: where the server's socket is, started or not.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import time
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg

DATABASE = "docintel"
# A Unix socket's path may have about 107 characters; this is what Postgres appends to its folder.
SOCKET_NAME = "/.s.PGSQL.5432"
LONGEST_SOCKET_FOLDER = 107 - len(SOCKET_NAME)
FREE_BYTES_NEEDED = 512 * 1_048_576
TUNING = """
# written by docintel
shared_buffers = 512MB
maintenance_work_mem = 512MB
work_mem = 32MB
effective_cache_size = 4GB
max_wal_size = 4GB
max_connections = 120
random_page_cost = 1.1
"""


class PostgresUnavailable(Exception):
    """The embedded server cannot run here; the message says what to do, for a person."""


def data_folder(var: Path) -> Path:
    """Where the embedded server keeps its data."""
    return var / "postgres"


def url(var: Path, database: str = DATABASE) -> str:
    """The embedded server's URL under `var`, whether or not it is running."""
    return f"postgresql://postgres@/{database}?host={quote(str(data_folder(var)), safe='/')}"


def is_running(var: Path) -> bool:
    """Whether the embedded server's process is there, if only starting or stopping."""
    pid = _postmaster(data_folder(var))
    return pid is not None and _is_alive(pid)


def ensure(var: Path | None = None) -> str:
    """The database's URL, after starting the embedded server if that is what it names.

    Raises PostgresUnavailable in words when the server cannot run here.
    """
    if var is None:
        if os.environ.get("DATABASE_URL"):
            return os.environ["DATABASE_URL"]
        from django.conf import settings  # noqa: PLC0415  settings import this file

        var = settings.VAR_DIR
    _check_place(var)
    _start(data_folder(var))
    _create_database(var)
    return url(var)


def _check_place(var: Path) -> None:
    folder = data_folder(var)
    if len(str(folder)) > LONGEST_SOCKET_FOLDER:
        raise PostgresUnavailable(
            f"{folder} is too long a path for the database's socket; "
            "set DOCINTEL_VAR to a shorter folder"
        )
    try:
        var.mkdir(parents=True, exist_ok=True)
        probe = var / f".write-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise PostgresUnavailable(
            f"cannot write to {var} ({error.strerror}); set DOCINTEL_VAR to a writable folder"
        ) from error
    free = shutil.disk_usage(var).free
    if free < FREE_BYTES_NEEDED:
        raise PostgresUnavailable(
            f"only {free // 1_048_576} MB free under {var}; the database needs at least "
            f"{FREE_BYTES_NEEDED // 1_048_576} MB"
        )
    if os.geteuid() == 0:
        _check_reachable(folder)


def _check_reachable(folder: Path) -> None:
    """As root the server runs as its own user, for whom pgserver would open private folders."""
    for place in (folder, Path(_pgserver().__file__)):
        for parent in place.parents:
            if not parent.exists():
                continue
            if not parent.stat().st_mode & stat.S_IXOTH:
                raise PostgresUnavailable(
                    f"running as root, the database runs as the user 'pgserver', who cannot enter "
                    f"{parent}. Run docintel as an ordinary user, or put it (and DOCINTEL_VAR) "
                    f"under a folder that everyone may enter, such as /srv or /opt"
                )


def _start(folder: Path) -> None:
    fresh = not (folder / "PG_VERSION").exists()
    server = _get_server(folder)
    if fresh:
        with (folder / "postgresql.conf").open("a") as file:
            file.write(TUNING)
        # shared_buffers is read at start only.
        server.cleanup()
        _get_server(folder)


def _get_server(folder: Path) -> Any:
    pgserver = _pgserver()
    last: Exception | None = None
    # pg_ctl gives up after 10 s, while the server may still be replaying its log after a crash.
    for attempt in range(30):
        _clear_dead_postmaster(folder)
        if not is_running(folder.parent):
            # What this process knew of a server that died meanwhile.
            _forget(folder)
        try:
            return pgserver.get_server(folder)
        except (subprocess.SubprocessError, AssertionError, OSError, ValueError) as error:
            last = error
            _forget(folder)
            time.sleep(min(0.2 * (attempt + 1), 2))
            if "No space left" in _log_tail(folder):
                break
    raise PostgresUnavailable(f"the embedded Postgres did not start: {_log_tail(folder) or last}")


def _clear_dead_postmaster(folder: Path) -> None:
    """Remove the pid file of a server that was killed but that nobody has buried.

    Where process 1 does not reap (a container without an init), pgserver takes the zombie for a
    running server. Only the pid file of a zombie is touched: Postgres deals with all others.
    """
    pid = _postmaster(folder)
    with contextlib.suppress(OSError, psutil.NoSuchProcess):
        if pid is not None and psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            (folder / "postmaster.pid").unlink()


def _postmaster(folder: Path) -> int | None:
    try:
        return int((folder / "postmaster.pid").read_text().split(maxsplit=1)[0])
    except (OSError, ValueError, IndexError):
        return None


def _pgserver() -> Any:
    with warnings.catch_warnings():
        # It looks for the folder of its lock file when it is imported; the fallback is fine.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        import pgserver  # noqa: PLC0415  heavy, and only the embedded server needs it
    return pgserver


def _forget(folder: Path) -> None:
    from pgserver.postgres_server import PostgresServer  # noqa: PLC0415

    # pgserver registers an instance before it has started.
    with contextlib.suppress(KeyError):
        del PostgresServer._instances[folder]


def _log_tail(folder: Path) -> str:
    try:
        lines = (folder / "log").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line for line in reversed(lines) if "FATAL" in line or "PANIC" in line), "")


def _create_database(var: Path) -> None:
    # Two processes may start at once.
    taken = (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation)
    with (
        psycopg.connect(url(var, "postgres"), autocommit=True) as connection,
        contextlib.suppress(*taken),
    ):
        if not connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
        ).fetchone():
            connection.execute(f'CREATE DATABASE "{DATABASE}"')


def stop(var: Path) -> None:
    """Let go of the server; it stops when no other living process holds it."""
    _pgserver()
    from pgserver.postgres_server import PostgresServer  # noqa: PLC0415

    server = PostgresServer._instances.get(data_folder(var))
    if server is not None:
        server.cleanup()
    stop_unheld(var)


def stop_unheld(var: Path) -> None:
    """Stop a running server that no living process holds.

    pgserver counts a holder that was killed for ever, and would then never stop the server.
    """
    folder = data_folder(var)
    if not (folder / "postmaster.pid").exists():
        return
    _pgserver()
    from pgserver import _commands  # noqa: PLC0415
    from pgserver.postgres_server import PostgresServer  # noqa: PLC0415
    from pgserver.utils import DiskList  # noqa: PLC0415

    with PostgresServer._lock:
        holders = DiskList(folder / ".handle_pids.json")
        alive = [pid for pid in holders.get() if _is_alive(pid)]
        holders.put(alive)
        if not alive:
            user = "pgserver" if os.geteuid() == 0 else None
            # It may have stopped on its own meanwhile.
            with contextlib.suppress(subprocess.CalledProcessError):
                stop = ["-w", "-m", "fast", "stop"]
                _commands.pg_ctl(stop, pgdata=folder, user=user)  # type: ignore[attr-defined]


def _is_alive(pid: int) -> bool:
    try:
        # A zombie holds nothing, though its pid exists until its parent asks for it.
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
