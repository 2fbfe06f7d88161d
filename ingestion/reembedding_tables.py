"""The tables of a re-embedding: which embedder is to follow, and which documents it has behind it.

Part of `ingestion.models`; `ingestion.reembedding` alone changes them.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from docintel.models import ModelVersion


class Reembedding(models.Model):
    """The way from one embedder to the next; at most one is under way, by constraint."""

    class State(models.TextChoices):
        MAKING = "making", "Vectors are being made"
        PAUSED = "paused", "Paused"
        COMPLETE = "complete", "Complete; waits for a person"
        LIVE = "live", "Live; the old vectors are kept"
        BACK = "back", "Rolled back; its vectors are kept"
        TIDIED = "tidied", "Done; the other vectors are gone"
        CANCELLED = "cancelled", "Cancelled"

    embedder = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    before = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="+", help_text="what it follows"
    )
    state = models.CharField(max_length=9, choices=State.choices, default=State.MAKING)
    automatic = models.BooleanField(
        default=True, help_text="goes live as soon as all vectors are there"
    )
    chunks = models.PositiveBigIntegerField(default=0, help_text="vectors made so far")
    seconds = models.FloatField(default=0, help_text="that making them took")
    note = models.TextField(blank=True, help_text="why it does not go on, if so")
    started_by = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    switched_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = "re-embedding"
        permissions = [("steer_reembedding", "Can start, pause, switch and roll back embedders")]
        constraints = [
            models.UniqueConstraint(
                models.Value(1),
                condition=Q(state__in=["making", "paused", "complete"]),
                name="one_reembedding_under_way",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.embedder.version}: {self.get_state_display()}"

    @property
    def is_under_way(self) -> bool:
        return self.state in {self.State.MAKING, self.State.PAUSED, self.State.COMPLETE}


class EmbeddedBeside(models.Model):
    """A document whose passages all have vectors of an embedder that is not live.

    With a reason: one that this embedder cannot read. Of the live one `Document.embedder` says it.
    """

    document = models.ForeignKey(
        "ingestion.Document", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    embedder = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["document", "embedder"], name="embedded_beside_once"),
        ]

    def __str__(self) -> str:
        return f"document {self.document_id} by {self.embedder_id}"
