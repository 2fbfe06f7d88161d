"""Take in what an integrator pushes: into a source they may see, once per external id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from ingestion import receiving
from ingestion.models import Source
from ingestion.receiving import Receipt

TAKES_PUSHES = (Source.Kind.API, Source.Kind.UPLOAD)


class Refused(Exception):
    """Why it was not taken in, in words for its sender; `field` is what to change."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


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

    Other bytes under a known external id are its next revision. Raises Refused for an empty or
    too large file.
    """
    if not file.read(1):
        raise Refused("file", "The file is empty.")
    file.seek(0)
    try:
        return receiving.take_in(
            source, file_name, file, external_id=external_id, pushed=pushed, user=user
        )
    except receiving.Refused as refusal:
        raise Refused("file", str(refusal)) from refusal
