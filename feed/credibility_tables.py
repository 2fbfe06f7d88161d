"""How often what a source brings is opened, by hand where a person knows better than readers."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from ingestion.models import Source


class RatedSource(Source):
    """A source with its rate, for the administration."""

    class Meta:
        proxy = True
        verbose_name = "source's credibility"
        verbose_name_plural = "credibility of sources"


class SourceRate(models.Model):
    """A rate by hand takes the place of what the whole firm's reading says of a source.

    What one analyst opens of it still counts for that analyst.
    """

    source = models.OneToOneField(Source, on_delete=models.CASCADE, related_name="rate_by_hand")
    rate = models.FloatField(
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="0 to 1: of ten cards shown, how many an analyst would open, divided by ten",
    )
    why = models.CharField(max_length=300)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False,
        on_delete=models.SET_NULL, related_name="+",
    )  # fmt: skip
    set_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"{self.source}: {self.rate:.2f}"
