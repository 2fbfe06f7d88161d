"""Tables of relevance ratings: which documents an analyst is asked about, and what they said."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from ingestion.models import Document


class RatingAsk(models.Model):
    """An analyst is asked how relevant a document is to them; drawn by chance, once.

    `features` and `fresh_at` are what the ranker saw then, so that any ranker can be judged by the
    answer later.
    """

    class Drawn(models.TextChoices):
        TOP = "top", "From the top of the feed"
        ALL = "all", "From all that was ranked"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="rating_asks"
    )
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="+")
    week = models.DateField(help_text="its Monday")
    drawn = models.CharField(max_length=3, choices=Drawn.choices)
    features = ArrayField(models.FloatField(null=True))
    fresh_at = models.DateTimeField()
    asked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-asked_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["user", "document"], name="rating_ask_once")]
        indexes = [models.Index(fields=["user", "week"], name="rating_ask_of_week")]

    def __str__(self) -> str:
        return f"{self.user} on document {self.document_id}"


class Rating(models.Model):
    """What an analyst said; the database refuses to change a row, so the last one counts."""

    ask = models.ForeignKey(RatingAsk, on_delete=models.CASCADE, related_name="ratings")
    grade = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(5)],
        help_text="1 not relevant to 5 must read; empty: could not say",
    )  # fmt: skip
    rated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-rated_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(grade__isnull=True) | models.Q(grade__range=(1, 5)),
                name="rating_grade",
            )
        ]

    def __str__(self) -> str:
        return f"{self.grade or 'no'} for {self.ask}"
