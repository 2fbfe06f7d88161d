"""A real embedded Postgres of its own for every run, and a cast of people.

Alice and Bob are analysts, Eve an expert, Ian an integrator, Olga an operator, Adam an admin;
Charlie is signed in but in no group.
"""

from __future__ import annotations

import itertools
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

# Before Django reads its settings: this run's own server, folder, and a small, quick embedder.
# The processes of one run share them; each has a database of its own.
OWNER = "PYTEST_XDIST_WORKER" not in os.environ
if OWNER:
    _folder = Path(tempfile.mkdtemp(prefix="docintel-"))
    _folder.chmod(_folder.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
    os.environ.pop("DATABASE_URL", None)
    os.environ["DOCINTEL_VAR"] = str(_folder)
else:
    _folder = Path(os.environ["DOCINTEL_VAR"])
os.environ["DJANGO_SETTINGS_MODULE"] = "docintel.settings"
os.environ.setdefault("EMBEDDING_MODEL", "all-MiniLM-L6-v2")
# What reads passages takes seconds to load; its own tests switch it on.
os.environ["RERANKER_MODEL"] = "off"
# Who is in an experiment depends on a row's id; its own tests switch it on.
os.environ["ASK_EXPERIMENT_SHARE"] = "0"
# Unpacked weights may be shared between runs: they are verified by digest.
os.environ.setdefault("MODELS_DIR", str(Path(__file__).resolve().parent.parent / "var" / "models"))
# Playwright runs an event loop of its own beside the ORM.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

import django
import psycopg
import pytest

# Here, not by pytest-django, which would read the settings before this file has been run.
django.setup()

from django.contrib.auth.models import Group, User
from django.db import connections

from docintel import postgres

DATA = Path(os.environ.get("DOCINTEL_DATA", Path(__file__).resolve().parents[2] / "shared/data"))


def pytest_configure() -> None:
    url = postgres.ensure(_folder)
    if not OWNER:
        return
    with psycopg.connect(url, autocommit=True) as connection:
        # The cluster is thrown away at the end; durability would only cost time.
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            connection.execute(f"ALTER SYSTEM SET {setting}")
        connection.execute("SELECT pg_reload_conf()")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """Every test leaves its connection behind.

    A server process whose inserts into a BM25 index were rolled back answers no signal any more
    while it waits for its client, and dropping a database waits for all of them.
    """
    yield
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


def pytest_unconfigure() -> None:
    if OWNER:
        postgres.stop(_folder)
        shutil.rmtree(_folder, ignore_errors=True)


@pytest.fixture
def whole_graph(db: None) -> None:
    """The index of vectors without what other tests rolled back, which stays until a VACUUM.

    Many equal vectors among it can cut the graph in two; what is inserted then is not reached.
    """
    with connections["default"].cursor() as cursor:
        cursor.execute("REINDEX TABLE ingestion_chunkvector")


@pytest.fixture
def equal_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate finds every version as quick as any other, whatever else the machine does."""
    ticks = itertools.count()
    clock = SimpleNamespace(process_time=ticks.__next__, perf_counter=ticks.__next__)
    for module in ("comparison", "taggers"):
        monkeypatch.setattr(f"training.comparing.{module}.time", clock)


@pytest.fixture
def data() -> Path:
    """The folder of real filings and feeds; the test is skipped where it is absent."""
    if not DATA.is_dir():
        pytest.skip(f"real data not found at {DATA}; name its folder by DOCINTEL_DATA")
    return DATA


def _person(name: str, *groups: str) -> User:
    user = User.objects.create_user(username=name, password=f"{name}-password")
    user.groups.set(Group.objects.filter(name__in=groups))
    user.is_staff = bool({"expert", "operator", "admin"} & set(groups))
    user.save()
    return user


@pytest.fixture
def alice(db: None) -> User:
    return _person("alice", "analyst")


@pytest.fixture
def bob(db: None) -> User:
    return _person("bob", "analyst")


@pytest.fixture
def eve(db: None) -> User:
    return _person("eve", "expert")


@pytest.fixture
def ian(db: None) -> User:
    return _person("ian", "integrator")


@pytest.fixture
def olga(db: None) -> User:
    return _person("olga", "operator")


@pytest.fixture
def adam(db: None) -> User:
    return _person("adam", "admin")


@pytest.fixture
def charlie(db: None) -> User:
    return _person("charlie")
