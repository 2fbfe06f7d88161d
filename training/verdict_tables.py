"""What the gate said of a candidate, and the settings of the wheel that turns by itself."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from docintel.models import ModelVersion
from training.run_tables import TrainingRun


class GateVerdict(models.Model):
    """One judgement of a candidate against what was live then; the database keeps it as it is.

    `report` is a `gate.Ruling` as JSON, with what was measured, on what, and for a rejected one
    what hurt. A candidate judged again has another row.
    """

    class Outcome(models.TextChoices):
        PROMOTED = "promoted", "Promoted"
        REJECTED = "rejected", "Rejected"
        ASKED = "asked", "Passed; waits for a person"

    candidate = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="verdicts")
    live = models.ForeignKey(
        ModelVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text="what it was compared with",
    )  # fmt: skip
    run = models.ForeignKey(
        TrainingRun, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    why = models.TextField()
    report = models.JSONField(default=dict)
    snapshot_hash = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of the snapshot whose test part was used"
    )
    seconds = models.FloatField(help_text="that measuring both took")
    who = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["candidate", "-id"], name="verdict_of_candidate")]

    def __str__(self) -> str:
        return f"{self.candidate}: {self.get_outcome_display().lower()}"


class FlywheelSettings(models.Model):
    """One row; read it by `current`, which makes it."""

    class Mode(models.TextChoices):
        AUTOMATIC = "automatic", "Automatic: what passes the gate goes live"
        ASK = "ask", "Ask an expert: what passes the gate waits for a person"

    mode = models.CharField(max_length=9, choices=Mode.choices, default=Mode.AUTOMATIC)
    enough = models.PositiveIntegerField(
        default=200, validators=[MinValueValidator(1)],
        help_text="new corrections, after which a model learns again",
    )  # fmt: skip
    weekly = models.PositiveIntegerField(
        default=20, validators=[MinValueValidator(1)],
        help_text="new corrections that are enough once a week",
    )  # fmt: skip
    dollars_per_hour = models.DecimalField(
        max_digits=8, decimal_places=2, default=0,
        validators=[MinValueValidator(0), MaxValueValidator(10_000)],
        help_text="what an hour of the trainer's machine costs; for the cost of a run",
    )  # fmt: skip

    class Meta:
        verbose_name = "flywheel settings"
        verbose_name_plural = "flywheel settings"

    def __str__(self) -> str:
        return "Settings of the flywheel"

    @classmethod
    def current(cls) -> FlywheelSettings:
        """The row, with defaults where nobody has set anything."""
        return cls.objects.get_or_create(pk=1)[0]
