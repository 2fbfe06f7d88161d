"""A training run from its row to what it leaves: one at a time per name, and a killed one is seen.

The name is held by a lock of a database session of its own, which ends with the process however
that dies. So a row that says running while nobody holds its name belongs to a killed run.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import Error, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Concat, Right
from django.utils import timezone

from docintel.models import ModelVersion
from training.models import TrainingRun

LONGEST_LOG = 200_000
State = TrainingRun.State
# Those of this database with one number of 64 bits, which the view shows in two halves.
_HELD = """
SELECT EXISTS (
    SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND ((classid::bigint << 32) | objid::bigint) = hashtextextended(%s, 0)
)
"""


class AlreadyTraining(Exception):
    """Another run of this name goes on; the message says which and since when."""


class RunLost(Exception):
    """The database let go of the run's name, so another may have begun; stop, and keep nothing."""


@dataclass(slots=True)
class Run:
    """A run that goes on. `folder` outlives a kill: the next run of the same arguments has it."""

    row: TrainingRun
    folder: Path
    _lock: BaseDatabaseWrapper
    _began: float = field(default_factory=time.monotonic)

    @property
    def label(self) -> str:
        """What a version says it was created by."""
        return str(self.row)

    def log(self, line: str) -> None:
        """Print a line and keep it with the run; of a very long log the end is kept."""
        print(line, flush=True)
        _awake()
        longer = Right(Concat(F("log"), Value(f"{line}\n")), LONGEST_LOG)
        TrainingRun.objects.filter(pk=self.row.pk).update(log=longer)

    def progress(self, share: float) -> None:
        """How much is done, 0 to 1. Raises RunLost."""
        self.check_held()
        _awake()
        TrainingRun.objects.filter(pk=self.row.pk).update(progress=min(max(share, 0.0), 1.0))

    def say(self, line: str, share: float) -> None:
        """A line and how much is done, 0 to 1. Raises RunLost."""
        self.log(line)
        self.progress(share)

    def learned_from(self, snapshot_hash: str) -> None:
        """Note the examples by their SHA-256."""
        self.row.snapshot_hash = snapshot_hash
        TrainingRun.objects.filter(pk=self.row.pk).update(snapshot_hash=snapshot_hash)

    def produced(self, version: ModelVersion) -> None:
        """Note what the run left."""
        self.row.version = version
        TrainingRun.objects.filter(pk=self.row.pk).update(version=version)

    def check_held(self) -> None:
        """To be called before anything is kept. Raises RunLost."""
        try:
            with self._lock.cursor() as cursor:
                cursor.execute("SELECT 1")
        except Error as error:
            raise RunLost(f"{self.row}: the database session that held its name is gone") from error


@contextmanager
def opened(
    name: str, *, args: Mapping[str, Any] | None = None, seed: int | None = None, who: str = ""
) -> Iterator[Run]:
    """A run of this name until the block ends; its row says how it ended.

    Raises AlreadyTraining while another holds the name. A folder that a killed or failed run with
    the same arguments and seed left is handed on; one that finished leaves none.
    """
    lock = connections.create_connection("default")
    try:
        if not _take(lock, name):
            raise AlreadyTraining(_who_holds(name))
        # This process has the name, so whoever says to be running it is gone.
        _bury(TrainingRun.objects.filter(name=name, state=State.RUNNING))
        run = _begin(lock, name, dict(args or {}), seed, who)
        try:
            yield run
            run.check_held()
        except BaseException as error:
            _end(run, State.FAILED, str(error) or type(error).__name__)
            raise
        _end(run, State.FINISHED)
        shutil.rmtree(run.folder, ignore_errors=True)
    finally:
        with suppress(Error):
            lock.close()


def mark_killed() -> int:
    """Say of runs whose process is gone that they were killed; how many there were."""
    # Their rows first: a run takes its name before it writes its row.
    running = list(TrainingRun.objects.filter(state=State.RUNNING).values_list("pk", "name"))
    gone = [pk for pk, name in running if not _is_held(name) or _is_older(pk, name)]
    return _bury(TrainingRun.objects.filter(pk__in=gone, state=State.RUNNING))


def _bury(rows: QuerySet[TrainingRun]) -> int:
    return rows.update(
        state=State.KILLED,
        error="its process ended without a word",
        finished_at=timezone.now(),
    )


def folder_of(name: str, args: Mapping[str, Any], seed: int | None) -> Path:
    """Where a run with these arguments keeps what it needs to go on after a kill."""
    stated = json.dumps([args, seed], sort_keys=True, default=str)
    digest = hashlib.sha256(stated.encode()).hexdigest()[:16]
    return Path(settings.VAR_DIR) / "training" / name.replace(":", ".") / digest


def _begin(
    lock: BaseDatabaseWrapper, name: str, args: dict[str, Any], seed: int | None, who: str
) -> Run:
    folder = folder_of(name, args, seed)
    stated = json.loads(json.dumps(args, default=str))
    before = TrainingRun.objects.filter(name=name, args=stated, seed=seed).first()
    resumed = before if before and folder.is_dir() and any(folder.iterdir()) else None
    folder.mkdir(parents=True, exist_ok=True)
    row = TrainingRun.objects.create(
        name=name,
        args=stated,
        seed=seed,
        host=socket.gethostname()[:100],
        pid=os.getpid(),
        started_by=(who or at_the_command_line())[:200],
        resumed_from=resumed,
    )
    return Run(row, folder, lock)


def at_the_command_line() -> str:
    """Who runs this process, as an audit row names them."""
    try:
        return f"{getpass.getuser()} at the command line"
    except (KeyError, OSError):
        # A container may have a user without a name.
        return "somebody at the command line"


def _end(run: Run, state: TrainingRun.State, error: str = "") -> None:
    _awake()
    seconds = time.monotonic() - run._began
    changes: dict[str, Any] = {"progress": 1.0} if state == State.FINISHED else {}
    TrainingRun.objects.filter(pk=run.row.pk, state=State.RUNNING).update(
        state=state, error=error[-10_000:], finished_at=timezone.now(), seconds=seconds, **changes
    )


def _take(lock: BaseDatabaseWrapper, name: str) -> bool:
    with lock.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [_lock_name(name)])
        return bool(cursor.fetchone()[0])


def _is_held(name: str) -> bool:
    """Looks without taking, so that nobody who begins just now is turned away."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [_lock_name(name)])
        return bool(cursor.fetchone()[0])


def _is_older(pk: int, name: str) -> bool:
    """The name is held by a later run, so this one no longer goes on."""
    return TrainingRun.objects.filter(name=name, pk__gt=pk).exists()


def _lock_name(name: str) -> str:
    return f"training:{name}"


def _who_holds(name: str) -> str:
    row = TrainingRun.objects.filter(name=name, state=State.RUNNING).first()
    if row is None:
        return f"another run of {name} is just beginning"
    since = f"{row.started_at:%Y-%m-%d %H:%M} UTC"
    return f"{row} goes on since {since} (process {row.pid} on {row.host}); one at a time per name"


def _awake() -> None:
    """Training may be silent for hours, in which a connection can go."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
