"""Tables of what is ranked for whom: a row for each analyst and document."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from pgvector.django import HalfVectorField

from docintel.models import ModelVersion
from ingestion.chunk_tables import VECTOR_DIMENSIONS
from ingestion.models import Document

# Beside a row's id and order; what walks down a feed asks for no other column.
CHOSEN_BY = ("document", "fresh_at", "company_ref", "source_ref", "group")


class RankedDocument(models.Model):
    """What the ranker knows of a document, read once; it was ranked for all analysts there were.

    `facts` are of `feed.facts.Facts`. `vector` is one for the whole document.
    """

    document = models.OneToOneField(
        Document, on_delete=models.CASCADE, primary_key=True, related_name="ranked"
    )
    facts = models.JSONField(default=dict)
    vector = HalfVectorField(dimensions=VECTOR_DIMENSIONS, null=True)
    embedder = models.ForeignKey(
        ModelVersion, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    fresh_at = models.DateTimeField(db_index=True, help_text="from when its age counts")
    ranked_at = models.DateTimeField(default=timezone.now, db_index=True)
    facts_at = models.DateTimeField(db_default=Now(), help_text="when the facts were read")

    def __str__(self) -> str:
        return f"document {self.document_id}"


class FeedItem(models.Model):
    """How much one document is for one analyst.

    `order` is the score plus what freshness adds, so that the order of two documents never changes
    as they age (`feed.ml.freshness`). `company`, `source` and `group` are copies, for diversity.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="feed_items"
    )
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="feed_items")
    score = models.FloatField(help_text="without freshness")
    order = models.FloatField()
    fresh_at = models.DateTimeField(help_text="from when its age counts")
    features = ArrayField(models.FloatField(null=True), help_text="in the order of features.NAMES")
    version = models.ForeignKey(
        ModelVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        help_text="what ranked it; empty: the formula",
    )  # fmt: skip
    hidden_by = models.CharField(max_length=160, blank=True, help_text="what is muted, in words")
    company_ref = models.BigIntegerField(null=True, blank=True)
    source_ref = models.BigIntegerField()
    group = models.BigIntegerField(help_text="the document that nearly the same ones stand for")
    ranked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "document"], name="feed_item_once")]
        indexes = [
            # With what choosing among rows needs: the rows themselves are all over the table.
            models.Index(
                fields=["user", "-order", "-id"],
                name="feed_item_order",
                include=CHOSEN_BY,
                condition=Q(hidden_by=""),
            ),
            models.Index(
                fields=["user", "-order", "-id"],
                name="feed_item_hidden",
                include=CHOSEN_BY,
                condition=~Q(hidden_by=""),
            ),
            models.Index(fields=["user", "-fresh_at", "-id"], name="feed_item_fresh"),
        ]

    def __str__(self) -> str:
        return f"document {self.document_id} for {self.user}"
