"""The tables of word statistics that the exact lexical score reads; part of `ingestion.models`."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone


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
        return cls.objects.first() or cls()
