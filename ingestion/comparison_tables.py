"""How a new source compares with the corpus, one row a day; part of `ingestion.models`."""

from __future__ import annotations

from django.db import models


class SourceComparison(models.Model):
    """One day's figures of a source beside those of all others; None where nothing was read yet.

    `hit_rate`: share of documents with a linked company, 0 to 1. `chunk_tokens`: mean tokens of a
    passage. `density`: mentions per 1,000 characters.
    """

    source = models.ForeignKey(
        "ingestion.Source", on_delete=models.CASCADE, related_name="comparisons"
    )
    day = models.DateField()
    documents = models.PositiveIntegerField(help_text="of the source, that the figures are of")
    hit_rate = models.FloatField(null=True)
    chunk_tokens = models.FloatField(null=True)
    density = models.FloatField(null=True)
    corpus_documents = models.PositiveIntegerField()
    corpus_hit_rate = models.FloatField(null=True)
    corpus_chunk_tokens = models.FloatField(null=True)
    corpus_density = models.FloatField(null=True)

    class Meta:
        ordering = ["source_id", "-day"]
        constraints = [
            models.UniqueConstraint(fields=["source", "day"], name="source_comparison_once"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} on {self.day}"
