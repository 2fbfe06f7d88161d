"""Tables of saved searches and of what came to match them."""

from __future__ import annotations

import secrets
import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from ingestion.models import Document

LONGEST_NAME = 120
LONGEST_QUERY = 2_000
LONGEST_URL = 1_000


def new_secret() -> str:
    return secrets.token_urlsafe(32)


class SavedSearch(models.Model):
    """What an analyst wants to hear of: words, filters, and how they are told.

    `scope` has the fields of `ingestion.querysets.Scope`. Whatever was found, only what its owner
    may see at the time is told.
    """

    class Alert(models.TextChoices):
        BADGE = "badge", "On the feed only"
        DIGEST = "digest", "On the feed and in the digest"
        MAIL = "mail", "On the feed and by mail at once"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_searches"
    )
    name = models.CharField(max_length=LONGEST_NAME)
    query = models.CharField(max_length=LONGEST_QUERY, blank=True)
    scope = models.JSONField(default=dict, blank=True)
    alert = models.CharField(max_length=6, choices=Alert.choices, default=Alert.BADGE)
    paused = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    looked_at = models.DateTimeField(
        default=timezone.now, help_text="what became searchable before was looked at"
    )
    seen_at = models.DateTimeField(default=timezone.now, help_text="its owner looked at it")

    webhook = models.CharField(max_length=LONGEST_URL, blank=True)
    secret = models.CharField(max_length=64, default=new_secret, help_text="signs what is sent")
    webhook_failures = models.PositiveSmallIntegerField(default=0, help_text="in a row")
    webhook_error = models.CharField(max_length=300, blank=True)
    webhook_after = models.DateTimeField(
        default=timezone.now, help_text="not tried again before; also the claim of who is trying"
    )
    webhook_off_at = models.DateTimeField(
        null=True, blank=True, help_text="after too many failures"
    )

    class Meta:
        ordering = ["name", "pk"]
        verbose_name_plural = "saved searches"

    def __str__(self) -> str:
        return self.name


class SearchMatch(models.Model):
    """A document that came to match a saved search; found once."""

    search = models.ForeignKey(SavedSearch, on_delete=models.CASCADE, related_name="matches")
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="+")
    found_at = models.DateTimeField(default=timezone.now)
    mailed_at = models.DateTimeField(null=True, blank=True)
    posted_at = models.DateTimeField(null=True, blank=True, help_text="the webhook answered 2xx")

    class Meta:
        ordering = ["-found_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["search", "document"], name="search_match_once")
        ]
        indexes = [
            models.Index(fields=["search", "-found_at"], name="search_match_found"),
            models.Index(
                fields=["search"], name="search_match_unposted", condition=Q(posted_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"document {self.document_id} for {self.search}"
