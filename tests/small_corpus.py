"""Documents with chunks, terms and vectors, written straight into the tables for search tests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from django.contrib.auth.models import Group
from django.utils import timezone

from docintel.models import ModelVersion
from ingestion.lexical import document_terms
from ingestion.models import Chunk, ChunkVector, Company, Document, Source

DIMENSIONS = 768


def source(name: str = "Library", *groups: str) -> Source:
    row, _ = Source.objects.get_or_create(name=name, defaults={"kind": Source.Kind.FOLDER})
    row.groups.set(Group.objects.filter(name__in=groups))
    return row


def unit(*weights: tuple[int, float]) -> np.ndarray:
    """A unit vector with these weights on these axes."""
    vector = np.zeros(DIMENSIONS, dtype=np.float32)
    for axis, weight in weights:
        vector[axis] = weight
    return vector / np.linalg.norm(vector)


def document(
    passages: Sequence[str],
    *,
    origin: Source | None = None,
    company: str = "",
    header: str = "",
    overlap: int = 0,
    vectors: Sequence[np.ndarray] | None = None,
    embedder: ModelVersion | None = None,
    **fields: object,
) -> Document:
    """A searchable document of one page per passage; `overlap` characters reach into the next."""
    text, starts = "", []
    for passage in passages:
        starts.append(len(text))
        text += passage + "\n"
    ends = [*starts[1:], len(text)]
    digest = hashlib.sha256(f"{text}{fields}{origin}".encode()).hexdigest()
    row = Document.objects.create(
        source=origin or source(),
        company=_company(company) if company else None,
        file_name=str(fields.pop("file_name", f"{digest[:8]}.txt")),
        file_sha256=str(fields.pop("file_sha256", digest)),
        text=text,
        text_sha256=digest,
        pages=starts,
        chunk_count=len(passages),
        parsed_at=timezone.now(),
        searchable_at=timezone.now(),
        embedded_at=timezone.now() if vectors is not None else None,
        embedder=embedder if vectors is not None else None,
        **fields,
    )
    spans = [
        (start, min(len(text), end + overlap)) for start, end in zip(starts, ends, strict=True)
    ]
    bodies = [f"{header}\n{text[start:end]}" for start, end in spans]
    chunks = Chunk.objects.bulk_create(
        Chunk(
            document=row,
            ordinal=ordinal,
            start=start,
            end=end,
            page=row.page_of(start),
            n_tokens=len(body.split()),
            body=body,
            header_length=len(header) + 1,
            terms=terms,
        )
        for ordinal, ((start, end), body, terms) in enumerate(
            zip(spans, bodies, document_terms(bodies), strict=True)
        )
    )
    if vectors is not None:
        ChunkVector.objects.bulk_create(
            ChunkVector(chunk=chunk, embedder=embedder, embedding=vector)
            for chunk, vector in zip(chunks, vectors, strict=True)
        )
    return row


def _company(name: str) -> Company:
    return Company.objects.get_or_create(key=name.lower(), defaults={"name": name})[0]
