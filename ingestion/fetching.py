"""Documents from where they are: folders looked through for what is new or changed.

Trap: a file that changed without a new size or a later time of change is not seen.
"""

from __future__ import annotations

import json
import logging
import math
import os
import time
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from docintel.scheduling import enqueue
from ingestion.models import Document, Source
from ingestion.polled import LONGEST_WAITING_FIRST, due_to_poll, free
from ingestion.receiving import Receipt, Refused, identifier, take_in
from ingestion.withdrawing import note_absent

logger = logging.getLogger(__name__)

MANIFEST = "sources.json"
# What operating systems and editors leave behind.
LITTER = frozenset({MANIFEST, "Thumbs.db", "desktop.ini"})
LITTER_PREFIXES = (".", "~$")
MOST_COMPLAINTS = 5
# One folder's turn, and a task's; then the queue's other tasks get theirs.
TURN_SECONDS = 4.0
SLICE_SECONDS = 20.0
# A killed worker's folder is looked through again after it.
LEASE = timedelta(seconds=60)
# A little less than the time between two ticks of the job.
AGAIN_AFTER = timedelta(minutes=4)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a folder source took in under one path, newest."""

    size: int
    received_at: datetime


def open_folder(path: Path, name: str = "") -> list[Source]:
    """The sources of a folder, made if need be: itself, or those that its `sources.json` lists.

    The file holds a list of {"folder", "name", "kind_default", "credibility", "groups"}, folders
    being relative. Their scan is enqueued. Raises Refused in words.
    """
    root = path.expanduser().resolve()
    if not root.is_dir():
        raise Refused(f"There is no folder {path}.")
    if (root / MANIFEST).is_file():
        sources = [_source_listed(root, entry) for entry in _manifest(root / MANIFEST)]
    else:
        sources = [_source_at(root, name or root.name or "Files")]
    # Also where it was looked through a moment ago.
    Source.objects.filter(pk__in=[source.pk for source in sources]).update(next_run_at=None)
    enqueue("ingestion.tasks.scan_folders")
    return sources


def scan_folders(seconds: float = SLICE_SECONDS) -> list[Document]:
    """Look through the folders that are due, a turn of each in order; the new documents.

    What is left after `seconds` follows in a task of its own, so that a huge folder keeps neither
    small ones nor the queue's other work waiting.
    """
    ends = time.monotonic() + seconds
    created: list[Document] = []
    looks = deque(_Look(source) for source in _claim_due())
    while looks:
        if time.monotonic() > ends:
            for look in looks:
                _let_go(look.source)
            enqueue("ingestion.tasks.scan_folders")
            break
        look = looks.popleft()
        try:
            found, done = look.turn(min(ends, time.monotonic() + TURN_SECONDS))
        except (OperationalError, InterfaceError):
            # The database, not the folder: the leases end by themselves.
            raise
        except Exception as error:
            # One folder that breaks its reader must not stop the others.
            logger.exception("folder %s could not be looked through", look.source)
            _note(look.source, [f"It could not be looked through ({type(error).__name__})."])
            found, done = [], True
        created += found
        if done:
            _let_go(look.source, next_run_at=look.began + AGAIN_AFTER)
        elif _renew(look.source):
            looks.append(look)
    return created


def scan_folder(source: Source, now: datetime | None = None) -> list[Document]:
    """The documents made for new and changed files; what could not be read is in `last_error`.

    All arrive at `now`, so that of two files with one text the first in order is the original.
    """
    return _Look(source, now).turn(math.inf)[0]


class _Look:
    """One look through one folder, taken in turns; only a whole one says what is absent."""

    def __init__(self, source: Source, now: datetime | None = None) -> None:
        self.source = source
        self.began = now or timezone.now()
        self.steps = self._steps()

    def turn(self, ends: float) -> tuple[list[Document], bool]:
        """New documents until `time.monotonic()` passes `ends`, and whether all was looked at."""
        created: list[Document] = []
        for document in self.steps:
            if document is not None:
                created.append(document)
            if time.monotonic() > ends:
                return created, False
        return created, True

    def _steps(self) -> Iterator[Document | None]:
        root = Path(self.source.location)
        complaints: list[str] = []
        if not root.is_dir():
            complaints.append(f"There is no folder {root}.")
        known = _known(self.source)
        unread: list[str] = []
        seen: set[str] = set()
        for path in _files(root, unread) if root.is_dir() else ():
            seen.add(_identity(root, path))
            receipt = _take(self.source, root, path, known, complaints, self.began)
            yield receipt.document if receipt is not None and receipt.created else None
        complete = root.is_dir() and not unread
        if kept := note_absent(self.source, seen, complete=complete):
            unread.append(kept)
        complaints[:0] = unread
        _note(self.source, complaints)


def _claim_due() -> list[Source]:
    """The folders whose time has come, leased, those that waited longest for a turn first."""
    due = Source.objects.filter(due_to_poll(), free(), kind=Source.Kind.FOLDER, active=True)
    claimed = []
    for source in due.order_by(*LONGEST_WAITING_FIRST["turn"]):
        source.claim = uuid.uuid4()
        until = timezone.now() + LEASE
        # The conditions again, in the update: another worker may be here too.
        row = due.filter(pk=source.pk).order_by()
        if row.update(claim=source.claim, claimed_until=until, last_turn_at=timezone.now()):
            claimed.append(source)
    return claimed


def _renew(source: Source) -> bool:
    held = Source.objects.filter(pk=source.pk, claim=source.claim)
    return bool(held.update(claimed_until=timezone.now() + LEASE))


def _let_go(source: Source, **changes: Any) -> None:
    held = Source.objects.filter(pk=source.pk, claim=source.claim)
    held.update(claim=None, claimed_until=None, **changes)


def _known(source: Source) -> dict[str, _Known]:
    # A file that is back counts as new.
    rows = source.documents.filter(withdrawn_at=None).order_by("received_at", "pk")
    return {
        external_id: _Known(size, received_at)
        for external_id, size, received_at in rows.values_list(
            "external_id", "file_size", "received_at"
        )
    }


def _files(root: Path, complaints: list[str]) -> Iterator[Path]:
    """Regular files in a stable order; hidden ones and links that lead outside are left out."""

    def complain(error: OSError) -> None:
        complaints.append(f"{error.filename} cannot be read: {error.strerror}.")

    home = root.resolve()
    for folder, names, files in os.walk(root, onerror=complain, followlinks=False):
        names[:] = sorted(name for name in names if not name.startswith(LITTER_PREFIXES))
        for name in sorted(files):
            path = Path(folder, name)
            if name in LITTER or name.startswith(LITTER_PREFIXES):
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(home):
                continue
            if path.is_file():
                yield path


def _identity(root: Path, path: Path) -> str:
    relative = path.relative_to(root).as_posix()
    # A file name may hold bytes that are no text.
    return identifier(relative.encode(errors="surrogateescape").decode(errors="replace"))


def _take(  # noqa: PLR0917
    source: Source,
    root: Path,
    path: Path,
    known: Mapping[str, _Known],
    complaints: list[str],
    now: datetime,
) -> Receipt | None:
    relative = path.relative_to(root).as_posix()
    external_id = _identity(root, path)
    try:
        status = path.stat()
        changed_at = datetime.fromtimestamp(status.st_mtime, UTC)
        before = known.get(external_id)
        if before and before.size == status.st_size and changed_at <= before.received_at:
            return None
        with path.open("rb") as file:
            return take_in(source, path.name, file, external_id=external_id, received_at=now)
    except OSError as error:
        complaints.append(f"{relative} cannot be read: {error.strerror}.")
    except Refused as error:
        complaints.append(f"{relative}: {error}")
    return None


def _note(source: Source, complaints: list[str]) -> None:
    more = len(complaints) - MOST_COMPLAINTS
    lines = complaints[:MOST_COMPLAINTS] + ([f"And {more} more."] if more > 0 else [])
    source.last_error = "\n".join(lines).encode(errors="replace").decode()
    fields = ["last_error"]
    if complaints:
        logger.warning("source %s: %s", source, source.last_error)
    else:
        source.last_success_at = timezone.now()
        fields.append("last_success_at")
    source.save(update_fields=fields)


def _manifest(path: Path) -> list[dict[str, Any]]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(f"{path} cannot be read: {error}.") from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Refused(f"{path} must hold a list of objects.")
    return entries


@transaction.atomic
def _source_listed(root: Path, entry: Mapping[str, Any]) -> Source:
    folder = (root / str(entry.get("folder", ""))).resolve()
    if not folder.is_relative_to(root) or not folder.is_dir():
        raise Refused(f"{MANIFEST} names {entry.get('folder')!r}, which is no folder in {root}.")
    names = [str(name) for name in entry.get("groups") or ()]
    groups = list(Group.objects.filter(name__in=names))
    missing = set(names) - {group.name for group in groups}
    if missing:
        # Without its group a restricted source would be open to everyone.
        raise Refused(f"{MANIFEST} names unknown groups: {', '.join(sorted(missing))}.")
    kind = str(entry.get("kind_default") or "")
    if kind and kind not in Document.Kind.values:
        raise Refused(f"{MANIFEST} names the unknown kind {kind!r}.")
    source = _source_at(folder, str(entry.get("name") or folder.name))
    source.default_kind = kind
    source.credibility = _credibility(entry)
    source.save(update_fields=["default_kind", "credibility"])
    source.groups.set(groups)
    return source


def _credibility(entry: Mapping[str, Any]) -> float:
    try:
        value = float(entry.get("credibility", 0.5))
    except (TypeError, ValueError):
        value = -1
    if not 0 <= value <= 1:
        raise Refused(f"{MANIFEST}: credibility must be a number from 0 to 1.")
    return value


@transaction.atomic
def _source_at(folder: Path, name: str) -> Source:
    found = Source.objects.filter(kind=Source.Kind.FOLDER, location=str(folder)).first()
    if found is not None:
        return found
    limit = Source._meta.get_field("name").max_length or 120
    taken = set(Source.objects.values_list("name", flat=True))
    free = name[:limit]
    number = 2
    while free in taken:
        free = f"{name[: limit - 6]} ({number})"
        number += 1
    return Source.objects.create(kind=Source.Kind.FOLDER, name=free, location=str(folder))
