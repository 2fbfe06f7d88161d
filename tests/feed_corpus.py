"""Documents as they are once everything is known of them, without running the pipeline."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
from django.utils import timezone
from pgvector import HalfVector, SparseVector

from docintel import encoders, registry
from docintel.models import ModelVersion
from ingestion.chunk_tables import TERM_DIMENSIONS
from ingestion.freezing import text_digest
from ingestion.metadata import company_key
from ingestion.models import (
    Chunk,
    ChunkVector,
    Company,
    Document,
    DocumentTopic,
    Mention,
    Source,
    Topic,
)


def version(name: str) -> ModelVersion:
    return registry.register(name, "test", "test")


def source(name: str = "Wire", **fields: Any) -> Source:
    return Source.objects.get_or_create(name=name, defaults={"kind": "rss", **fields})[0]


def company(name: str) -> Company:
    return Company.objects.get_or_create(key=company_key(name), defaults={"name": name})[0]


def direction(number: int) -> np.ndarray:
    vector = np.zeros(768, dtype=np.float32)
    vector[number] = 1.0
    return vector


def known(
    title: str, *, of: Company | None = None, names: tuple[Company, ...] = (),
    topics: dict[str, float] | None = None, about: int = 0, days: float = 0.0,
    wire: Source | None = None, **fields: Any,
) -> Document:  # fmt: skip
    """One document, embedded, recognised and classified, that arrived `days` ago."""
    at = timezone.now() - timedelta(days=days)
    text = f"{title}. " + " ".join(f"{one.name} spoke." for one in names) + " The end of it."
    embedder = encoders.live_embedder()
    document = Document.objects.create(
        source=wire or source(), title=title, company=of, text=text,
        text_sha256=text_digest(text), file_sha256=text_digest(text), received_at=at, parsed_at=at,
        searchable_at=at, embedded_at=at, embedder=embedder, recognised_at=at, pages=[0],
        recogniser=version("recogniser"), classifier=version("topic classifier"), chunk_count=1,
        kind=fields.pop("kind", "news"), **fields,
    )  # fmt: skip
    chunk = Chunk.objects.create(
        document=document, ordinal=0, start=0, end=len(text), page=1, n_tokens=9,
        body=f"x\n{text}", header_length=2, terms=SparseVector({1: 1.0}, TERM_DIMENSIONS),
    )  # fmt: skip
    ChunkVector.objects.create(
        chunk=chunk, embedder=embedder, embedding=HalfVector(direction(about))
    )
    for one in names:
        start = text.index(f"{one.name} spoke")
        Mention.objects.create(
            document=document, start=start, end=start + len(one.name), kind="company",
            name=one.name, company=one, recogniser=version("recogniser"),
        )  # fmt: skip
    for key, probability in (topics or {}).items():
        DocumentTopic.objects.create(
            document=document, topic=Topic.objects.get(key=key), probability=probability,
            classifier=version("topic classifier"),
        )  # fmt: skip
    return document
