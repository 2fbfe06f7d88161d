"""Vectors for what of a document lacks them, passages or units, in committed batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from django.db import transaction

from ingestion.claiming import ClaimLost, finish, lock, renew
from ingestion.models import Chunk, ChunkVector, Document, UnitVectors
from ingestion.querysets import ChunkQuerySet

Row = TypeVar("Row", ChunkVector, UnitVectors)


def embed_in_batches(
    document: Document,
    lacking: ChunkQuerySet,
    embed_batch: Callable[[list[Chunk]], int],
    *,
    at_once: int,
    finished: Callable[[], Mapping[str, Any]],
    until: float | None,
    interrupted: Callable[[], bool],
) -> tuple[int, bool]:
    """How many vectors `embed_batch` made, and whether none is lacking now.

    Stops early, keeping what is done, when `time.monotonic()` passes `until` or `interrupted()`; at
    least one batch, of `at_once` passages, is made. With the last one the document gets the fields
    `finished`. Raises ClaimLost.
    """
    made = 0
    while batch := list(lacking[:at_once]):
        made += embed_batch(batch)
        if (until is not None and time.monotonic() >= until) or interrupted():
            break
    with transaction.atomic():
        lock(document)
        if lacking.exists():
            return made, False
        if not finish(document, **finished()):
            raise ClaimLost(document.pk)
    return made, True


def keep_vectors(
    document: Document, table: type[Row], rows: Sequence[Row], fields: Sequence[str]
) -> None:
    """Write a batch with these fields in the place of another embedder's. Raises ClaimLost."""
    with transaction.atomic():
        lock(document)
        table._default_manager.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["chunk"],
            update_fields=["embedder", *fields],
        )
        if document.claim is not None:
            renew(document, progress=True)
