"""Run all roles on one machine: start them, start them again when they die, leave none behind.

`running(...)` is the whole life of it: on the way in it prepares the database and starts the
roles, on the way out it stops them and the embedded Postgres. Poll it a few times a second.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections

from docintel import local_llm, postgres
from docintel.doctor import first_line
from docintel.guarding import end_groups, signal_group
from docintel.holding import (
    HOST,
    CannotServe,
    check_port,
    free_port,
    state_file,
    the_only_one,
    write_state,
)
from docintel.role_logs import RoleLog
from docintel.roles import Role
from docintel.serving_options import LOCAL, Serving

LONGEST_PAUSE = 30.0
# A role that ran this long had started well; its next death is a new story.
SETTLED_SECONDS = 60.0
DEATHS_UNTIL_LOUD = 4
# uvicorn lets running requests end; a worker's task that takes longer is killed, and the lease
# on its row ends.
STOP_SECONDS = 5.0

Say = Callable[[str], None]


@dataclass
class RoleProcess:
    """One role: its command, its process, and how often it died."""

    role: Role
    command: list[str]
    environment: dict[str, str]
    say: Say
    started: Callable[[int], None]
    ended: Callable[[int], None]
    process: subprocess.Popen[bytes] | None = None
    log: RoleLog | None = None
    deaths: int = 0
    since: float = 0.0
    not_before: float = 0.0

    def poll(self) -> None:
        """Start it if it is time to, and notice its death."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.not_before:
                self.start()
        elif self.process.poll() is not None:
            self._died(now)
        elif self.deaths and now - self.since > SETTLED_SECONDS:
            self.deaths = 0

    def start(self) -> None:
        """Start it in a process group of its own, its output into its log."""
        self.process = subprocess.Popen(
            self.command,
            cwd=settings.BASE_DIR,
            env={**os.environ, **self.environment, "DOCINTEL_ROLE": self.role},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.started(self.process.pid)
        self.since = time.monotonic()
        assert self.process.stdout is not None
        path = settings.VAR_DIR / "logs" / f"{self.role}.log"
        self.log = RoleLog(self.role, self.process.stdout, path, self.say)
        self.log.start()

    def _died(self, now: float) -> None:
        assert self.process is not None
        assert self.log is not None
        # What it started must not go on without it: a queue's workers would.
        signal_group(self.process.pid, signal.SIGKILL)
        self.ended(self.process.pid)
        self.log.join(timeout=2)
        code = self.process.returncode
        self.process = None
        self.deaths += 1
        pause = min(LONGEST_PAUSE, 2.0 ** (self.deaths - 1))
        self.not_before = now + pause
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit {code}"
        reason = f": {self.log.reason[:300]}" if self.log.reason else ""
        word = "keeps stopping" if self.deaths >= DEATHS_UNTIL_LOUD else "stopped"
        self.say(
            f"{self.role} {word} ({how}){reason}; starting it again in {pause:.0f} s "
            f"(log: {self.log.path})"
        )


@dataclass
class Supervisor:
    """The running roles; made by `running()`."""

    url: str
    say: Say
    prepare: Callable[[], str]
    roles: list[RoleProcess] = field(default_factory=list)
    guardian: subprocess.Popen[bytes] | None = None
    embedded: bool = True
    lock: IO[str] | None = None
    database_not_before: float = 0.0

    def poll(self) -> None:
        """Bring back what died; cheap, to be called a few times a second."""
        if self.guardian is None or self.guardian.poll() is not None:
            self._start_guardian()
        self._watch_database()
        for role in self.roles:
            role.poll()

    def is_ready(self) -> bool:
        """Whether pages are answered."""
        return answers(f"{self.url}/healthz")

    def stop(self) -> None:
        """End every process of every role: politely, then by force."""
        processes = [role.process for role in self.roles if role.process is not None]
        for process in processes:
            # Only the first of the group: it knows how to stop its own.
            with suppress(ProcessLookupError):
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(0.0, deadline - time.monotonic()))
        end_groups({process.pid for process in processes}, seconds=0.5)
        for process in processes:
            process.wait()
            self._tell(f"-{process.pid}")

    def dismiss_guardian(self) -> None:
        """Let the guardian end; it does what was left undone, such as stopping Postgres."""
        if self.guardian is not None and self.guardian.stdin is not None:
            with suppress(OSError):
                self.guardian.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                self.guardian.wait(timeout=30)

    def _watch_database(self) -> None:
        """Start the embedded server again if it died; takes seconds, as a first start does."""
        if not (self.embedded and self.roles) or postgres.is_running(settings.VAR_DIR):
            return
        if time.monotonic() < self.database_not_before:
            return
        log = postgres.data_folder(settings.VAR_DIR) / "log"
        self.say(f"the database server stopped; starting it again (log: {log})")
        connections.close_all()
        try:
            self.prepare()
        except (postgres.PostgresUnavailable, DatabaseError, OSError) as error:
            self.database_not_before = time.monotonic() + LONGEST_PAUSE
            self.say(f"{first_line(error)}; trying again in {LONGEST_PAUSE:.0f} s")
        else:
            self.say("the database server runs again")

    def _start_guardian(self) -> None:
        kind = "embedded" if self.embedded else "external"
        # It keeps the lock too, so that a new start waits until it has cleaned up.
        inherited = [self.lock.fileno()] if self.lock is not None else []
        self.guardian = subprocess.Popen(
            [sys.executable, "-m", "docintel.guarding", str(settings.VAR_DIR), kind],
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=inherited,
        )
        for role in self.roles:
            if role.process is not None:
                self._tell(f"+{role.process.pid}")

    def _tell(self, line: str) -> None:
        if self.guardian is not None and self.guardian.stdin is not None:
            # A guardian that died is started again, and told everything, by the next poll.
            with suppress(OSError):
                self.guardian.stdin.write(f"{line}\n".encode())
                self.guardian.stdin.flush()

    def _role(self, role: Role, command: Sequence[str], environment: dict[str, str]) -> RoleProcess:
        return RoleProcess(
            role=role,
            command=list(command),
            environment=environment,
            say=self.say,
            started=lambda pid: self._tell(f"+{pid}"),
            ended=lambda pid: self._tell(f"-{pid}"),
        )

    def add_roles(self, serving: Serving, database_url: str) -> None:
        """Web, worker, a trainer if asked for, and inference unless INFERENCE_URL names one."""
        environment = {
            "DATABASE_URL": database_url,
            "DOCINTEL_VAR": str(settings.VAR_DIR),
            "WORKERS": str(serving.workers),
            "PYTHONUNBUFFERED": "1",
        }
        if serving.llm == LOCAL:
            environment |= self._add_local_llm()
        if not settings.INFERENCE_URL:
            inference_port = free_port()
            environment["INFERENCE_URL"] = f"http://{HOST}:{inference_port}"
            environment["INFERENCE_TOKEN"] = secrets.token_urlsafe(32)
            command = [*uvicorn(inference_port), "--no-access-log"]
            self.roles.append(self._role(Role.INFERENCE, command, environment))
        web = uvicorn(serving.port, serving.web)
        self.roles.append(self._role(Role.WEB, web, environment | shares(serving.web)))
        queue = [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"]
        # Pages stay quick while files are parsed.
        self.roles.append(self._role(Role.WORKER, ["nice", "-n", "5", *queue], environment))
        if serving.trainer:
            # Whatever else is to be done comes first.
            self.roles.append(self._role(Role.TRAINER, ["nice", "-n", "15", *queue], environment))
        inference_url = environment.get("INFERENCE_URL", settings.INFERENCE_URL)
        write_state(pid=os.getpid(), url=self.url, inference_url=inference_url)

    def _add_local_llm(self) -> dict[str, str]:
        """The role that serves the model, and what tells the others where it is."""
        llm_port = free_port()
        environment = local_llm.environment(f"http://{HOST}:{llm_port}/v1")
        module = [sys.executable, "-m", "docintel.local_llm"]
        command = ["nice", "-n", "5", *module, str(settings.MODELS_DIR), str(llm_port)]
        self.roles.append(self._role(Role.LLM, command, environment))
        return environment


def uvicorn(port: int, processes: int = 1) -> list[str]:
    """The command of so many processes that share a port."""
    command = [sys.executable, "-m", "uvicorn", "docintel.asgi:application", "--host", HOST]
    several = ["--workers", str(processes)] if processes > 1 else []
    ending = ["--timeout-graceful-shutdown", "3", "--lifespan", "off"]
    return [*command, "--port", str(port), *several, *ending]


def shares(processes: int) -> dict[str, str]:
    """What the processes of the pages divide, so that the database has connections for all."""
    of_all = {"PAGES_AT_ONCE": settings.PAGES_AT_ONCE, "ASK_THREADS": settings.ASK_THREADS}
    return {name: str(max(2, number // processes)) for name, number in of_all.items()}


@contextmanager
def running(serving: Serving, *, say: Say, prepare: Callable[[], str]) -> Iterator[Supervisor]:
    """All roles, started and watched; `prepare` readies the database and returns its URL.

    Raises CannotServe. Whatever ends the block, nothing that it started is left running.
    """
    check_port(serving.port)
    if serving.llm == LOCAL:
        try:
            local_llm.check_installed()
        except local_llm.LocalModelUnavailable as error:
            raise CannotServe(str(error)) from error
    with the_only_one() as lock:
        supervisor = Supervisor(
            url=f"http://{HOST}:{serving.port}",
            say=say,
            prepare=prepare,
            embedded=not os.environ.get("DATABASE_URL"),
            lock=lock,
        )
        try:
            write_state(pid=os.getpid(), url=supervisor.url)
            supervisor.poll()
            supervisor.add_roles(serving, prepare())
            supervisor.poll()
            yield supervisor
        finally:
            with _uninterrupted():
                if supervisor.roles:
                    say("Stopping.")
                supervisor.stop()
                _stop_database(supervisor.embedded)
                supervisor.dismiss_guardian()
                state_file().unlink(missing_ok=True)


def _stop_database(embedded: bool) -> None:
    connections.close_all()
    if embedded:
        postgres.stop(settings.VAR_DIR)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Signals wait until what must be stopped has been stopped; it takes seconds."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def in_one_line(say: Say, farewell: str) -> Iterator[None]:
    """For commands: what cannot work ends them with one line, Ctrl-C with a farewell."""
    try:
        yield
    except (CannotServe, postgres.PostgresUnavailable) as error:
        sys.exit(f"docintel: {error}")
    except DatabaseError as error:
        sys.exit(f"docintel: the database refused: {first_line(error)}")
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        sys.exit(f"docintel: {place}{error.strerror or error}")
    except KeyboardInterrupt:
        say(farewell)


def stop_on_signals() -> None:
    """Have SIGTERM and a closed terminal end the block as Ctrl-C does: by KeyboardInterrupt."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Also where the shell started us with SIGINT ignored, in the background.
        signal.signal(number, signal.default_int_handler)


def answers(url: str, seconds: float = 2.0) -> bool:
    """Whether an HTTP server answers there, other than by a server error."""
    try:
        with urlopen(url, timeout=seconds):  # noqa: S310  an http URL of our own or the operator's
            return True
    except HTTPError as error:
        return error.code < 500
    except (URLError, OSError, ValueError):
        return False
