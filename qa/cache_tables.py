"""Tables of what is kept beside answers: which may be repeated, and who was in which experiment."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from pgvector.django import HalfVectorField

from docintel.weights import MAX_DIMENSIONS
from qa.answer_tables import Ask


class CachedAnswer(models.Model):
    """An answer that may be repeated for a question of the same `key` and nearly this vector."""

    ask = models.OneToOneField(
        Ask, on_delete=models.CASCADE, primary_key=True, related_name="cached"
    )
    key = models.CharField(max_length=64, db_index=True, help_text="SHA-256 of what must agree")
    embedding = HalfVectorField(dimensions=MAX_DIMENSIONS)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return str(self.ask)


class ExperimentExposure(models.Model):
    """One question of a person in an experiment."""

    experiment = models.CharField(max_length=60)
    arm = models.CharField(max_length=30)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="exposures"
    )
    ask = models.OneToOneField(Ask, on_delete=models.CASCADE, related_name="exposure")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-ask_id"]
        indexes = [models.Index(fields=["experiment", "arm"])]

    def __str__(self) -> str:
        return f"{self.experiment}: {self.arm}"


class ExperimentOutcome(models.Model):
    """Something that the person did with what they were shown; each kind once."""

    class Kind(models.TextChoices):
        USED = "used", "Used"
        UP = "up", "Helpful"
        DOWN = "down", "Not helpful"
        OPENED = "opened", "Opened a passage"
        COMPOSED = "composed", "Had it composed"
        FOLLOWED = "followed", "Asked about it again"

    exposure = models.ForeignKey(
        ExperimentExposure, on_delete=models.CASCADE, related_name="outcomes"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["exposure", "kind"], name="experiment_outcome_once")
        ]

    def __str__(self) -> str:
        return self.kind
