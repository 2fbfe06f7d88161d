"""The made-up firm in a database: made and dropped at the end, or kept in a folder.

Filling the full size takes minutes, measuring it less; a folder that was filled on a busy day can
be measured on a quiet one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.place import SETUP, TABLES, fresh_place, kept_place, said, written_carelessly
from docintel import postgres
from docintel.scoring import CannotScore
from feed.ml.features import NAMES

MIGRATE = TABLES + (
    # A migration may say that everybody is to be ranked anew, which is not what is measured.
    "from benchmarks.simulated_readers import rank_as_they_are; rank_as_they_are(); "
    "print('ready {}', flush=True)"
)
FILL = SETUP + "from benchmarks.simulated_readers import main; main()"
NOTE = "bench-feed.json"

Told = dict[str, Any]


@contextmanager
def filled_firm(sizes: Sequence[int], keep: Path | None) -> Iterator[tuple[dict[str, str], Told]]:
    """The environment of its processes, and what `simulated_readers.fill` said, with its seconds.

    `sizes` are documents, analysts and events. Raises CannotScore for a folder of something else.
    """
    if keep is None:
        with fresh_place() as environment:
            said(MIGRATE, environment, "ready")
            yield environment, _filled(environment, sizes)
        return
    keep = keep.resolve()
    told = _told_before(keep, sizes)
    with kept_place(keep) as environment:
        if told is None:
            _empty(keep)
            with written_carelessly(environment["DATABASE_URL"]):
                said(MIGRATE, environment, "ready")
                told = _filled(environment, sizes)
            _write(keep, sizes, told)
        else:
            said(MIGRATE, environment, "ready")
        yield environment, told


def _filled(environment: dict[str, str], sizes: Sequence[int]) -> Told:
    began = time.perf_counter()
    told = said(FILL, environment, "filled", *sizes)
    return {**told, "filled_in_s": time.perf_counter() - began}


def _told_before(keep: Path, sizes: Sequence[int]) -> Told | None:
    """What filling said; None where it has not begun or was interrupted."""
    note = keep / NOTE
    if not note.exists():
        if keep.exists() and any(keep.iterdir()):
            raise CannotScore(f"{keep} holds something else; name an empty folder or a new one")
        keep.mkdir(parents=True, exist_ok=True)
        _write(keep, sizes, None)
        return None
    kept = json.loads(note.read_text(encoding="utf-8"))
    if kept.get("features") != list(NAMES):
        raise CannotScore(f"{keep} was filled with other features; delete it or name another")
    if kept["sizes"] != list(sizes):
        of = "{:,} documents, {:,} analysts and {:,} events".format(*kept["sizes"])
        raise CannotScore(f"{keep} was filled with {of}; name these sizes or another folder")
    told: Told | None = kept["told"]
    return told


def _write(keep: Path, sizes: Sequence[int], told: Told | None) -> None:
    said_of = {"sizes": list(sizes), "features": NAMES, "told": told}
    (keep / NOTE).write_text(json.dumps(said_of), encoding="utf-8")


def _empty(keep: Path) -> None:
    """Without what an interrupted filling left."""
    name = sql.Identifier(postgres.DATABASE)
    with psycopg.connect(postgres.url(keep, "postgres"), autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        server.execute(sql.SQL("CREATE DATABASE {}").format(name))
