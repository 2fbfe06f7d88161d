"""Tables of words: how frequent each is, the corpus as the exact score sees it, MinHash bands.

Part of `ingestion.models`; import them from there.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from docintel.remembering import remembered


class TermStatistic(models.Model):
    """In how many chunks a hashed word occurs: the idf of the exact lexical score."""

    term = models.PositiveIntegerField(primary_key=True)
    document_frequency = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.term}: {self.document_frequency}"


class CorpusStatistics(models.Model):
    """One row: the corpus as the exact lexical score sees it, refreshed on a schedule."""

    n_chunks = models.PositiveBigIntegerField(default=0)
    average_length = models.FloatField(default=0, help_text="words of an average chunk")
    refreshed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "corpus statistics"

    def __str__(self) -> str:
        return f"{self.n_chunks} chunks"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1
        super().save(*args, **kwargs)

    @classmethod
    def current(cls) -> CorpusStatistics:
        """The row; an unsaved empty one before the first refresh."""
        return remembered("corpus statistics", lambda: cls.objects.first() or cls())


class TextBand(models.Model):
    """One band of a text's MinHash: texts that share a `key` are perhaps nearly the same."""

    document = models.ForeignKey(
        "ingestion.Document", on_delete=models.CASCADE, related_name="bands"
    )
    key = models.BigIntegerField(db_index=True)

    def __str__(self) -> str:
        return f"band {self.key} of document {self.document_id}"
