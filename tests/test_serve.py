"""`manage.py serve`, for real: it answers, and however it ends, no process is left behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import psutil
import psycopg
import pytest

from docintel import postgres
from docintel.holding import free_port
from tests.waiting import ENOUGH_SECONDS, until

ROOT = Path(__file__).resolve().parent.parent


class Served:
    """A `manage.py serve` of its own, in a folder of its own."""

    def __init__(self, var: Path, port: int) -> None:
        self.var = var
        self.port = port
        self.output = var.with_suffix(".log")
        environment = {
            **os.environ,
            "DOCINTEL_VAR": str(var),
            "EMBEDDING_MODEL": "all-MiniLM-L6-v2",
        }
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--port", str(port)],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def text(self) -> str:
        return self.output.read_text()

    def wait_until_ready(self) -> None:
        until(lambda: "is ready" in self.text() or self.process.poll() is not None, "it was ready")
        assert self.process.poll() is None, self.text()

    def get(self, path: str) -> str:
        with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=ENOUGH_SECONDS) as response:
            return response.read().decode()

    def family(self) -> list[psutil.Process]:
        """Every process that works on this folder: roles, their children, guardian, Postgres."""
        found = []
        for process in psutil.process_iter():
            try:
                mine = str(self.var) in " ".join(process.cmdline()) or (
                    process.environ().get("DOCINTEL_VAR") == str(self.var)
                )
            except psutil.Error:
                continue
            if mine and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        return found

    def commands(self) -> str:
        return "\n".join(" ".join(process.cmdline()) for process in self.family())

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=ENOUGH_SECONDS)
        until(lambda: not self.family(), "all processes had ended")


@pytest.fixture(scope="module")
def var() -> Iterator[Path]:
    """One folder for all: the first start makes the database, the others find it."""
    with tempfile.TemporaryDirectory(prefix="docintel-serve-") as name:
        folder = Path(name)
        folder.chmod(folder.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
        yield folder / "var"


@pytest.fixture
def served(var: Path) -> Iterator[Served]:
    run = Served(var, free_port())
    try:
        run.wait_until_ready()
        yield run
    finally:
        run.end()


def worker_processes(served: Served) -> list[psutil.Process]:
    return [p for p in served.family() if "qcluster" in " ".join(p.cmdline())]


def test_it_serves_and_ctrl_c_leaves_no_process(served: Served) -> None:
    assert served.get("/healthz") == "ok\n"
    assert "sign-in" in served.get("/sign-in/").lower() or "password" in served.get("/sign-in/")
    # The queue's own children, not only its first process.
    until(lambda: len(worker_processes(served)) >= 5, "the queue had its workers")
    for part in ("uvicorn", "qcluster", "docintel.guarding", "postgres"):
        assert part in served.commands()

    served.process.send_signal(signal.SIGINT)
    served.process.wait(timeout=ENOUGH_SECONDS)

    assert served.process.returncode == 0
    assert "Stopped." in served.text()
    assert "Traceback" not in served.text()
    until(lambda: not served.family(), "all processes had ended")


def test_a_second_start_keeps_the_data_and_sigkill_leaves_no_process(served: Served) -> None:
    until(lambda: len(worker_processes(served)) >= 5, "the queue had its workers")

    served.process.kill()
    served.process.wait(timeout=ENOUGH_SECONDS)
    # At once: it waits for what the killed one left to be cleaned up.
    again = Served(served.var, free_port())
    try:
        again.wait_until_ready()
        assert again.get("/healthz") == "ok\n"
        assert "Creating the tables" not in again.text()
    finally:
        again.end()


def test_sigkill_leaves_no_process_not_even_postgres(served: Served) -> None:
    until(lambda: len(worker_processes(served)) >= 5, "the queue had its workers")
    served.process.kill()
    until(lambda: not served.family(), "all processes had ended")


def test_a_dead_role_is_started_again_and_said_in_one_line(served: Served) -> None:
    until(lambda: len(worker_processes(served)) >= 5, "the queue had its workers")
    before = {process.pid for process in worker_processes(served)}
    leader = next(p for p in worker_processes(served) if p.ppid() == served.process.pid)

    leader.kill()

    until(lambda: "worker stopped (killed by SIGKILL)" in served.text(), "its death was said")
    until(
        lambda: len({p.pid for p in worker_processes(served)} - before) >= 5,
        "new workers had started",
    )
    assert not before & {process.pid for process in worker_processes(served)}


def test_a_killed_database_server_is_started_again(served: Served) -> None:
    until(lambda: len(worker_processes(served)) >= 5, "the queue had its workers")
    server = int((served.var / "postgres" / "postmaster.pid").read_text().split()[0])

    os.kill(server, signal.SIGKILL)

    until(lambda: "the database server runs again" in served.text(), "it ran again")
    with psycopg.connect(postgres.url(served.var)) as connection:
        found = connection.execute("SELECT count(*) FROM auth_group").fetchone()
    assert found is not None
    assert found[0] > 0
    assert "Traceback" not in served.text()
    assert "pg_ctl" not in served.text()


def refused(var: Path, *arguments: str, **environment: str) -> str:
    """The one line that a start which cannot work ends with."""
    result = subprocess.run(
        [sys.executable, "manage.py", "serve", *arguments],
        cwd=ROOT,
        env={**os.environ, "DOCINTEL_VAR": str(var), **environment},
        capture_output=True,
        text=True,
        timeout=ENOUGH_SECONDS,
        check=False,
    )
    assert result.returncode == 1, result.stdout + result.stderr
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("docintel: ")
    return lines[0]


def test_a_port_in_use_is_one_line_that_names_another(var: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refused(var, "--port", str(port))
    assert re.search(rf"port {port} is in use; choose another, such as PORT=\d+", line)


def test_a_folder_is_served_once(served: Served) -> None:
    line = refused(served.var, "--port", str(free_port()))
    assert "already runs" in line
    assert f"http://127.0.0.1:{served.port}" in line


def clean_data(var: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "clean_data"],
        cwd=ROOT,
        env={**os.environ, "DOCINTEL_VAR": str(var)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_data_is_not_removed_while_it_is_served(served: Served) -> None:
    result = clean_data(served.var)
    assert result.returncode == 1
    assert "stop it first" in result.stderr
    assert served.get("/healthz") == "ok\n"


def test_a_folder_too_long_for_a_socket_is_one_line(var: Path) -> None:
    line = refused(var / ("long" * 30), "--port", str(free_port()))
    assert "too long a path" in line


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    var = tmp_path / "var"
    var.write_text("a file where the folder should be")
    assert "writable folder" in refused(var, "--port", str(free_port()))


def test_data_is_removed_after_naming_it(var: Path) -> None:
    result = clean_data(var)
    assert result.returncode == 0, result.stderr
    assert f"removed {var / 'postgres'}" in result.stdout
    assert not (var / "postgres").exists()


def test_no_port_is_one_line(var: Path) -> None:
    assert "70000 is no port" in refused(var, "--port", "70000")
