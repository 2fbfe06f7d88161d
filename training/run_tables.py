"""One row per training run: what it was asked, how it went, what it left."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from docintel.models import ModelVersion


class TrainingRun(models.Model):
    """One run. Trap: a killed process cannot say so; `runs.mark_killed` finds that out."""

    class State(models.TextChoices):
        RUNNING = "running"
        FINISHED = "finished"
        FAILED = "failed"
        KILLED = "killed"

    name = models.CharField(max_length=80, help_text="of the model; one run at a time per name")
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    seed = models.BigIntegerField(null=True, blank=True)
    args = models.JSONField(default=dict, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    progress = models.FloatField(default=0.0, help_text="0 to 1")
    log = models.TextField(blank=True)
    error = models.TextField(blank=True)
    host = models.CharField(max_length=100, blank=True)
    pid = models.PositiveIntegerField(null=True, blank=True)
    started_by = models.CharField(max_length=200, blank=True)
    snapshot_hash = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of the examples it learned from"
    )
    version = models.ForeignKey(
        ModelVersion,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="what it left",
    )
    resumed_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["-started_at", "-pk"]
        indexes = [models.Index(fields=["name", "-started_at"])]

    def __str__(self) -> str:
        return f"training run {self.pk} of {self.name}"
