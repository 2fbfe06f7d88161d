"""Tables of what an analyst did with documents: each event, and what it amounts to."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from docintel.models import ModelVersion
from ingestion.models import Document


class FeedEvent(models.Model):
    """One thing that happened, as the browser told it; deleted only with all of the history.

    The database refuses to change a row.

    `position` (from 1), `exploring`, `propensity` and `version` are what the server had signed for
    the card, not what the browser said. `propensity` is the chance that this document was put into
    this slot, so small where it was explored.
    """

    class Verb(models.TextChoices):
        IMPRESSION = "impression", "Shown"
        OPEN = "open", "Opened"
        REOPEN = "reopen", "Opened again"
        DWELL = "dwell", "Read"
        SAVE = "save", "Saved"

    client_id = models.UUIDField(help_text="given by the sender: a replay is no second event")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="feed_events"
    )
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="feed_events")
    verb = models.CharField(max_length=10, choices=Verb.choices)
    page = models.UUIDField(null=True, blank=True, help_text="the rendering of the feed")
    position = models.PositiveSmallIntegerField(null=True, blank=True)
    exploring = models.BooleanField(default=False)
    propensity = models.FloatField(null=True, blank=True)
    visible_ms = models.PositiveIntegerField(null=True, blank=True)
    active_ms = models.PositiveIntegerField(null=True, blank=True)
    version = models.ForeignKey(
        ModelVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text="what ranked the card; empty: the formula",
    )  # fmt: skip
    features = ArrayField(
        models.FloatField(null=True), null=True, blank=True,
        help_text="of an impression, what it was ranked by then, in the order of features.NAMES",
    )  # fmt: skip
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-received_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "client_id"], name="feed_event_once")
        ]
        indexes = [
            # With the verb, so that counting somebody's history reads no row of it.
            models.Index(
                fields=["user", "received_at"], name="feed_event_of_user", include=["verb"]
            ),
            models.Index(fields=["occurred_at"], name="feed_event_when"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} of document {self.document_id}"


class Engagement(models.Model):
    """What one analyst's events with one document amount to; one row for each pair."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="engagements"
    )
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="engagements")
    shown = models.PositiveIntegerField(default=0, help_text="times on the feed")
    opens = models.PositiveIntegerField(default=0)
    active_ms = models.PositiveBigIntegerField(default=0)
    shown_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True, help_text="the last time")
    saved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "document"], name="engagement_once")]
        indexes = [
            models.Index(
                fields=["user", "-opened_at"],
                name="engagement_opened",
                include=["document"],
                condition=Q(opened_at__isnull=False),
            ),
            models.Index(
                fields=["user", "-saved_at"],
                name="engagement_saved",
                condition=Q(saved_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} with document {self.document_id}"
