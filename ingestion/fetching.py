"""Documents from where they are: folders looked through for what is new or changed.

Trap: a file that changed without a new size or a later time of change is not seen.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from docintel.scheduling import enqueue
from ingestion.models import Document, Source
from ingestion.receiving import Receipt, Refused, take_in

logger = logging.getLogger(__name__)

MANIFEST = "sources.json"
# What operating systems and editors leave behind.
LITTER = frozenset({MANIFEST, "Thumbs.db", "desktop.ini"})
LITTER_PREFIXES = (".", "~$")
MOST_COMPLAINTS = 5


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
    enqueue("ingestion.tasks.scan_folders")
    return sources


def scan_folders() -> list[Document]:
    """Look through every active folder source; the new documents."""
    now = timezone.now()
    sources = Source.objects.filter(kind=Source.Kind.FOLDER, active=True).order_by("pk")
    return [document for source in sources for document in scan_folder(source, now)]


def scan_folder(source: Source, now: datetime | None = None) -> list[Document]:
    """The documents made for new and changed files; what could not be read is in `last_error`.

    All arrive at `now`, so that of two files with one text the first in order is the original.
    """
    now = now or timezone.now()
    root = Path(source.location)
    complaints: list[str] = []
    created: list[Document] = []
    if not root.is_dir():
        complaints.append(f"There is no folder {root}.")
    known = _known(source)
    for path in _files(root, complaints) if root.is_dir() else ():
        receipt = _take(source, root, path, known, complaints, now)
        if receipt is not None and receipt.created:
            created.append(receipt.document)
    _note(source, complaints)
    return created


def _known(source: Source) -> dict[str, _Known]:
    rows = source.documents.order_by("received_at", "pk")
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


def _take(  # noqa: PLR0917
    source: Source,
    root: Path,
    path: Path,
    known: Mapping[str, _Known],
    complaints: list[str],
    now: datetime,
) -> Receipt | None:
    relative = path.relative_to(root).as_posix()
    # A file name may hold bytes that are no text.
    external_id = relative.encode(errors="surrogateescape").decode(errors="replace")
    try:
        status = path.stat()
        changed_at = datetime.fromtimestamp(status.st_mtime, UTC)
        before = known.get(external_id)
        if before and before.size == status.st_size and changed_at <= before.received_at:
            return None
        with path.open("rb") as file:
            name = Path(external_id).name
            return take_in(source, name, file, external_id=external_id, received_at=now)
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
