"""The bytes of one arrival stored, its row made, parsing enqueued.

Bytes are stored before the row is made, so no row is without its file. The same bytes again from
the same source under the same external id are the same document; elsewhere they are a sighting.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import IO, Any, cast

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.files.base import File
from django.core.files.storage import Storage
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from docintel.locking import one_at_a_time
from docintel.scheduling import enqueue
from ingestion.companies import company_named
from ingestion.models import DESCRIBED, LONGEST_TITLE, Document, Source

LONGEST_FILE_NAME = 255
LONGEST_EXTERNAL_ID = 500
READ_BYTES = 1_048_576


class Refused(Exception):
    """This cannot be taken in; the message says why, for the person who sent it."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The document that these bytes are, and whether its row was made just now."""

    document: Document
    created: bool


@dataclass(frozen=True, slots=True)
class _Stored:
    name: str
    size: int
    sha256: str


def source_of_kind(kind: Source.Kind) -> Source:
    """The source that holds what people upload, or what is pushed without naming another."""
    name = {Source.Kind.UPLOAD: "Uploads", Source.Kind.API: "API push"}.get(kind, kind.label)
    return Source.objects.get_or_create(name=name, defaults={"kind": kind})[0]


def take_in(
    source: Source,
    file_name: str,
    file: IO[bytes],
    *,
    external_id: str = "",
    pushed: Mapping[str, Any] | None = None,
    user: AbstractBaseUser | None = None,
    received_at: datetime | None = None,
) -> Receipt:
    """Store these bytes: a new row, a sighting, or the row that is already there.

    `pushed` may hold title, kind, company, ticker, fiscal_year, fiscal_quarter and published_on,
    already validated. It arrived at `received_at`, now if not given. Raises Refused when the file
    is too large.
    """
    document = Document(
        source=source,
        file_name=display_name(file_name),
        external_id=_identifier(external_id),
        uploaded_by_id=user.pk if user else None,
        received_at=received_at or timezone.now(),
    )
    storage = document.file.storage
    stored = _store(storage, document, file)
    try:
        receipt = _record(document, stored, pushed or {})
    except BaseException:
        storage.delete(stored.name)
        raise
    if not receipt.created:
        storage.delete(stored.name)
    return receipt


def display_name(file_name: str) -> str:
    """What the sender called it, fit to be shown and stored: no folders, no control characters."""
    name = _printable(file_name.replace("\\", "/").rsplit("/", 1)[-1])
    if name in ("", ".", ".."):
        return "document"
    if len(name) <= LONGEST_FILE_NAME:
        return name
    suffix = PurePath(name).suffix[:16]
    return name[: LONGEST_FILE_NAME - len(suffix)] + suffix


def _printable(words: str) -> str:
    # Category C: control characters, those that turn the reading direction, lone surrogates.
    return "".join(c for c in words if unicodedata.category(c)[0] != "C").strip()


def _identifier(external_id: str) -> str:
    clean = _printable(external_id)
    if len(clean) <= LONGEST_EXTERNAL_ID:
        return clean
    digest = hashlib.sha256(clean.encode()).hexdigest()
    return clean[: LONGEST_EXTERNAL_ID - len(digest) - 1] + "#" + digest


class _Measured:
    """A readable that counts and hashes what passes, and refuses more than the limit."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self.file, self.limit = file, limit
        self.size, self.sha256 = 0, hashlib.sha256()

    def read(self, size: int = READ_BYTES) -> bytes:
        data = self.file.read(size)
        self.size += len(data)
        if self.size > self.limit:
            raise Refused(f"The file is larger than {self.limit // 1_048_576} MB.")
        self.sha256.update(data)
        return data


def _store(storage: Storage, document: Document, file: IO[bytes]) -> _Stored:
    measured = _Measured(file, settings.MAX_FILE_BYTES)
    name = document.file.field.generate_filename(document, document.file_name)
    try:
        # It has read() alone, so that the storage streams it.
        name = storage.save(name, File(cast("IO[bytes]", measured)))
        _flush(storage, name)
    except BaseException:
        storage.delete(name)
        raise
    return _Stored(name, measured.size, measured.sha256.hexdigest())


def _flush(storage: Storage, name: str) -> None:
    """A local file must be on disk before the row that names it is."""
    try:
        path = storage.path(name)
    except NotImplementedError:
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@transaction.atomic
def _record(document: Document, stored: _Stored, pushed: Mapping[str, Any]) -> Receipt:
    # The same bytes sent twice at one moment: the second waits and finds the first.
    one_at_a_time(f"bytes:{stored.sha256}")
    same = Document.objects.listed().filter(
        source=document.source,
        external_id=document.external_id,
        file_sha256=stored.sha256,
        dropped_at__isnull=True,
    )
    found = same.first()
    if found is not None:
        return Receipt(found, created=False)
    document.file.name = stored.name
    document.file_size, document.file_sha256 = stored.size, stored.sha256
    _apply_pushed(document, pushed)
    document.duplicate_of = _parsed_twin(document)
    document.save()
    if document.duplicate_of is None:
        enqueue("ingestion.tasks.parse_pending")
    return Receipt(document, created=True)


def _parsed_twin(document: Document) -> Document | None:
    """A readable document of the same bytes; whoever parses them again would find the same.

    Not one of a restricted source: an answer that comes too soon would tell that it is there.
    """
    twins = Document.objects.current().filter(
        Q(source=document.source_id) | Q(source__groups=None),
        file_sha256=document.file_sha256,
        parsed_at__isnull=False,
    )
    return twins.only("pk").first()


def _apply_pushed(document: Document, pushed: Mapping[str, Any]) -> None:
    for name in DESCRIBED:
        value = pushed.get(name)
        if value not in (None, ""):
            setattr(document, name, _printable(value) if isinstance(value, str) else value)
            document.provenance[name] = "push"
    document.title = document.title[:LONGEST_TITLE]
    company = _printable(str(pushed.get("company") or pushed.get("company_name") or ""))
    if company:
        document.company = company_named(company, _printable(str(pushed.get("ticker") or "")))
        document.provenance["company"] = "push"
