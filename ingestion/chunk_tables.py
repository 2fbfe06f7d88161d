"""The tables of passages: what both indexes hold.

Every span is a pair of character offsets into `Document.text`, which never changes once parsed.
"""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from pgvector.django import HalfVectorField, HnswIndex, SparseVectorField

from docintel.indexes import Bm25Index
from docintel.models import ModelVersion
from ingestion.parsing import statements
from ingestion.passage_headers import PATH_CHARACTERS
from ingestion.querysets import ChunkQuerySet

# Vectors of smaller models are padded with zeros, which changes no inner product.
VECTOR_DIMENSIONS = 768
# Words are hashed into this many dimensions for the exact lexical score of narrow scopes.
TERM_DIMENSIONS = 2**22


STATEMENTS = list(statements.names().items())


class Chunk(models.Model):
    """A passage of at most 512 tokens: `document.text[start:end]`.

    What both indexes read is `body`: a short header (company, kind, period, section, and in the
    middle of a table its column heads), a newline, then exactly that text. Rows are written once
    and never updated, because an update would write every index again; vectors live in a table of
    their own for the same reason.
    """

    document = models.ForeignKey(
        "ingestion.Document", on_delete=models.CASCADE, related_name="chunks"
    )
    ordinal = models.PositiveIntegerField()
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    page = models.PositiveIntegerField(help_text="the page of its first character, from 1")
    section = models.CharField(
        max_length=PATH_CHARACTERS, blank=True, help_text="its headings, outermost first"
    )
    statement = models.CharField(
        max_length=30, blank=True, choices=STATEMENTS, help_text="the part of a report that it is"
    )
    n_tokens = models.PositiveSmallIntegerField()
    body = models.TextField()
    header_length = models.PositiveSmallIntegerField(help_text="characters of body before the text")
    terms = SparseVectorField(dimensions=TERM_DIMENSIONS)

    objects = ChunkQuerySet.as_manager()

    class Meta:
        ordering = ["document_id", "ordinal"]
        constraints = [
            models.UniqueConstraint(fields=["document", "ordinal"], name="chunk_once"),
        ]
        indexes = [
            Bm25Index(fields=["body"], name="chunk_bm25"),
            # For quoted phrases, never for ranking.
            GinIndex(SearchVector("body", config="english"), name="chunk_phrases"),
        ]

    def __str__(self) -> str:
        return f"{self.document_id}#{self.ordinal}"

    @property
    def text(self) -> str:
        """What is shown and cited: the passage without its header."""
        return self.body[self.header_length :]


def _hnsw(name: str) -> HnswIndex:
    return HnswIndex(
        name=name, fields=["embedding"], m=16, ef_construction=64, opclasses=["halfvec_ip_ops"]
    )


class StoredVector(models.Model):
    """The vector of one chunk's body by one embedder version; unit length, zero-padded."""

    embedder = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    embedding = HalfVectorField(dimensions=VECTOR_DIMENSIONS)

    class Meta:
        abstract = True


class ChunkVector(StoredVector):
    """Of the embedder that was live first; `ingestion.vector_tables` says whose are where."""

    chunk = models.OneToOneField(
        Chunk, on_delete=models.CASCADE, primary_key=True, related_name="vector"
    )

    class Meta:
        indexes = [_hnsw("chunk_vector_hnsw")]

    def __str__(self) -> str:
        return f"vector of chunk {self.chunk_id}"


class OtherChunkVector(StoredVector):
    """Vectors beside those: of the embedder that is to follow, or of the one before.

    A table of its own: an index over the spaces of two embedders would find neighbours of either.
    """

    chunk = models.OneToOneField(
        Chunk, on_delete=models.CASCADE, primary_key=True, related_name="other_vector"
    )

    class Meta:
        indexes = [_hnsw("other_chunk_vector_hnsw")]

    def __str__(self) -> str:
        return f"other vector of chunk {self.chunk_id}"
