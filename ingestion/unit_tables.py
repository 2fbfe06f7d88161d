"""The table of units: vectors of the stretches of sentences and rows that a chunk consists of.

Part of `ingestion.models`.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from docintel.models import ModelVersion
from ingestion.chunk_tables import Chunk


class UnitVectors(models.Model):
    """The units of one chunk by one embedder version, in reading order.

    Unit i is `document.text[starts[i]:ends[i]]`. `vectors` holds a row of signed bytes for each, as
    many as the embedder has dimensions, of a length of its own: see `ingestion.unit_vectors`. No
    index reads them: they are fetched for the candidates of a question.
    """

    chunk = models.OneToOneField(
        Chunk, on_delete=models.CASCADE, primary_key=True, related_name="units"
    )
    embedder = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    starts = ArrayField(models.PositiveIntegerField())
    ends = ArrayField(models.PositiveIntegerField())
    vectors = models.BinaryField()

    def __str__(self) -> str:
        return f"units of chunk {self.chunk_id}"
