"""Vectors of the units of passages, made after those of the passages, and compared with a question.

Trap: chunk ids are taken as they are, so they must be of documents that the user may see.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
from django.db.models import Exists, OuterRef
from numpy.typing import NDArray

from docintel import encoders
from docintel.models import ModelVersion
from ingestion.embedding_in_batches import embed_in_batches, keep_vectors
from ingestion.models import Chunk, Document, UnitVectors
from ingestion.querysets import ChunkQuerySet
from ingestion.sentence_windows import Span, windows

# About 140 units; one commit each.
CHUNKS_PER_COMMIT = 16
LARGEST = 127


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near a chunk's units come to a question: cosines, and the offsets of each unit."""

    cosines: NDArray[np.float32]
    spans: tuple[Span, ...]


def embed(
    document: Document,
    until: float | None = None,
    interrupted: Callable[[], bool] = lambda: False,
) -> tuple[int, bool]:
    """Vectors by the live embedder for the units of passages that lack them, in committed batches.

    Returns how many were made and whether the document has all of them. Stops early as
    `indexing.embed` does. Raises ClaimLost and EncoderUnavailable.
    """
    embedder = encoders.live_embedder()
    return embed_in_batches(
        document,
        lacking(document, embedder),
        lambda batch: _embed_batch(document, batch, embedder),
        at_once=CHUNKS_PER_COMMIT,
        finished=lambda: {"unit_embedder": embedder},
        until=until,
        interrupted=interrupted,
    )


def lacking(document: Document, embedder: ModelVersion) -> ChunkQuerySet:
    """Its passages whose units have no vectors of this embedder, in reading order."""
    made = UnitVectors.objects.filter(chunk=OuterRef("pk"), embedder=embedder)
    chunks = Chunk.objects.filter(document=document).filter(~Exists(made))
    return chunks.only("pk", "start", "end").order_by("ordinal")


def nearness(
    chunks: Collection[int], vector: NDArray[np.float32], embedder: ModelVersion
) -> Mapping[int, Nearness]:
    """Chunk id to how near its units come to this unit vector of the embedder's space.

    Chunks whose units have no vectors of this embedder are left out.
    """
    rows = UnitVectors.objects.filter(chunk__in=list(chunks), embedder=embedder).order_by()
    found = {}
    for pk, starts, ends, stored in rows.values_list("chunk_id", "starts", "ends", "vectors"):
        if not starts:
            continue
        units = unpacked(stored, len(starts))
        cosines = units @ vector[: units.shape[1]]
        found[pk] = Nearness(cosines, tuple(zip(starts, ends, strict=True)))
    return found


def packed(vectors: NDArray[np.float32]) -> bytes:
    """(n, d) to n * d signed bytes, each row stretched to the largest that fits."""
    peaks = np.abs(vectors).max(axis=1, keepdims=True, initial=1e-12)
    return np.rint(vectors * (LARGEST / peaks)).astype(np.int8).tobytes()


def unpacked(stored: bytes | memoryview, n: int) -> NDArray[np.float32]:
    """(n, d) rows of unit length; what was stretched away no cosine needs."""
    rows = np.frombuffer(stored, dtype=np.int8).reshape(n, -1).astype(np.float32)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def _embed_batch(document: Document, batch: list[Chunk], embedder: ModelVersion) -> int:
    text = document.text
    spans = [windows(text, chunk.start, chunk.end) for chunk in batch]
    # A unit is a part of a passage that the embedder has read whole, so none is too long.
    units = [" ".join(text[low:high].split()) for each in spans for low, high in each]
    width = embedder.dimensions or encoders.MAX_DIMENSIONS
    vectors = encoders.embed(units)[:, :width] if units else np.zeros((0, width), np.float32)
    rows, at = [], 0
    for chunk, each in zip(batch, spans, strict=True):
        own = vectors[at : at + len(each)]
        at += len(each)
        rows.append(
            UnitVectors(
                chunk_id=chunk.pk,
                embedder=embedder,
                starts=[low for low, _ in each],
                ends=[high for _, high in each],
                vectors=packed(own),
            )
        )
    keep_vectors(document, UnitVectors, rows, ["starts", "ends", "vectors"])
    return len(units)
