"""The server is killed, or stopped: after a start, search finds every passage again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.waiting import ENOUGH_SECONDS, until

ROOT = Path(__file__).resolve().parent.parent
PASSAGES = 3_000

SETUP = """
import django, json, sys
from docintel import postgres
postgres.ensure()
django.setup()
from django.core.management import call_command
from django.utils import timezone
from pgvector import SparseVector
from ingestion import index_health, tasks
from ingestion.models import Chunk, Document, Source
"""
FILL = f"""
call_command("migrate", verbosity=0)
tasks.check_indexes()
source = Source.objects.create(name="Files", kind="folder")
document = Document.objects.create(source=source, file="none", file_name="a.txt",
    parsed_at=timezone.now(), searchable_at=timezone.now(), chunk_count={PASSAGES})
Chunk.objects.bulk_create([
    Chunk(document=document, ordinal=n, start=n, end=n + 1, page=1, n_tokens=9, header_length=0,
          body=f"In quarter {{n % 4}} the segment reported marker{{n}} in sales",
          terms=SparseVector({{n: 1.0}}, 2**22))
    for n in range({PASSAGES})], batch_size=500)
print(json.dumps(len(Chunk.objects.lexical("marker77", None, 5))), flush=True)
sys.stdin.read()
"""
CHECK = f"""
rows, intact = Chunk.objects.count(), index_health.inspect().ok
tasks.check_indexes()
found = len(Chunk.objects.lexical("segment", None, {PASSAGES} + 1))
rare = [n for n in range(0, {PASSAGES}, 50) if not Chunk.objects.lexical(f"marker{{n}}", None, 5)]
from docintel.models import Measurement
rebuilds = Measurement.objects.filter(name=index_health.REBUILD).count()
tasks.check_indexes()
again = Measurement.objects.filter(name=index_health.REBUILD).count()
print(json.dumps([rows, intact, found, rare, rebuilds, again]), flush=True)
"""


@pytest.fixture
def var() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="docintel-kill-"))
    folder.chmod(folder.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
    yield folder
    kill_server(folder)
    shutil.rmtree(folder, ignore_errors=True)


def start(var: Path, code: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "DOCINTEL_VAR": str(var),
        "DJANGO_SETTINGS_MODULE": "docintel.settings",
        "LOG_LEVEL": "ERROR",
    }
    environment.pop("DATABASE_URL", None)
    return subprocess.Popen(
        [sys.executable, "-c", SETUP + code],
        cwd=ROOT,
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def kill_server(var: Path) -> None:
    """SIGKILL the postmaster and every process it started."""
    try:
        pid = int((var / "postgres" / "postmaster.pid").read_text().split()[0])
        server = psutil.Process(pid)
    except (OSError, ValueError, psutil.NoSuchProcess):
        return
    family = [server, *server.children(recursive=True)]
    for process in family:
        process.send_signal(signal.SIGKILL)
    until(lambda: not any(map(_runs, family)), "the server was gone")


def _runs(process: psutil.Process) -> bool:
    try:
        # Where nobody reaps it, a killed server stays a zombie.
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def answer(process: subprocess.Popen[str]) -> object:
    assert process.stdout
    line = process.stdout.readline()
    assert line, "the process ended without an answer"
    return json.loads(line)


@pytest.mark.parametrize("end", ["killed", "stopped"])
def test_search_finds_everything_after_the_server_was(end: str, var: Path) -> None:
    writer = start(var, FILL)
    assert answer(writer) == 1
    if end == "killed":
        kill_server(var)
        writer.kill()
    writer.communicate(timeout=ENOUGH_SECONDS)

    reader = start(var, CHECK)
    rows, intact, found, rare, rebuilds, again = answer(reader)
    assert reader.wait(timeout=ENOUGH_SECONDS) == 0

    assert rows == PASSAGES
    assert found == PASSAGES
    assert rare == []
    # Built again where something was lost, and only then, and only once.
    assert rebuilds == (0 if intact else 1)
    assert again == rebuilds
