"""What one supervisor at a time holds on this machine: the folder under `var/`, and its ports."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings

HOST = "127.0.0.1"
WAIT_FOR_EARLIER_SECONDS = 15.0


class CannotServe(Exception):
    """It cannot start here and now; the message says why and what to do, in one line."""


@contextmanager
def the_only_one() -> Iterator[IO[str]]:
    """Hold the folder for this process; one supervisor at a time runs on it."""
    path = settings.VAR_DIR / "serve.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        (settings.VAR_DIR / "logs").mkdir(exist_ok=True)
        file = path.open("a")
    except OSError as error:
        raise CannotServe(
            f"cannot write to {settings.VAR_DIR} ({error.strerror}); "
            "set DOCINTEL_VAR to a writable folder"
        ) from error
    with file:
        deadline = time.monotonic() + WAIT_FOR_EARLIER_SECONDS
        while not _lock(file):
            state = read_state()
            if state and _is_running(state.get("pid")):
                raise CannotServe(
                    f"docintel already runs on {settings.VAR_DIR} "
                    f"(process {state['pid']}, {state['url']}); stop it, or set DOCINTEL_VAR"
                )
            if time.monotonic() > deadline:
                raise CannotServe(f"an earlier docintel on {settings.VAR_DIR} is still stopping")
            time.sleep(0.1)
        yield file


def _lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_served() -> bool:
    """Whether a supervisor, or what it left behind, holds this folder."""
    path = settings.VAR_DIR / "serve.lock"
    if not path.exists():
        return False
    with path.open("a") as file:
        return not _lock(file)


def check_port(port: int) -> None:
    """Raise CannotServe, naming another port, if this one cannot be listened on."""
    if not 0 < port < 65536:
        raise CannotServe(f"{port} is no port; choose one from 1 to 65535, such as PORT=8000")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            other = port + 1 if 1024 <= port < 65535 else 8000
            why = (
                "is in use" if error.errno == errno.EADDRINUSE else f"is refused ({error.strerror})"
            )
            raise CannotServe(f"port {port} {why}; choose another, such as PORT={other}") from error


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def state_file() -> Path:
    return settings.VAR_DIR / "serve.json"


def write_state(**state: Any) -> None:
    """Say who runs here and where, for the doctor and for a second start."""
    state_file().write_text(json.dumps(state))


def read_state() -> dict[str, Any]:
    """What runs on this folder: pid, url, inference_url; empty when nothing does."""
    try:
        state = json.loads(state_file().read_text())
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _is_running(pid: object) -> bool:
    try:
        os.kill(int(str(pid)), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
