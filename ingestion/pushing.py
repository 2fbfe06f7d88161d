"""Take in what an integrator pushes: into a source they may see, once per external id."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import IO, Any

from django.db import transaction

from docintel.locking import one_at_a_time
from ingestion import receiving
from ingestion.models import Document, Source
from ingestion.receiving import Receipt

TAKES_PUSHES = (Source.Kind.API, Source.Kind.UPLOAD)


class Refused(Exception):
    """Why it was not taken in, in words for its sender; `field` is what to change."""

    def __init__(self, field: str, message: str, *, conflict: bool = False) -> None:
        super().__init__(message)
        self.field = field
        self.message = message
        self.conflict = conflict


def source_for(user: Any, name: str) -> Source:
    """The source of this name, or the default one; Refused alike for unknown and invisible."""
    name = name or receiving.source_of_kind(Source.Kind.API).name
    sources = Source.objects.visible_to(user).filter(active=True, kind__in=TAKES_PUSHES)
    found = sources.filter(name=name).first()
    if found is None:
        raise Refused("source", "There is no source of this name that you may push to.")
    return found


def push(
    source: Source,
    file_name: str,
    file: IO[bytes],
    *,
    external_id: str = "",
    pushed: Mapping[str, Any] | None = None,
    user: Any = None,
) -> Receipt:
    """Store the bytes and start their way; a repeated (source, external id) gives its first row.

    Raises Refused for an empty or too large file, and for other bytes under a known external id.
    """
    if not file.read(1):
        raise Refused("file", "The file is empty.")
    file.seek(0)
    with transaction.atomic():
        if external_id:
            # Two pushes of one id at the same moment: the second finds the first's row.
            one_at_a_time(f"push:{source.pk}:{external_id}")
            _must_be_new_or_same(source, external_id, file)
        try:
            return receiving.take_in(
                source, file_name, file, external_id=external_id, pushed=pushed, user=user
            )
        except receiving.Refused as refusal:
            raise Refused("file", str(refusal)) from refusal


def _must_be_new_or_same(source: Source, external_id: str, file: IO[bytes]) -> None:
    rows = Document.objects.filter(source=source, external_id=external_id, dropped_at__isnull=True)
    known = set(rows.order_by().values_list("file_sha256", flat=True))
    if known and _sha256(file) not in known:
        raise Refused(
            "external_id",
            "Other content was pushed under this id before; give a new version an id of its own.",
            conflict=True,
        )


def _sha256(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := file.read(1_048_576):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()
