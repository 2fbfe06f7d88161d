"""Tables of what an analyst says of their interests, and what follows from all they did."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone
from pgvector.django import HalfVectorField

from docintel.models import ModelVersion
from ingestion.chunk_tables import VECTOR_DIMENSIONS
from ingestion.models import Company, Document, Source, Topic

LONGEST_PHRASE = 80
LONGEST_INTEREST = 1_000


class Follow(models.Model):
    """An analyst follows or mutes one thing; which of the columns is filled, `kind` says."""

    class Kind(models.TextChoices):
        COMPANY = "company", "Company"
        TOPIC = "topic", "Topic"
        SOURCE = "source", "Source"
        DOCUMENT_KIND = "document_kind", "Document type"
        PHRASE = "phrase", "Phrase"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="follows"
    )
    kind = models.CharField(max_length=14, choices=Kind.choices)
    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    topic = models.ForeignKey(
        Topic, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    source = models.ForeignKey(
        Source, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    document_kind = models.CharField(max_length=20, blank=True, choices=Document.Kind.choices)
    phrase = models.CharField(max_length=LONGEST_PHRASE, blank=True, help_text="in lower case")
    muted = models.BooleanField(default=False, help_text="muted instead of followed")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["kind", "-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "company", "topic", "source", "document_kind", "phrase"],
                nulls_distinct=False,
                name="follow_once",
            )
        ]

    def __str__(self) -> str:
        return f"{'mutes' if self.muted else 'follows'} {self.label}"

    @property
    def value(self) -> str:
        """What names the thing in an address or a form."""
        found = {
            self.Kind.COMPANY: self.company_id,
            self.Kind.TOPIC: self.topic_id,
            self.Kind.SOURCE: self.source_id,
            self.Kind.DOCUMENT_KIND: self.document_kind,
            self.Kind.PHRASE: self.phrase,
        }
        return str(found[self.Kind(self.kind)])

    @property
    def label(self) -> str:
        """The thing in words."""
        if self.kind == self.Kind.DOCUMENT_KIND:
            return str(self.get_document_kind_display())
        thing = self.company or self.topic or self.source
        return str(thing) if thing else f"“{self.phrase}”"


class Interest(models.Model):
    """An interest in the analyst's words; without a vector until a worker has made it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="interests"
    )
    text = models.CharField(max_length=LONGEST_INTEREST)
    vector = HalfVectorField(dimensions=VECTOR_DIMENSIONS, null=True, blank=True)
    embedder = models.ForeignKey(
        ModelVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.text[:80]


def new_token() -> str:
    return secrets.token_urlsafe(32)


class FeedProfile(models.Model):
    """Who has one is an analyst of the feed; what their doing amounts to, ready for ranking.

    Due for a new ranking where `changed_at` is later than `ranked_for`.
    """

    class Digest(models.TextChoices):
        OFF = "off", "No mail"
        DAILY = "daily", "Daily"
        WEEKLY = "weekly", "Weekly"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="feed_profile",
    )
    facts = models.JSONField(default=dict, blank=True, help_text="weights; see ml/profiles.py")
    vector = HalfVectorField(dimensions=VECTOR_DIMENSIONS, null=True, blank=True)
    embedder = models.ForeignKey(
        ModelVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    changed_at = models.DateTimeField(default=timezone.now, db_index=True)
    ranked_for = models.DateTimeField(null=True, blank=True)
    newest_due = models.BooleanField(
        default=False, help_text="they are ranked anew before the next page comes"
    )
    seen_at = models.DateTimeField(null=True, blank=True, help_text="the feed was last opened")
    started_at = models.DateTimeField(
        null=True, blank=True, help_text="companies and topics were picked, or that was left out"
    )
    digest = models.CharField(max_length=6, choices=Digest.choices, default=Digest.OFF)
    digest_sent_at = models.DateTimeField(null=True, blank=True)
    unsubscribe_token = models.CharField(max_length=64, default=new_token, unique=True)

    def __str__(self) -> str:
        return f"feed of {self.user}"
