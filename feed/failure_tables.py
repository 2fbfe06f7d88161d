"""The table of documents that could not be ranked; part of `feed.models`."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from ingestion.models import Document


class RankFailure(models.Model):
    """Ranking this document failed; after `ranking.MOST_ATTEMPTS` it is left out.

    Deleting the row in the administration has it tried again.
    """

    document = models.OneToOneField(
        Document, on_delete=models.CASCADE, primary_key=True, related_name="rank_failure"
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=500)
    retry_after = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-retry_after"]

    def __str__(self) -> str:
        return f"document {self.document_id}: {self.reason}"
